"""Mandarin as a :class:`ctap.text.language.Language`: initials and toned finals, from hanzi or pinyin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from ctap.errors import UserError
from ctap.text import phones as inventory
from ctap.text import reading
from ctap.text.counting import characters, syllables, without_tone
from ctap.text.forms import plain_form, without_prosody
from ctap.text.frontend import is_pinyin, text_to_phones, text_to_pinyin
from ctap.text.grammar import write_out
from ctap.text.language import Language, Reading
from ctap.text.latin import RUN, is_spelled
from ctap.text.normalize import UnreadableText, is_hanzi, normalize_text
from ctap.text.phones import INITIALS, PHONES
from ctap.text.pieces import Piece
from ctap.text.pinyin import pinyin_to_phones
from ctap.text.sentences import starts_syllable, text_to_pieces
from ctap.text.simplified import simplified
from ctap.text.syllables import every_syllable

_NAME_BEFORE = re.compile(r"[A-Za-z]\s?\d[\d.]*\s?$")  # iPhone 5s: no seconds


def unit_of(phone: str) -> str:
    """The unit that models ``phone``: the phone without its tone, syllabic nasals apart from initials."""
    unit = inventory.base(phone)
    return f"{unit}0" if unit in INITIALS and unit != phone else unit


class Mandarin(Language):
    """Mandarin, read with the options of ``rules``."""

    name = "mandarin"
    code = "zh"
    example = "今天天气很好。"
    writing = "Chinese characters or pinyin"
    given = ("text", "pinyin")
    made = ("pinyin",)
    without_text = "this corpus has no hanzi: `text` holds the syllables run together"

    @cached_property
    def inventory(self) -> Mapping[str, str]:
        """See :mod:`ctap.text.phones`: the same for every corpus."""
        return {phone: inventory.phone_class(phone) for phone in PHONES}

    def base(self, phone: str) -> str:
        """``phone`` without its tone."""
        return inventory.base(phone)

    def unit(self, phone: str) -> str:
        """See :func:`unit_of`."""
        return unit_of(phone)

    def starts(self, phones: Sequence[str]) -> list[bool]:
        """Before every syllable."""
        return [starts_syllable(phones, i) for i in range(len(phones))]

    def read(self, given: Mapping[str, str]) -> Reading:
        """Hanzi, pinyin, or both; see :func:`ctap.text.reading.read`."""
        found = reading.read(
            given.get("text"),
            given.get("pinyin"),
            sandhi=self.rules.sandhi,
            spell_latin=self.rules.spell_latin,
        )
        notice = (
            ("traditional characters, read as simplified ones", found.text) if found.traditional else None
        )
        return Reading(found.text, found.phones, {"pinyin": found.pinyin}, notice)

    def reason(self, error: UserError) -> str:
        """The phrase under which an error of :meth:`read` is counted."""
        return reading.reason(error)

    def clauses(self, text: str) -> list[list[list[str]]]:
        """Syllables of hanzi or pinyin; see :func:`ctap.text.frontend.text_to_pinyin`."""
        read = text_to_pinyin(text, sandhi=self.rules.sandhi, spell_latin=self.rules.spell_latin)
        return [[pinyin_to_phones([syllable]) for syllable in stretch] for stretch in read]

    def writes(self, letter: str) -> bool:
        """Chinese characters; pinyin only where it is marked as such."""
        return is_hanzi(letter)

    def foreign(self, text: str) -> list[tuple[int, int]]:
        """Words among hanzi, but for units and the like of numbers, and letters that are spelled.

        In pinyin there are none.
        """
        if not any(map(is_hanzi, text)):
            return []
        spelled = is_spelled if self.rules.spell_latin else lambda run: False
        found = super().foreign(text)
        found = [(start, end) for start, end in found if not all(map(spelled, text[start:end].split()))]
        if not any(map(str.isdigit, text)):
            return found
        kept = set(RUN.findall(write_out(plain_form(text))))
        return [
            (start, end)
            for start, end in found
            if not kept.isdisjoint(RUN.findall(text[start:end])) or _NAME_BEFORE.search(text[:start])
        ]

    def by_sounds(self, text: str) -> bool:
        """Pinyin."""
        return is_pinyin(text, spell_latin=self.rules.spell_latin)

    def without_prosody(self, text: str) -> str:
        """See :func:`ctap.text.forms.without_prosody`."""
        return without_prosody(text)

    def to_pieces(self, text: str, most: int) -> list[Piece]:
        """See :func:`ctap.text.sentences.text_to_pieces`."""
        return text_to_pieces(text, self.rules, most)

    def spellings(self) -> dict[str, str]:
        """Pinyin with tone to phones."""
        return every_syllable()

    def _may_cut(self, phones: list[str], i: int) -> bool:
        return starts_syllable(phones, i)

    def written_out(self, text: str) -> str:
        """``text`` in simplified characters, digits and the like in words where they can be read.

        >>> Mandarin(TextRules()).written_out("賠2000元。")
        '赔两千元'
        """
        text = simplified(text).replace("〇", "零")
        try:
            return normalize_text(text)
        except UnreadableText:
            return text

    def text_tokens(self, text: str) -> list[str]:
        """Characters."""
        return characters(text)

    def syllables(self, phones: Iterable[str]) -> list[str]:
        """Initials joined with their final, and erhua."""
        return syllables(phones)

    def toneless(self, tokens: Iterable[str]) -> list[str]:
        """Without tone digits."""
        return without_tone(tokens)

    def heard_syllables(self, text: str) -> list[str]:
        """Syllables of the hanzi in ``text`` that have a reading, of no other characters."""
        hanzi = "".join(filter(is_hanzi, text))
        try:
            phones = text_to_phones(hanzi) if hanzi else []
        except UserError:  # a few rare ones have none
            phones = [phone for one in hanzi for phone in _said(one)]
        return self.syllables(phones)


def _said(hanzi: str) -> list[str]:
    """Phones of one character; none if it has no reading."""
    try:
        return text_to_phones(hanzi)
    except UserError:
        return []
