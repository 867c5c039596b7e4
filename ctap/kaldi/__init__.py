"""Kaldi data directories and arks: read, write, validate, fix."""
