"""Alignments to look at: utterances or single phones that do not sound like the text, implausible lengths."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctap.align.alignment import Alignment
from ctap.files.figures import Figures, figures
from ctap.text.language import Language
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


@dataclass(frozen=True)
class Usual:
    """What is usual in many alignments.

    Attributes:
        base: a phone without tone or stress.
        score: median of the utterances' scores, and the lowest that is not an outlier.
        confidence: the same of all phones' confidence.
        lengths: base phone to the median of its frames.
    """

    base: Callable[[str], str]
    score: tuple[float, float]
    confidence: tuple[float, float]
    lengths: Mapping[str, float]

    @classmethod
    def of(cls, alignments: Iterable[Alignment], language: Language, folder: Path | None = None) -> Usual:
        """Learn it in one pass; four bytes for each phone wait in a file in ``folder``."""
        base = language.base
        frames: Counter[tuple[str, int]] = Counter()
        with figures(folder, "d") as scores, figures(folder, "f") as confidence:
            for found in alignments:
                scores.add([found.score])
                frames.update(zip(found.phones, found.durations, strict=True))
                sure = zip(found.phones, found.confidence, strict=True)
                confidence.add(value for phone, value in sure if phone not in PAUSES)
            return cls(
                base,
                _lowest(scores, SCORE_DEVIATIONS, LEAST_DEVIATION[0]),
                _lowest(confidence, PHONE_DEVIATIONS, LEAST_DEVIATION[1]),
                _medians(frames, base),
            )

    def outliers(self, utterance: str, alignment: Alignment) -> Iterator[Outlier]:
        """What is odd in one of them.

        An utterance is doubtful if its score lies far below the others', or half of its phones got no more
        than two frames; a single phone if its confidence lies far below that of all phones, or it is far
        longer than its kind.
        """
        if alignment.score < self.score[1]:
            detail = f"score {alignment.score:.2f}, median {self.score[0]:.2f}"
            yield Outlier(utterance, "low-score", detail, True)
        spoken = [d for p, d in zip(alignment.phones, alignment.durations, strict=True) if p not in PAUSES]
        short = sum(d <= 2 for d in spoken)
        if len(spoken) >= 4 and short > len(spoken) / 2:
            yield Outlier(utterance, "squeezed", f"{short} of {len(spoken)} phones in 1-2 frames", True)
        middle, lowest = self.confidence
        at = 0
        for phone, frames, sure in alignment.with_confidence():
            if phone not in PAUSES and sure < lowest:
                detail = f"{phone} of {frames} frames from frame {at}: {sure:.2f}, median {middle:.2f}"
                yield Outlier(utterance, "low-phone", detail, False)
            usual = self.lengths.get(self.base(phone), 0)
            limit = LONGEST_PAUSE if phone == "sp" else max(LONGEST_PHONE, 8 * usual)
            if phone != "sil" and frames > limit:
                reason = "long-pause" if phone == "sp" else "long-phone"
                yield Outlier(utterance, reason, f"{phone} of {frames} frames from frame {at}", False)
            at += frames


def _lowest(values: Figures, deviations: float, least: float) -> tuple[float, float]:
    """The median, and what lies so many robust standard deviations below it."""
    middle = values.median()
    deviation = 1.4826 * values.median(around=middle)
    return middle, middle - deviations * max(deviation, least)


def _medians(frames: Mapping[tuple[str, int], int], base: Callable[[str], str]) -> dict[str, float]:
    """Base phone to the median of its frames; ``frames`` says how often a phone has how many."""
    lengths: dict[str, Counter[int]] = {}
    for (phone, length), count in frames.items():
        if phone not in PAUSES:
            lengths.setdefault(base(phone), Counter())[length] += count
    return {phone: _median(counts) for phone, counts in lengths.items()}


def _median(counts: Counter[int]) -> float:
    """Of numbers, each of which is there so many times."""
    numbers, total = sorted(counts), counts.total()
    upto = list(itertools.accumulate(counts[number] for number in numbers))
    low, high = (numbers[bisect.bisect(upto, place)] for place in ((total - 1) // 2, total // 2))
    return (low + high) / 2
