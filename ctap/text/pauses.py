"""Pauses, the same in every language: ``sil`` (the ends of an utterance) and ``sp`` (inside it)."""

PAUSES: tuple[str, ...] = ("sil", "sp")
