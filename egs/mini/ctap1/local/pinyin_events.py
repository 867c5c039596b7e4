"""Which eSpeak NG phonemes say which Mandarin phone, and where the phones of an utterance lie."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ctap.text.espeak import Phoneme

INITIAL_MNEMONICS = {
    "b": "p", "p": "ph", "m": "m", "f": "f", "d": "t", "t": "th", "n": "n", "l": "l", "g": "k", "k": "kh",
    "h": "X", "j": "tS;", "q": "tS;h", "x": "S;", "zh": "ts.", "ch": "ts.h", "sh": "s.", "r": "z.",
    "z": "ts", "c": "tsh", "s": "s",
}  # fmt: skip
# Finals differ with the initial before them (bie, ye; gun, hun, shun, wen; ...).
FINAL_MNEMONICS = {
    final: tuple(tuple(way.split()) for way in ways.split("|"))
    for final, ways in {
        "a": "A", "o": "o", "e": "o-|@", "ai": "ai", "ei": "ei", "ao": "Au", "ou": "ou", "an": "a n",
        "en": "@ n", "ang": "A N", "eng": "@ N", "ong": "ong", "i": "i|j i", "ii": "i[", "iii": "i.",
        "ia": "iA|j iA",
        "ie": "iE|j iE", "iao": "j Au", "iou": "iou|j iou", "ian": "iE n|j iE n", "in": "i n|j i n",
        "iang": "iA N|j iA N", "ing": "i N|j i N", "iong": "j ong", "io": "j io", "u": "u|w u", "ua": "w A",
        "uo": "uo|w o", "uai": "uai|w ai", "uei": "uei|w ei", "uan": "ua n|w a n|w A n",
        "uen": "u@ n|w u@ n|w o- n", "uang": "w A N", "ueng": "w u@ N", "v": "y|j y", "ve": "yE|j yE",
        "van": "y& n|j y& n", "vn": "y@ n|j y@ n|yi n", "er": "@r",
    }.items()
}  # fmt: skip
_CLOSED = frozenset(("b", "p", "d", "t", "g", "k", "j", "q", "zh", "ch", "z", "c"))
SHORTEST_CLOSURE = 0.010
LONGEST_GAP = 0.060


class NotSaid(ValueError):  # noqa: N818 - it tells of the text, not of a fault
    """The library says something else than the phones asked for."""


@dataclass
class Span:
    """Part of a phone: samples ``[start, end)``; ``index`` counts the utterance's phones, pauses included."""

    phone: str
    index: int
    mnemonic: str
    start: int
    end: int


def ways_to_say(phone: str) -> tuple[tuple[str, ...], ...]:
    """The sequences of mnemonics that are right for a phone; none if the library can't say it."""
    if phone in INITIAL_MNEMONICS:
        return ((INITIAL_MNEMONICS[phone],),)
    return FINAL_MNEMONICS.get(phone.rstrip("12345"), ())


def match(phones: list[str], mnemonics: list[str]) -> list[int]:
    """For each mnemonic (no pauses) the index of the phone it belongs to.

    Raises:
        NotSaid: they do not say these phones.
    """
    owner: list[int] = []
    for index, phone in enumerate(phones):
        rest = mnemonics[len(owner) :]
        fitting = [way for way in ways_to_say(phone) if tuple(rest[: len(way)]) == way]
        if not fitting:
            raise NotSaid(f"{phone} is said as {' '.join(rest[:3]) or 'nothing'}")
        owner += [index] * len(max(fitting, key=len))
    if len(owner) != len(mnemonics):
        raise NotSaid(f"{' '.join(mnemonics[len(owner) :])} is said beyond the end")
    return owner


def locate(phones: list[str], wave: np.ndarray, events: list[Phoneme], sample_rate: int) -> list[Span]:
    """Where the phones of an utterance lie.

    Conventions: silence before the first sound and after the last is ``sil``, inside ``sp``. The closure
    before a stop or an affricate is exact silence that the library counts to the vowel before, or marks as
    a gap between words; here it belongs to the stop, as phoneticians have it, and so do the library's gaps of
    up to 60 ms between words belong to the sound after them. A stop after a pause has no closure of its own
    but the faint hum of 20 to 45 ms that the library plays before the burst; the event starts with the hum.

    Args:
        phones: what was asked for, without pauses.
        wave: ``[N]`` the samples.
        events: the library's phonemes and pauses.
        sample_rate: Hz.

    Returns:
        Adjoining spans from 0 to ``N``.

    Raises:
        NotSaid: the library said something else.
    """
    sounds = [event for event in events if not event.is_pause and event.end > event.start]
    owner = match(phones, [event.mnemonic for event in sounds])
    spans = [Span("sil", 0, "_", 0, sounds[0].start)]
    for k, (event, phone) in enumerate(zip(sounds, owner, strict=True)):
        end_of_last = sounds[k - 1].end if k else event.start
        gap = event.start - end_of_last
        index = spans[-1].index + (k == 0 or owner[k - 1] != phone)
        if gap > LONGEST_GAP * sample_rate:
            spans.append(Span("sp", index, "_", end_of_last, event.start))
            index += 1
        elif k and owner[k - 1] != phone:
            silent = trailing_silence(wave[spans[-1].start : event.start]) if phones[phone] in _CLOSED else 0
            start = event.start - (silent if silent >= SHORTEST_CLOSURE * sample_rate else gap)
            if start < event.start:
                spans[-1].end = start
                spans.append(Span(phones[phone], index, "_", start, event.start))
        spans.append(Span(phones[phone], index, event.mnemonic, event.start, event.end))
    spans.append(Span("sil", spans[-1].index + 1, "_", spans[-1].end, len(wave)))
    for left, right in itertools.pairwise(spans):
        if left.end != right.start or left.end < left.start:
            raise NotSaid(f"events do not adjoin at sample {left.end}")
    return spans


def trailing_silence(wave: np.ndarray) -> int:
    loud = np.flatnonzero(wave)
    return len(wave) - (int(loud[-1]) + 1 if len(loud) else 0)
