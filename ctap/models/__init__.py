"""Trained models: their directories, and their use (``ctap.load``)."""
