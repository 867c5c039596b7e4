"""Text of a user to the phones of a model: hanzi or pinyin in, pauses included."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ctap.text.forms import plain_form, without_prosody
from ctap.text.language import with_pauses
from ctap.text.latin import is_spelled
from ctap.text.normalize import PAUSE, SILENT, UnreadableText, is_hanzi, normalize_text
from ctap.text.pinyin import canonical, hanzi_to_pinyin, pinyin_to_phones

_BREAKS = re.compile(r"(?:[，。！？；：、,.!?;…—–~|\n\r]|(?<!u):)+")
_BLANKS = re.compile(f"[{re.escape(''.join(SILENT))}]+")
_MARKS = re.compile("[\u0304\u0301\u030c\u0300]")


def is_pinyin(text: str, *, spell_latin: bool = False) -> bool:
    """Whether ``text`` is to be read as pinyin: no hanzi, and words that start with a Latin letter.

    With ``spell_latin``, text whose words are all letters to be spelled (OK) is not pinyin.
    """
    if any(map(is_hanzi, plain_form(text))):
        return False
    words = [word for stretch in pinyin_words(text) for word in stretch]
    spelled = spell_latin and all(map(is_spelled, words))
    return bool(words) and not spelled and all("LATIN" in unicodedata.name(w[0], "") for w in words)


def pinyin_words(text: str) -> list[list[str]]:
    """What stands between blanks in ``text``, one list for each stretch between pauses that holds any.

    Quotes, brackets, hyphens, invisible characters and the marks of prosodic boundaries are blanks.
    """
    plain = without_prosody(plain_form(text), pinyin=True)
    stretches = (_BLANKS.sub(" ", stretch).split() for stretch in _BREAKS.split(plain))
    return [words for words in stretches if words]


def text_to_pinyin(text: str, *, sandhi: bool = False, spell_latin: bool = False) -> list[list[str]]:
    """Syllables of ``text``, one list for each stretch between pauses.

    Args:
        text: hanzi (digits and the like are normalised), or pinyin whose syllables are set apart by spaces,
            with tone digits or tone marks. Punctuation is a pause; the prosody marks of AISHELL-3 (``%``,
            ``$``) and CSMSC (``#1`` to ``#4``) are not.
        sandhi: tone sandhi of hanzi, see :func:`ctap.text.pinyin.hanzi_to_pinyin`; pinyin is taken as said.
        spell_latin: letters among hanzi by their names, see :mod:`ctap.text.latin`.

    Raises:
        UnreadableText: nothing to read, or something without a Mandarin reading.
        UnknownPinyin: naming the syllable that does not exist.
    """
    return syllable_reader(text, sandhi=sandhi, spell_latin=spell_latin)(text)


def syllable_reader(
    text: str, *, sandhi: bool = False, spell_latin: bool = False
) -> Callable[[str], list[list[str]]]:
    """What reads ``text``, or any part of it in the way of the whole, as :func:`text_to_pinyin` does."""
    if not is_pinyin(text, spell_latin=spell_latin):

        def read_hanzi(part: str) -> list[list[str]]:
            spoken = normalize_text(part, spell_latin=spell_latin)
            return [hanzi_to_pinyin(stretch, sandhi=sandhi) for stretch in spoken.split(PAUSE)]

        return read_hanzi
    # With tone marks a bare syllable is in the neutral tone; with digits it is a slip.
    bare_tone = "5" if _MARKS.search(unicodedata.normalize("NFD", text)) else None

    def read(part: str) -> list[list[str]]:
        stretches = [[canonical(word, bare_tone=bare_tone) for word in own] for own in pinyin_words(part)]
        if not stretches:
            raise UnreadableText(f"nothing to read in {part!r}")
        return stretches

    return read


def text_to_phones(text: str) -> list[str]:
    """Phones of ``text`` for synthesis: ``sil`` at both ends, ``sp`` at each pause inside.

    >>> text_to_phones("ni3 hao3, zai4 jian4")
    ['sil', 'n', 'i3', 'h', 'ao3', 'sp', 'z', 'ai4', 'j', 'ian4', 'sil']

    Text and errors are those of :func:`text_to_pinyin`.
    """
    return phones_of(text_to_pinyin(text))


def phones_of(stretches: list[list[str]]) -> list[str]:
    """Phones of the syllables of each stretch, with pauses between and around stretches."""
    return with_pauses([[pinyin_to_phones(stretch)] for stretch in stretches])
