"""Intervals of means by the percentile bootstrap (Efron and Tibshirani, 1993, chapter 13), and of shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

__all__ = [
    "BOOTSTRAP",
    "LEVEL",
    "Interval",
    "bootstrap_mean",
    "bootstrap_ratio",
    "bootstrap_strata",
    "ends",
    "interval_of_share",
]

LEVEL, RESAMPLES = 0.95, 2000
BOOTSTRAP = {"level": LEVEL, "resamples": RESAMPLES}
"""How the intervals of scores are made, for the record."""

_DRAWS = 1 << 22  # indices held at a time


class Interval(NamedTuple):
    """A figure with its interval and the number of items behind it."""

    value: float
    low: float
    high: float
    n: int


def bootstrap_mean(
    values: Sequence[float] | np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Mean of ``values`` with its interval.

    Args:
        values: one figure per utterance ``[n]``; NaN (an utterance without a figure) is left out and does
            not count in ``n``.
        resamples: how often to draw n items with replacement.
        seed: of the draws.

    Returns:
        The interval; all NaN if there is no value, and its ends if there is one.
    """
    values = np.asarray(values, dtype=np.float64).ravel()
    return bootstrap_ratio(values, np.ones_like(values), resamples=resamples, seed=seed)


def bootstrap_ratio(
    numerators: Sequence[float] | np.ndarray,
    denominators: Sequence[float] | np.ndarray,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Sum of ``numerators`` over sum of ``denominators`` (an error rate), utterances resampled.

    Args:
        numerators: e.g. errors per utterance ``[n]``.
        denominators: e.g. reference lengths ``[n]``.
        resamples: as in :func:`bootstrap_mean`.
        seed: as in :func:`bootstrap_mean`.
    """
    top = np.asarray(numerators, dtype=np.float64).ravel()
    bottom = np.asarray(denominators, dtype=np.float64).ravel()
    if top.shape != bottom.shape:
        raise ValueError(f"{top.size} numerators but {bottom.size} denominators")
    good = ~(np.isnan(top) | np.isnan(bottom))
    top, bottom = top[good], bottom[good]
    n = top.size
    if n == 0 or bottom.sum() == 0:
        return Interval(np.nan, np.nan, np.nan, int(n))
    value = float(top.sum() / bottom.sum())
    if n == 1:
        return Interval(value, np.nan, np.nan, 1)
    drawn = _resampled(top, bottom, resamples, np.random.default_rng(seed))
    return Interval(value, *ends(drawn), int(n))


def bootstrap_strata(
    strata: Sequence[Sequence[tuple[float, float]]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean over strata (speakers) of each one's ratio of sums, the utterances of each resampled.

    Args:
        strata: of each, the numerator and denominator of its utterances; NaN pairs are left out.
        resamples: as in :func:`bootstrap_mean`.
        seed: as in :func:`bootstrap_mean`.

    Returns:
        The interval; all NaN if a stratum has no utterance, and its ends if one has a single one.
    """
    tables, values, n = [], [], 0
    for pairs in strata:
        table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        table = table[np.isfinite(table).all(axis=1)]
        if not len(table) or table[:, 1].sum() == 0:
            return Interval(np.nan, np.nan, np.nan, n)
        n += len(table)
        tables.append(table)
        values.append(table[:, 0].sum() / table[:, 1].sum())
    value = float(np.mean(values))
    if any(len(table) == 1 for table in tables):  # drawn again, it would be sure of itself
        return Interval(value, np.nan, np.nan, n)
    generator, drawn = np.random.default_rng(seed), np.zeros(resamples)
    for top, bottom in (table.T for table in tables):
        drawn += _resampled(top, bottom, resamples, generator) / len(tables)
    return Interval(value, *ends(drawn), n)


def _resampled(
    top: np.ndarray, bottom: np.ndarray, resamples: int, generator: np.random.Generator
) -> np.ndarray:
    """Ratios ``[resamples]`` of the sums of n drawn pairs of ``top`` and ``bottom`` ``[n]``."""
    n, drawn = len(top), []
    chunk = max(1, _DRAWS // n)
    for start in range(0, resamples, chunk):
        index = generator.integers(0, n, (min(chunk, resamples - start), n))
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn.append(top[index].sum(axis=1) / bottom[index].sum(axis=1))
    return np.concatenate(drawn)


def ends(drawn: np.ndarray) -> tuple[float, float]:
    """Between which the share :data:`LEVEL` of the draws lies that are defined; NaN if none is."""
    drawn, tail = drawn[np.isfinite(drawn)], (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) else (np.nan, np.nan)
    return float(low), float(high)


def interval_of_share(strata: Sequence[Sequence[float]]) -> Interval:
    """Mean over strata (speakers) of the share of utterances of which something holds.

    The score interval of each (Wilson, 1927), put together as Zou and Donner (2008) do. Resampling would give
    a share of 0 or 1 no width, however few utterances are behind it.

    Args:
        strata: of each, 1 or 0 for every utterance.

    Returns:
        The interval; all NaN if a stratum has no utterance.
    """
    counts = [len(values) for values in strata]
    if not all(counts) or not counts:
        return Interval(np.nan, np.nan, np.nan, sum(counts))
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    shares, below, above = [], 0.0, 0.0
    for values, n in zip(strata, counts, strict=True):
        share = sum(values) / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        shares.append(share)
        below += (share - max(0.0, min(share, centre - half))) ** 2
        above += (min(1.0, max(share, centre + half)) - share) ** 2
    value = sum(shares) / len(shares)
    low, high = value - math.sqrt(below) / len(shares), value + math.sqrt(above) / len(shares)
    return Interval(value, low, high, sum(counts))
