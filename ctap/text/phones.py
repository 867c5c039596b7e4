"""The phone inventory: initials and toned finals of Mandarin, one fixed list for every corpus.

A token table is built from this list and never from a corpus, so a model trained on one corpus reads the
phones of any other. The analysis is the traditional one of initials (sheng1 mu3) and finals (yun4 mu3):
a final after z, c, s is ``ii`` and after zh, ch, sh, r ``iii`` where the spelling writes ``i``; finals of
syllables without an initial carry no ``y`` or ``w`` (``yan`` is ``ian``, ``wo`` is ``uo``); ``ü`` is ``v``.
The tone, 1 to 5 (5 neutral), is the last character of the final. ``rr`` is the rhotic ending of erhua.
Syllabic nasals (the interjections m, n, ng) are finals whose tone tells them from the initials m and n.

Pauses are ``sil`` (the ends of an utterance) and ``sp`` (inside it).
"""

from __future__ import annotations

from ctap.errors import UserError
from ctap.text.pauses import PAUSES


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split())


INITIALS: tuple[str, ...] = _split("b p m f d t n l g k h j q x zh ch sh r z c s")
FINALS: tuple[str, ...] = _split(
    "a o e ê ai ei ao ou an en ang eng ong "
    "i ii iii ia ie iao iou ian in iang ing iong io "
    "u ua uo uai uei uan uen uang ueng "
    "v ve van vn er"
)
SYLLABIC_NASALS: tuple[str, ...] = ("m", "n", "ng")
ERHUA = "rr"
TONES: tuple[str, ...] = ("1", "2", "3", "4", "5")

PHONES: tuple[str, ...] = (
    *PAUSES,
    *INITIALS,
    *(final + tone for final in (*FINALS, *SYLLABIC_NASALS) for tone in TONES),
    ERHUA,
)
"""Every phone, in the order of the token table. Entries may be added at the end, never moved."""

_CLASS = {
    **dict.fromkeys(PAUSES, "pause"),
    **dict.fromkeys(("b", "p", "d", "t", "g", "k"), "stop"),
    **dict.fromkeys(("j", "q", "zh", "ch", "z", "c"), "affricate"),
    **dict.fromkeys(("f", "h", "x", "sh", "s"), "fricative"),
    **dict.fromkeys(SYLLABIC_NASALS, "nasal"),
    "l": "lateral",
    "r": "approximant",
    **dict.fromkeys(FINALS, "vowel"),
    ERHUA: "vowel",
}
_KNOWN = frozenset(PHONES)


def is_phone(phone: str) -> bool:
    """Whether ``phone`` is of the inventory (pauses included)."""
    return phone in _KNOWN


def base(phone: str) -> str:
    """``phone`` without its tone: ``ian3`` gives ``ian``; initials, pauses and ``rr`` stay as they are."""
    return phone[:-1] if phone[-1:] in TONES else phone


def phone_class(phone: str) -> str:
    """Manner class of ``phone``, such as ``stop``; finals count as ``vowel``, nasal coda or not.

    Raises:
        UserError: if ``phone`` is not of the inventory.
    """
    if phone not in _KNOWN:
        raise UserError(f"unknown phone {phone!r}: not in the inventory of ctap.text.phones")
    return _CLASS[base(phone)]
