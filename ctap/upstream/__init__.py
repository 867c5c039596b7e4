"""Representations of published speech models, to compare with CTAP's (paper, section 3.2)."""
