"""Text of a user to the phones of a model: hanzi or pinyin in, pauses included."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ctap.text.normalize import PAUSE, UnreadableText, is_hanzi, normalize_text
from ctap.text.pinyin import canonical, hanzi_to_pinyin, pinyin_to_phones

_BREAKS = re.compile(r"[，。！？；：、,.!?;…—|\n\r]+")
_PROSODY = re.compile(r"[%$]")
_MARKS = re.compile("[\u0304\u0301\u030c\u0300]")


def is_pinyin(text: str) -> bool:
    """Whether ``text`` is to be read as pinyin: no hanzi, and words that start with a letter."""
    words = _PROSODY.sub(" ", _BREAKS.sub(" ", text)).split()
    return bool(words) and not any(map(is_hanzi, text)) and all(word[0].isalpha() for word in words)


def text_to_pinyin(text: str, *, sandhi: bool = False) -> list[list[str]]:
    """Syllables of ``text``, one list for each stretch between pauses.

    Args:
        text: hanzi (digits and the like are normalised), or pinyin whose syllables are set apart by spaces,
            with tone digits or tone marks. Punctuation is a pause; the prosody marks ``%`` and ``$`` of
            AISHELL-3 are not.
        sandhi: tone sandhi of hanzi, see :func:`ctap.text.pinyin.hanzi_to_pinyin`; pinyin is taken as said.

    Raises:
        UnreadableText: nothing to read, or something without a Mandarin reading.
        UnknownPinyin: naming the syllable that is none.
    """
    return syllable_reader(text, sandhi=sandhi)(text)


def syllable_reader(text: str, *, sandhi: bool = False) -> Callable[[str], list[list[str]]]:
    """What reads ``text``, or any part of it in the way of the whole, as :func:`text_to_pinyin` does."""
    if not is_pinyin(text):
        return lambda part: [hanzi_to_pinyin(p, sandhi=sandhi) for p in normalize_text(part).split(PAUSE)]
    # With tone marks a bare syllable is in the neutral tone; with digits it is a slip.
    bare_tone = "5" if _MARKS.search(unicodedata.normalize("NFD", text)) else None

    def read(part: str) -> list[list[str]]:
        words = [_PROSODY.sub(" ", stretch).split() for stretch in _BREAKS.split(part)]
        stretches = [[canonical(word, bare_tone=bare_tone) for word in own] for own in words if own]
        if not stretches:
            raise UnreadableText(f"nothing to read in {part!r}")
        return stretches

    return read


def text_to_phones(text: str, *, sandhi: bool = False) -> list[str]:
    """Phones of ``text`` for synthesis: ``sil`` at both ends, ``sp`` at each pause inside.

    >>> text_to_phones("ni3 hao3, zai4 jian4")
    ['sil', 'n', 'i3', 'h', 'ao3', 'sp', 'z', 'ai4', 'j', 'ian4', 'sil']

    Args and errors are those of :func:`text_to_pinyin`.
    """
    return with_pauses(text_to_pinyin(text, sandhi=sandhi))


def with_pauses(stretches: list[list[str]]) -> list[str]:
    """Phones of the syllables of each stretch, ``sp`` between them and ``sil`` at both ends."""
    phones = ["sil"]
    for part in stretches:
        phones += [*pinyin_to_phones(part), "sp"]
    phones[-1] = "sil"
    return phones
