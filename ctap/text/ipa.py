"""Classes of phones from their IPA symbols.

The table is the chart of the International Phonetic Association (revised to 2020,
https://www.internationalphoneticassociation.org/content/ipa-chart), with the signs that eSpeak NG and
dictionaries use besides. A phone is one sound as a dictionary counts it: a consonant, an affricate (``tʃ``),
a vowel or a diphthong with what is written into it (``aɪ``, ``əl``).
"""

from __future__ import annotations

import re
import unicodedata

from ctap.errors import UserError

CHART: dict[str, str] = {
    "vowel": "i y ɨ ʉ ɯ u ɪ ʏ ʊ e ø ɘ ɵ ɤ o ə ɛ œ ɜ ɞ ʌ ɔ æ ɐ a ɶ ɑ ɒ ɚ ɝ ᵻ ᵿ ɿ ʅ",
    "stop": "p b t d ʈ ɖ c ɟ k g ɡ q ɢ ʡ ʔ ɓ ɗ ʄ ɠ ʛ ᶑ ʘ ǀ ǃ ǂ ǁ",
    "affricate": "ʦ ʣ ʧ ʤ ʨ ʥ",
    "fricative": "ɸ β f v θ ð s z ʃ ʒ ʂ ʐ ç ʝ x ɣ χ ʁ ħ ʕ h ɦ ɬ ɮ ɕ ʑ ʜ ʢ ɧ",
    "nasal": "m ɱ n ɳ ɲ ŋ ɴ",
    "lateral": "l ɭ ʎ ʟ ɫ",
    "trill": "r ʀ ʙ ɾ ɽ ɺ ⱱ",
    "approximant": "ʋ ɹ ɻ j ɰ w ɥ ʍ",
}
"""Manner class to its letters; taps count as trills, clicks and implosives as stops."""

CLASS_OF = {letter: kind for kind, letters in CHART.items() for letter in letters.split()}
STRESS = "ˈˌ"
_MARKED = re.compile(rf"^([{STRESS}]*)(.*?)(\d*)$")


def letters(phone: str) -> str:
    """The letters of a phone without diacritics, length, stress and tone.

    >>> letters("ˈt̪ʰ"), letters("ɯᵝ"), letters("ai35")
    ('t', 'ɯ', 'ai')
    """
    apart = unicodedata.normalize("NFD", phone.replace("ç", "\0"))
    kept = (c for c in apart if c == "\0" or unicodedata.category(c) in ("Ll", "Lo"))
    return "".join(kept).replace("\0", "ç")


def base(phone: str) -> str:
    """``phone`` without the marks of stress before it and the digits of tone after it.

    >>> base("ˈoʊ"), base("ai35")
    ('oʊ', 'ai')
    """
    match = _MARKED.match(phone)
    return match[2] if match and match[2] else phone


def class_of(phone: str) -> str:
    """Manner class of ``phone``, one of the keys of :data:`CHART`.

    >>> class_of("ˈaɪ"), class_of("t"), class_of("tʃ"), class_of("ŋ̍")
    ('vowel', 'stop', 'affricate', 'nasal')

    Raises:
        UserError: it does not start with a letter of the chart.
    """
    found = letters(phone)
    kinds = [CLASS_OF.get(letter, "") for letter in found[:2]]
    if not kinds or not kinds[0]:
        raise UserError(
            f"phone {phone!r}: {found[:1] or phone!r} is not a letter of the IPA chart (ctap.text.ipa)"
        )
    return "affricate" if kinds == ["stop", "fricative"] else kinds[0]
