"""Mandarin text of any length in pieces that a model can say: sentences, and parts of long ones."""

from __future__ import annotations

from collections.abc import Sequence

from ctap.text.frontend import phones_of, syllable_reader
from ctap.text.phones import ERHUA, INITIALS, PAUSES
from ctap.text.pieces import Piece, join_sentences, split_sentences
from ctap.text.rules import TextRules


def text_to_pieces(text: str, rules: TextRules, most: int) -> list[Piece]:
    """Phones of ``text``, a piece a sentence, or several for one of many more than ``most`` phones.

    A text of one sentence of the usual length is one piece, the phones of
    :func:`ctap.text.frontend.text_to_phones`.

    Raises:
        UnreadableText: Nothing to read, or something without a Mandarin reading.
        UnknownPinyin: Naming the syllable that does not exist.
    """
    read = syllable_reader(text, sandhi=rules.sandhi, spell_latin=rules.spell_latin)
    sentences = [phones_of(read(part)) for part in split_sentences(text)]
    return join_sentences(sentences, most, starts_syllable)


def starts_syllable(phones: Sequence[str], i: int) -> bool:
    """Whether ``phones[i]`` is the first phone of a syllable: an initial, or a final that has none."""
    if phones[i] in PAUSES:
        return False
    return i == 0 or phones[i] in INITIALS or (phones[i - 1] not in INITIALS and phones[i] != ERHUA)
