"""What a corpus gives of an utterance's text, made into the tables ``text``, ``pinyin`` and ``phones``."""

from __future__ import annotations

from dataclasses import dataclass

from ctap.errors import UserError
from ctap.text.frontend import pinyin_words
from ctap.text.normalize import PAUSE, UnreadableText, normalize_text
from ctap.text.pinyin import UnknownPinyin, canonical, count_fits, hanzi_to_pinyin, pinyin_to_phones
from ctap.text.simplified import simplified


class MismatchedPinyin(UserError):  # noqa: N818 - named as its neighbours are
    """Hanzi and pinyin of an utterance that can't be readings of each other."""


@dataclass(frozen=True)
class Reading:
    """The text of one utterance.

    Attributes:
        text: hanzi without spaces or punctuation; the syllables run together where a corpus has no hanzi.
        pinyin: canonical syllables.
        phones: their phones, without pauses.
        traditional: whether traditional characters were read as simplified ones; the text keeps them.
    """

    text: str
    pinyin: list[str]
    phones: list[str]
    traditional: bool = False


def read(
    hanzi: str | None, pinyin: str | None, *, sandhi: bool = False, spell_latin: bool = False
) -> Reading:
    """Complete what a corpus gives: hanzi, pinyin, or both.

    Pinyin that is given is what was said and stays as it is; hanzi alone are read by the dictionary.

    Args:
        hanzi: may hold punctuation, digits and what else :func:`ctap.text.normalize.normalize_text` reads.
        pinyin: syllables set apart by blanks; punctuation and marks of prosodic boundaries are passed over.
        sandhi: tone sandhi where hanzi are read, see :func:`ctap.text.pinyin.hanzi_to_pinyin`.
        spell_latin: letters among the hanzi by their names, see :mod:`ctap.text.latin`.

    Raises:
        UnknownPinyin: a syllable that does not exist, or a character without a reading.
        UnreadableText: text that is not hanzi and can't be made so; or there is nothing.
        MismatchedPinyin: another number of syllables than of hanzi (an erhua may take two hanzi).
    """
    spoken = normalize_text(hanzi, spell_latin=spell_latin) if hanzi else ""
    text = spoken.replace(PAUSE, "")
    if pinyin:
        syllables = [canonical(word) for words in pinyin_words(pinyin) for word in words]
    elif text:
        parts = (hanzi_to_pinyin(part, sandhi=sandhi) for part in spoken.split(PAUSE))
        syllables = [syllable for part in parts for syllable in part]
    else:
        syllables = []
    if not syllables:
        raise UnreadableText("neither hanzi nor pinyin")
    phones = pinyin_to_phones(syllables)
    if text and pinyin and not count_fits(text, syllables):
        said = "" if text in hanzi else f" (said {text})"
        raise MismatchedPinyin(
            f"{len(text)} hanzi but {len(syllables)} pinyin syllables: {hanzi}{said} / {pinyin}"
        )
    traditional = not pinyin and simplified(text) != text
    return Reading(text or "".join(syllables), syllables, phones, traditional)


def reason(error: UserError) -> str:
    """The phrase under which an error of :func:`read` is counted."""
    names = {UnknownPinyin: "unknown pinyin", UnreadableText: "unreadable text"}
    return names.get(type(error), "wrong number of pinyin")
