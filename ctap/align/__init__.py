"""Durations: the built-in aligner, TextGrid import and export, scoring."""
