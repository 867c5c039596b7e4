"""Phones in pieces that a model can say, and text cut into sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ctap.text.pauses import PAUSES

# The end of a sentence, and closing marks after it. A full stop in numbers, words and No. 5 does not count.
_END = re.compile(r"(?:[。｡！？!?；;…⋯\n\r]|\.(?![0-9a-zA-Z]|(?<=N[oO]\.)\s?\d))+[”’」』）)\]】》\"'\s]*")
SLACK = 1.25  # a sentence is cut when it has so many times the phones that a model has seen in one


@dataclass(frozen=True)
class Piece:
    """Phones to be said at a stretch.

    Attributes:
        phones: Without the pause that is to follow.
        joint: The pause between this piece and the next: ``sil`` at the end of a sentence, ``sp`` where one
            was cut at a pause of its own, "" where it was cut between syllables, or where nothing follows.
    """

    phones: list[str]
    joint: str = ""


def split_sentences(text: str) -> list[str]:
    """``text`` cut behind the marks that end sentences; no part is without a letter, digit or hanzi.

    >>> split_sentences("你好。再见！")
    ['你好。', '再见！']
    """
    ends = [match.end() for match in _END.finditer(text)]
    parts: list[str] = []
    for start, end in zip([0, *ends], [*ends, len(text)], strict=True):
        part = text[start:end]
        if parts and not (any(map(str.isalnum, part)) and any(map(str.isalnum, parts[-1]))):
            parts[-1] += part
        elif part:
            parts.append(part)
    return parts or [text]


def join_sentences(
    sentences: list[list[str]], most: int, may_cut: Callable[[list[str], int], bool]
) -> list[Piece]:
    """Sentences of one text, each with its pauses at both ends, in pieces.

    Args:
        sentences: Phones of each.
        most: The most phones that a model has seen in one utterance.
        may_cut: Whether a sentence (phones, index) may be cut before a phone that follows no pause.
    """
    pieces: list[Piece] = []
    for i, phones in enumerate(sentences):
        last = i == len(sentences) - 1
        inner = phones[1 if i else 0 : None if last else -1]
        pieces += cut_phones(inner, most, may_cut, "" if last else phones[-1])
    return pieces


def cut_phones(
    phones: list[str], most: int, may_cut: Callable[[list[str], int], bool], joint: str = ""
) -> list[Piece]:
    """``phones`` in pieces of at most ``SLACK * most``, cut at pauses, else where they may be.

    Of the places to cut at, the one nearest to the middle is taken, and so on with either half.

    Args:
        phones: A sentence, or any phones as they stand.
        most: The most phones that a model has seen in one utterance.
        may_cut: Whether they may be cut before phone ``i``, which follows no pause.
        joint: What follows the last piece.
    """
    if len(phones) <= max(SLACK * most, 2):
        return [Piece(phones, joint)]
    inside = range(1, len(phones) - 1)
    pauses = [i for i in inside if phones[i] in PAUSES]
    cuts = pauses or [i for i in inside if may_cut(phones, i)] or [len(phones) // 2]
    cut = min(cuts, key=lambda i: abs(2 * i - len(phones)))
    between = phones[cut] if pauses else ""
    left = cut_phones(phones[:cut], most, may_cut, between)
    return left + cut_phones(phones[cut + 1 if pauses else cut :], most, may_cut, joint)
