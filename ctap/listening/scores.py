"""Mean opinion scores with intervals.

Scores of one listener resemble each other, so they are not independent: the 95% interval is a t-interval
whose standard error is clustered by listener (Cameron and Miller, "A practitioner's guide to cluster-robust
inference", 2015, with the factor L/(L-1) and L-1 degrees of freedom for L listeners). Where everybody rated
equally much it is the t-interval over the listeners' means. Beside it stands the plain t-interval over all
scores, as most papers print it; it is too narrow as soon as listeners differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from ctap.listening.answers import Answers
from ctap.listening.plan import Plan

__all__ = ["Difference", "Mean", "Ratings", "clustered_difference", "clustered_mean", "plain_mean", "ratings"]

LEVEL = 0.95


class Mean(NamedTuple):
    """A mean opinion score.

    Attributes:
        value: mean of the scores.
        low, high: 95% interval clustered by listener; NaN with one listener.
        plain_low, plain_high: 95% t-interval over all scores; NaN with one score.
        n: number of scores.
        listeners: number of people behind them.
    """

    value: float
    low: float
    high: float
    plain_low: float
    plain_high: float
    n: int
    listeners: int


class Difference(NamedTuple):
    """Mean of one system less that of another, with its 95% interval clustered by listener."""

    value: float
    low: float
    high: float
    listeners: int


@dataclass(frozen=True)
class Ratings:
    """Scores as columns, all ``[n]``.

    Attributes:
        listener: ids.
        trial: names.
        question: of the trial.
        system: of the trial.
        score: 1 to 5, float.
    """

    listener: np.ndarray
    trial: np.ndarray
    question: np.ndarray
    system: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.score)

    def where(self, mask: np.ndarray) -> Ratings:
        """Those that ``mask [n]`` marks."""
        return Ratings(*(column[mask] for column in vars(self).values()))


def ratings(answers: Answers, plan: Plan) -> Ratings:
    """The answers as columns."""
    held = list(answers.answers.values())
    trials = [plan.trials[a.trial] for a in held]
    return Ratings(
        np.array([a.listener for a in held], dtype=object),
        np.array([a.trial for a in held], dtype=object),
        np.array([t.question for t in trials], dtype=object),
        np.array([t.system for t in trials], dtype=object),
        np.array([a.score for a in held], dtype=np.float64),
    )


def _half_width(error: float, degrees: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, degrees) * error) if degrees > 0 else np.nan


def plain_mean(scores: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Mean of ``[n]`` scores and its 95% t-interval; NaN where there is none."""
    scores = np.asarray(scores, dtype=np.float64)
    n = len(scores)
    if n == 0:
        return np.nan, np.nan, np.nan
    half = _half_width(scores.std(ddof=1) / np.sqrt(n), n - 1) if n > 1 else np.nan
    return float(scores.mean()), float(scores.mean() - half), float(scores.mean() + half)


def _sums(scores: np.ndarray, clusters: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Sum of each listener's deviations from the mean, over the number of scores ``[len(names)]``."""
    deviations = (scores - scores.mean()) / len(scores)
    return np.array([deviations[clusters == name].sum() for name in names])


def _clustered_error(influence: np.ndarray) -> float:
    count = len(influence)
    return float(np.sqrt(count / (count - 1) * (influence**2).sum())) if count > 1 else np.nan


def clustered_mean(scores: Sequence[float] | np.ndarray, listeners: Sequence[str] | np.ndarray) -> Mean:
    """Mean of ``scores [n]`` given by ``listeners [n]``."""
    scores, listeners = np.asarray(scores, dtype=np.float64), np.asarray(listeners, dtype=object)
    value, plain_low, plain_high = plain_mean(scores)
    names = np.unique(listeners)
    half = np.nan
    if len(names) > 1:
        half = _half_width(_clustered_error(_sums(scores, listeners, names)), len(names) - 1)
    return Mean(value, value - half, value + half, plain_low, plain_high, len(scores), len(names))


def clustered_difference(
    scores: np.ndarray, listeners: np.ndarray, other_scores: np.ndarray, other_listeners: np.ndarray
) -> Difference:
    """Mean of ``scores [n]`` less mean of ``other_scores [m]``.

    What a listener gives to both cancels, so strict and mild ones widen the interval less than those of the
    two means would suggest: this is the paired comparison.
    """
    names = np.unique(np.concatenate([listeners, other_listeners]))
    if not len(scores) or not len(other_scores):
        return Difference(np.nan, np.nan, np.nan, len(names))
    value = float(scores.mean() - other_scores.mean())
    half = np.nan
    if len(names) > 1:
        influence = _sums(scores, listeners, names) - _sums(other_scores, other_listeners, names)
        half = _half_width(_clustered_error(influence), len(names) - 1)
    return Difference(value, value - half, value + half, len(names))
