"""Is the difference between two systems real? Both are scored on the same utterances, and compared in pairs.

A figure is a ratio of sums over utterances (:class:`Items`): errors over reference length for an error rate,
and the value over 1 for a mean. Two questions, two answers:

- how large is the difference: interval by the paired bootstrap (Efron and Tibshirani, 1993; for error rates
  Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", 2004);
- could it be chance: p-value of the sign-flip permutation test, which swaps the two systems' results of an
  utterance at random (Pitman, 1937; Noreen, "Computer-intensive methods for testing hypotheses", 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ctap.errors import UserError
from ctap.metrics.intervals import Interval, ends

__all__ = ["Comparison", "Items", "compare"]

_CELLS = 1 << 22  # drawn indices held at a time

Items = Mapping[str, tuple[float, float]]
"""Utterance -> numerator and denominator of its share in a figure."""


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same utterances.

    Attributes:
        a: figure of system A over the shared utterances.
        b: figure of system B.
        difference: A less B with its 95% interval; ``n`` is the number of utterances.
        p_value: two-sided; how often random swaps of the two systems give a difference at least as large.
        speakers: number of speakers averaged over; 0 if utterances were pooled.
    """

    a: float
    b: float
    difference: Interval
    p_value: float
    speakers: int = 0

    def verdict(self, better: str, alpha: float = 0.05) -> str:
        """``"A"`` or ``"B"``, whichever is better; ``"neither"`` if the difference may be chance.

        Args:
            better: ``"higher"`` or ``"lower"``; for ``"neither"`` there is no better one.
            alpha: level that the p-value has to fall below.
        """
        if better not in ("higher", "lower") or not self.p_value < alpha:
            return "neither"
        return "A" if (self.difference.value > 0) == (better == "higher") else "B"


class _Pairs(NamedTuple):
    """Numerators and denominators of both systems, utterances of one speaker: each ``[n]``."""

    top_a: np.ndarray
    bottom_a: np.ndarray
    top_b: np.ndarray
    bottom_b: np.ndarray


def compare(
    a: Items,
    b: Items,
    *,
    speakers: Mapping[str, str] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Figure of A less that of B.

    Args:
        a: of system A; utterances that are not in both are left out, as are those with a NaN in either.
        b: of system B.
        speakers: utterance -> speaker. With it every speaker counts alike (section 3.3 of the paper has so
            many sentences per speaker): the figure is the mean over speakers of each one's own, and the
            bootstrap draws speakers, then utterances of each drawn speaker. The interval then speaks of
            other speakers of this kind, the p-value of these. Few speakers give a rough interval.
        resamples: draws of the bootstrap, and swaps of the permutation test; with at most that many ways to
            swap all are tried, and the p-value is exact.
        seed: of both.

    Raises:
        UserError: no utterance in common, or one without a speaker.
        ValueError: fewer than one resample.
    """
    if resamples < 1:
        raise ValueError(f"resamples {resamples}: expected 1 or more")
    groups = _groups(a, b, speakers)
    observed = np.mean([_figures(pairs) for pairs in groups], axis=0)
    value = float(observed[0] - observed[1])
    n = sum(len(pairs.top_a) for pairs in groups)
    generator = np.random.default_rng(seed)
    low, high = ends(_bootstrap(groups, resamples, generator))
    if n == 1:  # all draws of a single utterance are alike
        low = high = np.nan
    return Comparison(
        float(observed[0]),
        float(observed[1]),
        Interval(value, low, high, n),
        _sign_flip(groups, value, resamples, generator),
        len(groups) if speakers is not None else 0,
    )


def _groups(a: Items, b: Items, speakers: Mapping[str, str] | None) -> list[_Pairs]:
    """What is compared, by speaker; all of it in one group without speakers."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for utt in sorted(set(a) & set(b)):
        row = (*a[utt], *b[utt])
        if not np.isfinite(row).all():
            continue
        if speakers is not None and utt not in speakers:
            raise UserError(f"utterance {utt} has no speaker in utt2spk")
        rows.setdefault("" if speakers is None else speakers[utt], []).append(row)
    if not rows:
        examples = f"{next(iter(a), 'none')} and {next(iter(b), 'none')}"
        raise UserError(f"the two systems have no scored utterance in common (for example {examples})")
    return [_Pairs(*np.array(found, dtype=np.float64).T) for _, found in sorted(rows.items())]


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return top / bottom


def _figures(pairs: _Pairs) -> tuple[float, float]:
    sums = [column.sum() for column in pairs]
    return float(_ratio(sums[0], sums[1])), float(_ratio(sums[2], sums[3]))


def _bootstrap(groups: list[_Pairs], resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Differences ``[resamples]`` of drawn speakers and utterances, NaN where they are not defined."""
    count = len(groups)
    found = np.empty((resamples, count))
    chosen = generator.integers(0, count, (resamples, count))
    for k, pairs in enumerate(groups):
        places = np.argwhere(chosen == k)
        n = len(pairs.top_a)
        step = max(1, _CELLS // n)
        for start in range(0, len(places), step):
            here = places[start : start + step]
            index = generator.integers(0, n, (len(here), n))
            top_a, bottom_a, top_b, bottom_b = (column[index].sum(axis=1) for column in pairs)
            found[here[:, 0], here[:, 1]] = _ratio(top_a, bottom_a) - _ratio(top_b, bottom_b)
    return found.mean(axis=1)


def _sign_flip(
    groups: list[_Pairs], observed: float, resamples: int, generator: np.random.Generator
) -> float:
    """Share of swaps that give at least the observed difference, either way."""
    if not np.isfinite(observed):
        return float("nan")
    sizes = [len(pairs.top_a) for pairs in groups]
    n = sum(sizes)
    exact = 2**n <= resamples  # the swap of nothing is then among them
    trials = 2**n if exact else resamples
    step = max(1, _CELLS // n)
    threshold = abs(observed) - 1e-9 * max(
        1.0, abs(observed)
    )  # sums in another order differ in the last digits
    at_least = 0
    for start in range(0, trials, step):
        stop = min(start + step, trials)
        if exact:
            swaps = (np.arange(start, stop)[:, None] >> np.arange(n)) & 1
        else:
            swaps = generator.integers(0, 2, (stop - start, n), dtype=np.int8)
        difference = np.zeros(stop - start)
        for pairs, part in zip(groups, np.split(swaps, np.cumsum(sizes)[:-1], axis=1), strict=True):
            moved = part.astype(np.float64)
            top = moved @ (pairs.top_b - pairs.top_a)
            bottom = moved @ (pairs.bottom_b - pairs.bottom_a)
            difference += _ratio(pairs.top_a.sum() + top, pairs.bottom_a.sum() + bottom)
            difference -= _ratio(pairs.top_b.sum() - top, pairs.bottom_b.sum() - bottom)
        at_least += int((np.abs(difference / len(groups)) >= threshold).sum())
    return at_least / trials if exact else (1 + at_least) / (1 + trials)
