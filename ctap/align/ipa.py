"""Labels of other aligners as our phones: pinyin in its spellings, and the IPA of MFA's Mandarin models.

MFA's ``mandarin_mfa`` writes a final as one to three segments (``ian`` is ``j e n``), with the tone as tone
letters on the vowel, and marks palatal and labial colour on consonants (``tʲ``, ``kʷ``). The tables hold what
each of our phones may look like there without tone and colour; a glide may be missing (it is heard as the
colour of the consonant).
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence

from ctap.text.phones import base

SILENCES = frozenset(("", "sil", "sp", "<sil>", "<eps>", "pau", "#", "silence"))
UNKNOWN = frozenset(("spn", "<unk>", "unk", "noise", "nsn"))

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

_SPELLINGS = {
    "iu": "iou",
    "ui": "uei",
    "un": "uen",
    "ue": "ve",
    "uong": "ong",
    "eh": "ê",
    "ix": "iii",
    "iy": "ii",
}
_FOLD = str.maketrans({"ɑ": "a", "ɛ": "e", "ɤ": "ə", "ɚ": "ə", "ɔ": "o", "ʊ": "u", "ɡ": "g", "g": "g"})
_GLIDES = ("j", "w", "ɥ")
_TONES = "˥˦˧˨˩0123456"


def plain(label: str) -> str:
    """A label without tone and colour, in one form: ``a˥˩`` is ``a``, ``tʲ`` is ``t``, ``AI4`` is ``ai``."""
    text = unicodedata.normalize("NFD", label.strip())
    lower = text.lower() if text.isascii() else text
    text = "".join(c for c in lower if c not in _TONES and c not in "ʲʷːˑ͡\u0303\u031a\u032a")
    return unicodedata.normalize("NFC", text.translate(_FOLD))


def _ipa(phone: str) -> set[tuple[str, ...]]:
    if phone == "rr":
        return {(plain(label),) for label in _ERHUA}
    unit = base(phone)
    if unit == phone and unit in _INITIALS:
        return {(plain(label),) for label in _INITIALS[unit].split()}
    ways = {tuple(plain(label) for label in way.split()) for way in _FINALS.get(unit, "").split("|") if way}
    without_glide = {way[1:] for way in ways if len(way) > 1 and way[0] in _GLIDES}
    split = {way[:-1] + tuple(way[-1]) for way in ways if way and way[-1] in ("aj", "ej", "aw", "ow")}
    split |= {w[1:] for w in split if len(w) > 2 and w[0] in _GLIDES}
    vowels = {tuple({"j": "i", "w": "u"}.get(s, s) if i else s for i, s in enumerate(w)) for w in split}
    return ways | without_glide | split | vowels


def known_labels() -> set[str]:
    """Every IPA segment that the tables know, in plain form."""
    phones = [*_INITIALS, *(final + "1" for final in _FINALS), "rr"]
    return {segment for phone in phones for way in _ipa(phone) for segment in way}


def _is_spelling(label: str, phone: str) -> bool:
    """Whether ``label`` is ``phone`` in pinyin, in either case; dictionaries differ in tones."""
    written = unicodedata.normalize("NFC", label.strip().lower()).replace("ü", "v").replace("u:", "v")
    if written == phone:
        return True
    letters = written.rstrip("0123456")
    unit = base(phone)
    if letters == "i" and unit in ("ii", "iii"):
        return True
    if letters in ("ve", "van", "vn") and unit == letters:
        return True
    return _SPELLINGS.get(letters, letters) == unit


def match_labels(labels: Sequence[str], phones: Sequence[str]) -> list[int] | None:
    """Find which labels make up which phones.

    Args:
        labels: of another aligner, silences left out.
        phones: ours, pauses left out.

    Returns:
        How many labels each phone takes (each at least one), or ``None`` if they don't fit. Of several
        ways the one that uses pinyin spellings, then more labels early, is taken.
    """
    forms = [plain(label) for label in labels]
    # reachable[i]: for labels used so far, how many the last phone took.
    reachable: list[dict[int, int]] = [{0: 0}]
    for phone in phones:
        ways = _ipa(phone)
        here: dict[int, int] = {}
        for used in reachable[-1]:
            if used < len(labels) and _is_spelling(labels[used], phone):
                here.setdefault(used + 1, 1)
            for way in sorted(ways, key=len, reverse=True):
                if tuple(forms[used : used + len(way)]) == way:
                    here.setdefault(used + len(way), len(way))
        if not here:
            return None
        reachable.append(here)
    if len(labels) not in reachable[-1]:
        return None
    counts, at = [], len(labels)
    for step in reversed(reachable[1:]):
        counts.append(step[at])
        at -= step[at]
    return counts[::-1]


def unmapped(labels: Sequence[str]) -> list[str]:
    """Those of ``labels`` that are no silence, no pinyin phone and no IPA segment of the tables; sorted."""
    known = known_labels()
    spellings = {*_INITIALS, *_FINALS, *_SPELLINGS, "rr"}
    strange = []
    for label in set(labels):
        form = plain(label)
        pinyin = unicodedata.normalize("NFC", label.strip().lower()).replace("ü", "v").rstrip("0123456")
        if label.strip().lower() not in SILENCES and form not in known and pinyin not in spellings:
            strange.append(label)
    return sorted(strange)


def merge(spans: Sequence[tuple[float, float]], counts: Sequence[int]) -> list[tuple[float, float]]:
    """Join consecutive (start, end) spans: ``counts[i]`` of them make span ``i``."""
    edges = [0, *itertools.accumulate(counts)]
    return [(spans[a][0], spans[b - 1][1]) for a, b in itertools.pairwise(edges)]
