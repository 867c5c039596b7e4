"""Where a text changes its language: numbers beside letters, and what stands at the ends of stretches."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator

_SLASH = re.compile("[/／]")
_NUMBER = re.compile(r"[-+±$¥€£]?\d+(?:[.,:/~-]\d+)*[%‰]?")

Span = tuple[int, int]


def numbers(text: str, writes: Callable[[str], bool]) -> Iterator[tuple[Span, str]]:
    """Numbers that go with foreign letters which they touch (``3月``), and such a letter of each.

    Not those that touch a word of the main language or its full stop (``A4纸``, ``No.5的``), nor those beside
    Latin letters (``iPhone15``).

    Args:
        text: A sentence.
        writes: Whether its main language writes a letter.
    """
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        before, after = text[:start][-1:], text[end : end + 1]
        beside = [char for char in before + after if char.isalpha()]
        foreign = [char for char in beside if not writes(char) and "LATIN" not in unicodedata.name(char, "")]
        joined = before == "." or after == "°" or (after.isalpha() and writes(after))
        joined |= (
            before.isalpha() and writes(before) and match[0][0].isdigit()
        )  # the + of iPad+5的 is the number's
        if foreign and not joined:
            yield (start, end), foreign[0]


def edge(text: str) -> str:
    """What stands before the first letter or digit of ``text``."""
    return "".join(itertools.takewhile(lambda c: not c.isalnum(), text))


def paused(stretch: str) -> str:
    """``stretch`` with commas for slashes around its words (``微信/`` of 微信/WeChat)."""
    if not any(map(str.isalnum, stretch)):
        return stretch
    first, last = len(_punctuation(stretch)), len(stretch) - len(_punctuation(stretch[::-1]))
    return _SLASH.sub(",", stretch[:first]) + stretch[first:last] + _SLASH.sub(",", stretch[last:])


def _punctuation(text: str) -> str:
    """The punctuation and blanks at the start of ``text``; no sign that may be said, such as ㎡."""
    return "".join(itertools.takewhile(lambda c: unicodedata.category(c)[0] in "PZ", text))
