"""English numbers in words, so that a transcript with digits can be compared with what was said."""

from __future__ import annotations

import re

from ctap.text.english_forms import DOT, said

# fmt: off
_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
# fmt: on
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at"}

_NUMBER = re.compile(r"(\d+(?:\.\d+)*)(?:(st|nd|rd|th|'?s)\b)?")
_LARGE = "|".join(("hundred", *_SCALES[1:]))
_AND = re.compile(rf"\b({_LARGE}) and (?=(?:{'|'.join((*_ONES, *_TENS))}))", re.IGNORECASE)
_ARTICLE = re.compile(rf"\ba (?=(?:{_LARGE})\b)", re.IGNORECASE)


def cardinal(digits: str) -> str:
    """A whole number in words; digit by digit where it begins with 0 or is too long to have a name.

    >>> cardinal("2105"), cardinal("007")
    ('two thousand one hundred five', 'zero zero seven')
    """
    if len(digits) > 3 * len(_SCALES) or (digits[0] == "0" and len(digits) > 1):
        return _one_by_one(digits)
    groups, rest = [], int(digits)
    while rest:
        rest, below = divmod(rest, 1000)
        groups.append(below)
    named = [f"{_hundreds(own)} {scale}" for own, scale in zip(groups, _SCALES, strict=False) if own]
    return " ".join(named[::-1]).strip() or _ONES[0]


def _hundreds(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    found = [_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        found += [_TENS[tens - 2], *([_ONES[ones]] if ones else [])]
    elif rest:
        found.append(_ONES[rest])
    return " ".join(found)


def _one_by_one(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits)


def _ordinal(words: str) -> str:
    *before, last = words.split()
    regular = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return " ".join([*before, _ORDINALS.get(last, regular)])


def _many(words: str) -> str:
    """``nineties``, ``sixes``."""
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def _in_words(match: re.Match[str]) -> str:
    whole, *parts = match[1].split(".")
    words = cardinal(whole)
    if len(parts) == 1:
        words += f" point {_one_by_one(parts[0])}"
    elif parts:  # of a version
        words = " point ".join([words, *map(cardinal, parts)])
    if match[2] is not None:
        words = _many(words) if match[2].endswith("s") else _ordinal(words)
    return f" {words} "


def written_out(text: str) -> str:
    """``text`` as it is said, in words alone: no digits, no abbreviations, large numbers without "and".

    >>> written_out("Mr. Smith paid $5.50.").split()
    ['mister', 'Smith', 'paid', 'five', 'dollars', 'and', 'fifty', 'cents', '.']
    """
    plain = _NUMBER.sub(_in_words, said(text).replace(DOT, ""))
    plain = re.sub("[%&+=@]", lambda sign: f" {_SIGNS[sign[0]]} ", plain)
    return _AND.sub(r"\1 ", _ARTICLE.sub("one ", " ".join(plain.split())))
