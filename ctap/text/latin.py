"""Latin letters read by their names, where a model's rules ask for it (:class:`ctap.text.rules.TextRules`).

Only what people spell is read so: single letters, and abbreviations. A word (iPhone, hello) needs a reading
of its language. The names are those usually heard in Mandarin speech (KTV, T恤, 卡拉OK).
"""

from __future__ import annotations

import re

LETTERS: dict[str, tuple[str, ...]] = {
    letter: tuple(name.split())
    for letter, name in (
        ("A", "ei1"),
        ("B", "bi4"),
        ("C", "xi1"),
        ("D", "di4"),
        ("E", "yi4"),
        ("F", "ai2 fu5"),
        ("G", "ji4"),
        ("H", "ei2 chi5"),
        ("I", "ai4"),
        ("J", "zhei4"),
        ("K", "kei4"),
        ("L", "ai2 lou5"),
        ("M", "ai2 mu5"),
        ("N", "en1"),
        ("O", "ou1"),
        ("P", "pi4"),
        ("Q", "qiu1"),
        ("R", "ar4"),
        ("S", "ai2 si5"),
        ("T", "ti4"),
        ("U", "you1"),
        ("V", "wei1"),
        ("W", "da2 bu5 liu5"),
        ("X", "ai4 ke5 si5"),
        ("Y", "wai4"),
        ("Z", "zei4"),
    )
}
"""Capital letter to the syllables of its name."""

# Longer than three letters and with vowels, yet spelled; NASA, COVID and their like are said as words.
_SPELLED = frozenset(("AIGC", "ECMO", "EMBA", "ICBC", "ISBN", "OLED", "UNHCR"))
_CAPITALS = re.compile("[A-Z]{1,3}|[B-DF-HJ-NP-TV-XZ]{4,6}")
RUN = re.compile("[A-Za-z]+")


def is_spelled(run: str) -> bool:
    """Whether a run of Latin letters is said by the names of its letters.

    So are single letters, up to three capitals, up to six without a vowel, and some longer abbreviations.

    >>> is_spelled("KTV"), is_spelled("iPhone")
    (True, False)
    """
    return len(run) == 1 or _CAPITALS.fullmatch(run) is not None or run in _SPELLED


def names(letters: str) -> list[str]:
    """Syllables of the names of ``letters``, A to Z in either case."""
    return [syllable for letter in letters.upper() for syllable in LETTERS[letter]]
