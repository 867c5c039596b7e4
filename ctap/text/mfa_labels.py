"""Our phones in the IPA of MFA's Mandarin models.

MFA's ``mandarin_mfa`` writes a final as one to three segments (``ian`` is ``j e n``), with the tone as tone
letters on the vowel, and marks palatal and labial colour on consonants (``tʲ``, ``kʷ``). The tables hold what
each of our phones may look like there without tone and colour; a glide may be missing (it is heard as the
colour of the consonant).
"""

from __future__ import annotations

import functools
import unicodedata

from ctap.text.phones import base

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n ɲ", "l": "l", "g": "k", "k": "kʰ",
    "h": "x h χ", "j": "tɕ", "q": "tɕʰ", "x": "ɕ", "zh": "ʈʂ tʂ", "ch": "ʈʂʰ tʂʰ", "sh": "ʂ", "r": "ʐ ɻ ɹ",
    "z": "ts", "c": "tsʰ", "s": "s",
}  # fmt: skip

# Vowels after folding: ɑ is a, ɛ is e, ɤ and ɚ are ə, ɔ is o, ʊ is u.
_FINALS = {
    "a": "a", "o": "o|w o", "e": "ə", "ê": "e", "ai": "aj", "ei": "ej", "ao": "aw", "ou": "ow", "an": "a n",
    "en": "ə n", "ang": "a ŋ", "eng": "ə ŋ", "ong": "o ŋ|u ŋ|w o ŋ",
    "i": "i|j i", "ii": "z̩|ɹ̩|ɿ|i", "iii": "ʐ̩|ɻ̩|ʅ|i",
    "ia": "j a", "ie": "j e", "iao": "j aw", "iou": "j ow", "ian": "j e n|j a n", "in": "i n|j i n",
    "iang": "j a ŋ", "ing": "i ŋ|j i ŋ|j ə ŋ|i ə ŋ", "iong": "j o ŋ|j u ŋ|ɥ o ŋ|y ŋ", "io": "j o",
    "u": "u|w u", "ua": "w a", "uo": "w o", "uai": "w aj", "uei": "w ej", "uan": "w a n", "uen": "w ə n",
    "uang": "w a ŋ", "ueng": "w ə ŋ|w o ŋ",
    "v": "y|ɥ y", "ve": "ɥ e", "van": "ɥ e n|ɥ a n", "vn": "y n|ɥ i n|ɥ y n", "er": "ə ɻ|a ɻ|ə|aɻ|əɻ|ə ɹ|a ɹ",
    "m": "m|m̩", "n": "n|n̩", "ng": "ŋ|ŋ̩",
}  # fmt: skip
_ERHUA = ("ɻ", "ɹ", "ɚ", "ə", "r")

_FOLD = str.maketrans({"ɑ": "a", "ɛ": "e", "ɤ": "ə", "ɚ": "ə", "ɔ": "o", "ʊ": "u", "ɡ": "g"})
_GLIDES = ("j", "w", "ɥ")
_TONES = "˥˦˧˨˩0123456"


def plain(label: str) -> str:
    """A label without tone and colour, in one form: ``a˥˩`` is ``a``, ``tʲ`` is ``t``, ``AI4`` is ``ai``."""
    text = unicodedata.normalize("NFD", label.strip())
    lower = text.lower() if text.isascii() else text
    text = "".join(c for c in lower if c not in _TONES and c not in "ʲʷːˑ͡\u0303\u031a\u032a")
    return unicodedata.normalize("NFC", text.translate(_FOLD))


@functools.cache
def ipa_ways(phone: str) -> tuple[tuple[str, ...], ...]:
    """The sequences of segments, in plain form, that ``phone`` may be written with; longer ones first."""
    if phone == "rr":
        return tuple(sorted({(plain(label),) for label in _ERHUA}))
    unit = base(phone)
    if unit == phone and unit in _INITIALS:
        return tuple(sorted({(plain(label),) for label in _INITIALS[unit].split()}))
    ways = {tuple(plain(label) for label in way.split()) for way in _FINALS.get(unit, "").split("|") if way}
    without_glide = {way[1:] for way in ways if len(way) > 1 and way[0] in _GLIDES}
    split = {way[:-1] + tuple(way[-1]) for way in ways if way and way[-1] in ("aj", "ej", "aw", "ow")}
    split |= {w[1:] for w in split if len(w) > 2 and w[0] in _GLIDES}
    vowels = {tuple({"j": "i", "w": "u"}.get(s, s) if i else s for i, s in enumerate(w)) for w in split}
    return tuple(sorted(ways | without_glide | split | vowels, key=lambda way: (-len(way), way)))


IPA_SEGMENTS = frozenset(
    segment
    for phone in (*_INITIALS, *(final + "1" for final in _FINALS), "rr")
    for way in ipa_ways(phone)
    for segment in way
)
"""Every segment that the tables know, in plain form."""
