"""Text of any length in pieces that a model can say: sentences, and parts of those that are too long."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ctap.text.frontend import syllable_reader, with_pauses
from ctap.text.phones import ERHUA, INITIALS, PAUSES, tone
from ctap.text.rules import TextRules

# The end of a sentence, and what closes behind it. A full stop or a semicolon between digits is none.
_END = re.compile(r"(?:[。｡！？!?；;…⋯\n\r]|\.(?![0-9a-zA-Z]))+[”’」』）)\]】》\"'\s]*")
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


def text_to_pieces(text: str, rules: TextRules, most: int) -> list[Piece]:
    """Phones of ``text``, a piece a sentence, or several for one of many more than ``most`` phones.

    A text of one sentence of the usual length is one piece, the phones of
    :func:`ctap.text.frontend.text_to_phones`.

    Raises:
        UnreadableText: Nothing to read, or something without a Mandarin reading.
        UnknownPinyin: Naming the syllable that is none.
    """
    read = syllable_reader(text, sandhi=rules.sandhi, spell_latin=rules.spell_latin)
    sentences = [with_pauses(read(part)) for part in split_sentences(text)]
    pieces: list[Piece] = []
    for i, phones in enumerate(sentences):
        last = i == len(sentences) - 1
        inner = phones[1 if i else 0 : None if last else -1]
        pieces += phones_to_pieces(inner, most, "" if last else phones[-1])
    return pieces


def phones_to_pieces(phones: list[str], most: int, joint: str = "") -> list[Piece]:
    """``phones`` in pieces of at most ``SLACK * most``, cut at pauses, else between syllables.

    Of the places to cut at, the one nearest to the middle is taken, and so on with either half.

    Args:
        phones: A sentence, or any phones as they stand.
        most: The most phones that a model has seen in one utterance.
        joint: What follows the last piece.
    """
    if len(phones) <= max(SLACK * most, 2):
        return [Piece(phones, joint)]
    inside = range(1, len(phones) - 1)
    pauses = [i for i in inside if phones[i] in PAUSES]
    cuts = pauses or [i for i in inside if _starts_syllable(phones, i)] or [len(phones) // 2]
    cut = min(cuts, key=lambda i: abs(2 * i - len(phones)))
    between = phones[cut] if pauses else ""
    left = phones_to_pieces(phones[:cut], most, between)
    return left + phones_to_pieces(phones[cut + 1 if pauses else cut :], most, joint)


def _starts_syllable(phones: list[str], i: int) -> bool:
    """Whether a syllable starts at ``i``: an initial, or a final that has none."""
    return phones[i] not in (*PAUSES, ERHUA) and (phones[i] in INITIALS or tone(phones[i - 1]) is not None)
