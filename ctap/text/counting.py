"""What errors of text and of Mandarin phones are counted in: characters, words, syllables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ctap.text.pauses import PAUSES


def characters(text: str) -> list[str]:
    """Characters of ``text`` without blanks, punctuation and symbols; width and letter case folded (NFKC)."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return [c for c in folded if unicodedata.category(c)[0] not in "ZPSC"]


def words(text: str) -> list[str]:
    """Words of ``text``, which blanks set apart, without punctuation; width and letter case folded (NFKC)."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    kept = (c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in folded)
    return [word for found in "".join(kept).split() if (word := found.strip("'"))]


def without_tone(tokens: Iterable[str]) -> list[str]:
    """Syllables or phones without their tone digit: ``["ni3", "h"]`` gives ``["ni", "h"]``."""
    return [re.sub(r"(?<=.)[0-5]$", "", token) for token in tokens]


def syllables(phones: Iterable[str]) -> list[str]:
    """Join phones to syllables: initials with the toned final that follows, and erhua's ``rr``.

    What a recogniser puts out need not be well formed: initials that no final follows stand for themselves,
    so every phone is in exactly one syllable.

    Args:
        phones: phones of one utterance; finals end in a tone digit. Pauses end a syllable and are left out.
    """
    joined: list[str] = []
    pending, complete = "", False
    for phone in phones:
        if phone in PAUSES:
            joined += [pending] if pending else []
            pending, complete = "", False
        elif phone == "rr" and complete:
            joined[-1] += phone
            complete = False
        elif phone[-1:].isdigit():
            joined.append(pending + phone)
            pending, complete = "", True
        else:
            joined += [pending] if pending else []
            pending, complete = phone, False
    return joined + ([pending] if pending else [])
