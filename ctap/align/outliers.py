"""Alignments to look at: utterances or single phones that do not sound like the text, implausible lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ctap.align.alignment import Alignment
from ctap.text.language import Language
from ctap.text.languages import older
from ctap.text.pauses import PAUSES

SCORE_DEVIATIONS = 6.0  # robust standard deviations below the median
PHONE_DEVIATIONS = 8.0  # the same for a single phone: a wrong reading, a swallowed syllable
LEAST_DEVIATION = 0.05, 0.25  # of utterances, of phones: where all are nearly alike, the rest are no outliers
LONGEST_PHONE = 80  # frames; a sung or drawled final can last that long, a consonant never
LONGEST_PAUSE = 150


@dataclass(frozen=True)
class Outlier:
    """Something to look at.

    Attributes:
        utterance: where.
        reason: ``low-score``, ``squeezed``, ``low-phone``, ``long-phone`` or ``long-pause``.
        detail: the figures.
        whole_utterance: the utterance as a whole is doubtful, not one phone of it.
    """

    utterance: str
    reason: str
    detail: str
    whole_utterance: bool


def find_outliers(alignments: Mapping[str, Alignment], language: Language | None = None) -> list[Outlier]:
    """All outliers of phones of ``language``, sorted by utterance.

    An utterance is doubtful if its score lies far below the others', or half of its phones got no more than
    two frames; a single phone if its confidence lies far below that of all phones, or it is far longer than
    its kind.
    """
    middle, lowest = _lowest([a.score for a in alignments.values()], SCORE_DEVIATIONS, LEAST_DEVIATION[0])
    middle_phone, lowest_phone = _lowest(
        [
            sure
            for alignment in alignments.values()
            for phone, sure in zip(alignment.phones, alignment.confidence, strict=True)
            if phone not in PAUSES
        ],
        PHONE_DEVIATIONS,
        LEAST_DEVIATION[1],
    )
    found = []
    base = (language or older()).base
    typical = _typical_lengths(alignments, base)
    for utterance, alignment in sorted(alignments.items()):
        if alignment.score < lowest:
            detail = f"score {alignment.score:.2f}, median {middle:.2f}"
            found.append(Outlier(utterance, "low-score", detail, True))
        spoken = [d for p, d in zip(alignment.phones, alignment.durations, strict=True) if p not in PAUSES]
        short = sum(d <= 2 for d in spoken)
        if len(spoken) >= 4 and short > len(spoken) / 2:
            found.append(
                Outlier(utterance, "squeezed", f"{short} of {len(spoken)} phones in 1-2 frames", True)
            )
        at = 0
        for phone, frames, sure in zip(
            alignment.phones, alignment.durations, alignment.confidence, strict=True
        ):
            if phone not in PAUSES and sure < lowest_phone:
                detail = f"{phone} of {frames} frames from frame {at}: {sure:.2f}, median {middle_phone:.2f}"
                found.append(Outlier(utterance, "low-phone", detail, False))
            limit = LONGEST_PAUSE if phone == "sp" else max(LONGEST_PHONE, 8 * typical.get(base(phone), 0))
            if phone != "sil" and frames > limit:
                reason = "long-pause" if phone == "sp" else "long-phone"
                found.append(Outlier(utterance, reason, f"{phone} of {frames} frames from frame {at}", False))
            at += frames
    return found


def _lowest(values: Sequence[float], deviations: float, least: float) -> tuple[float, float]:
    """The median, and what lies so many robust standard deviations below it."""
    middle = float(np.median(values))
    deviation = 1.4826 * float(np.median(np.abs(np.array(values) - middle)))
    return middle, middle - deviations * max(deviation, least)


def _typical_lengths(alignments: Mapping[str, Alignment], base: Callable[[str], str]) -> dict[str, float]:
    lengths: dict[str, list[int]] = {}
    for alignment in alignments.values():
        for phone, frames in zip(alignment.phones, alignment.durations, strict=True):
            if phone not in PAUSES:
                lengths.setdefault(base(phone), []).append(frames)
    return {phone: float(np.median(values)) for phone, values in lengths.items()}
