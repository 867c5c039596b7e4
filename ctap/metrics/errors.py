"""Error rates of token sequences, and frame accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from ctap.metrics.intervals import Interval, bootstrap_ratio
from ctap.metrics.results import Metric
from ctap.text.pauses import PAUSES

__all__ = [
    "NOTHING",
    "RECOGNITION",
    "ErrorRate",
    "collapse",
    "error_rate",
    "frame_accuracy",
    "metrics_of_rates",
]

RECOGNITION = "recognition.json"
"""How phones were found, beside those that were recognised."""

NOTHING = "⁇"
"""Text of a silent recording: tables have no empty values, and this is sentencepiece's unknown sign."""


@dataclass(frozen=True)
class ErrorRate:
    """(substitutions + insertions + deletions) / reference length, over all utterances.

    Attributes:
        rate: the error rate; may exceed 1; NaN if the references are empty.
        utterances: number of utterances.
        per_utterance: ``[utterances, 2]`` errors and reference length of each.
        names: of the utterances, if they were given.
    """

    rate: float
    utterances: int
    per_utterance: np.ndarray = field(repr=False, compare=False)
    names: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def items(self) -> dict[str, tuple[float, float]]:
        """Errors and reference length of each named utterance (:class:`ctap.metrics.results.Metric`)."""
        pairs = self.per_utterance[: len(self.names)].astype(float)
        return {name: (top, bottom) for name, (top, bottom) in zip(self.names, pairs.tolist(), strict=True)}

    def interval(self, **options: Any) -> Interval:
        """Bootstrap interval of the rate (:func:`ctap.metrics.intervals.bootstrap_ratio`)."""
        return bootstrap_ratio(self.per_utterance[:, 0], self.per_utterance[:, 1], **options)


def error_rate(
    refs: Sequence[Sequence[str]], hyps: Sequence[Sequence[str]], names: Sequence[str] = ()
) -> ErrorRate:
    """Error rate of token sequences by least edit distance (jiwer).

    Args:
        refs: reference tokens of each utterance (phones, syllables, or characters: a plain string works).
        hyps: recognised tokens of each utterance, in the same order.
        names: of the utterances, for comparing systems utterance by utterance.

    Raises:
        ValueError: numbers of utterances that differ, or tokens that are empty or hold blanks.
    """
    import jiwer

    if len(refs) != len(hyps):
        raise ValueError(f"{len(refs)} references but {len(hyps)} hypotheses")
    if names and len(names) != len(refs):
        raise ValueError(f"{len(refs)} references but {len(names)} names")
    for name, sequences in (("reference", refs), ("hypothesis", hyps)):
        for i, tokens in enumerate(sequences):
            for token in tokens:
                if token.split() != [token]:
                    raise ValueError(f"{name} {i}: token {token!r} is empty or holds a blank")
    if not refs:
        return ErrorRate(float("nan"), 0, np.zeros((0, 2), dtype=int))
    output = jiwer.process_words([" ".join(r) for r in refs], [" ".join(h) for h in hyps])
    counts = np.zeros((len(refs), 2), dtype=int)
    for i, (reference, chunks) in enumerate(zip(refs, output.alignments, strict=True)):
        for chunk in chunks:
            if chunk.type != "equal":
                counts[i, 0] += max(
                    chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
                )
        counts[i, 1] = len(reference)
    errors, length = (int(total) for total in counts.sum(axis=0))
    rate = errors / length if length else float("nan")
    return ErrorRate(rate, len(refs), counts, tuple(names))


def collapse(frame_phones: Iterable[str]) -> list[str]:
    """Phones of a sequence of frame labels: repeats merged first, then pauses dropped.

    Two equal phones stay two if a pause lies between them, and become one if not; collapse the reference's
    frames as well, and both sides lose the same.
    """
    return [phone for phone, _ in groupby(frame_phones) if phone not in PAUSES]


def frame_accuracy(
    reference: Sequence[Any] | np.ndarray, hypothesis: Sequence[Any] | np.ndarray
) -> tuple[int, int]:
    """Frames labelled right, and all frames: sum both over utterances, then divide.

    Args:
        reference: labels ``[T]``.
        hypothesis: labels ``[T]``.

    Raises:
        ValueError: lengths that differ.
    """
    r, h = np.asarray(reference), np.asarray(hypothesis)
    if r.shape != h.shape or r.ndim != 1:
        raise ValueError(f"frame labels of shape {r.shape} and {h.shape}, expected [T] twice")
    return int((r == h).sum()), len(r)


def metrics_of_rates(
    rates: Mapping[str, ErrorRate],
    others: Mapping[str, Mapping[str, ErrorRate]],
    *,
    floor: Mapping[str, float] | None = None,
    note: str = "",
) -> dict[str, Metric]:
    """Error rates with their intervals, beside those of other versions of the utterances.

    Args:
        rates: the figures.
        others: name of a version -> its figures.
        floor: what else stands beside each of them.
        note: what is to be known of them.
    """
    return {
        key: Metric.of(
            rate.interval(),
            n=rate.utterances,
            better="lower",
            against={**(floor or {}), **{name: own[key].rate for name, own in others.items() if key in own}},
            note=note,
            items=rate.items,
        )
        for key, rate in rates.items()
    }
