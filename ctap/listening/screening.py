"""Listeners to look at: they rate recordings low, give one score to all, or agree with nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ctap.listening.scores import Ratings, plain_mean

__all__ = ["Limits", "Record", "correlation", "screen"]


@dataclass(frozen=True)
class Limits:
    """When a listener is remarked upon.

    Attributes:
        min_recording: least mean score of the recordings.
        max_same: greatest share of the commonest score.
        min_correlation: least correlation with the other listeners.
        min_answers: with fewer scores nothing is said about equality and correlation.
        min_recordings: with fewer scores of recordings nothing is said about those.
    """

    min_recording: float = 3.5
    max_same: float = 0.9
    min_correlation: float = 0.25
    min_answers: int = 10
    min_recordings: int = 2


@dataclass
class Record:
    """A listener's scores in sum.

    Attributes:
        listener: id.
        n: number of scores.
        mean, low, high: their mean with its 95% t-interval.
        means: question -> mean.
        recording: mean score of recordings, NaN if there was none.
        recordings: number of those.
        same: share of the commonest score.
        correlation: with the others' means of the same trials, NaN if it can't be told.
        shared: trials that others rated, too.
        remarks: what is wrong, in words; empty if nothing.
    """

    listener: str
    n: int
    mean: float
    low: float
    high: float
    means: dict[str, float]
    recording: float
    recordings: int
    same: float
    correlation: float
    shared: int
    remarks: list[str] = field(default_factory=list)


def correlation(ratings: Ratings, listener: str) -> tuple[float, int]:
    """Pearson correlation of a listener's scores with the mean of everybody else's for the same trial.

    Returns:
        The correlation, NaN if there are under three shared trials or either side does not vary, and the
        number of trials that somebody else rated, too.
    """
    others: dict[str, list[float]] = {}
    own: dict[str, float] = {}
    for who, trial, score in zip(ratings.listener, ratings.trial, ratings.score, strict=True):
        if who == listener:
            own[trial] = score
        else:
            others.setdefault(trial, []).append(score)
    shared = [trial for trial in own if trial in others]
    x = np.array([own[trial] for trial in shared])
    y = np.array([np.mean(others[trial]) for trial in shared])
    if len(shared) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan, len(shared)
    return float(np.corrcoef(x, y)[0, 1]), len(shared)


def _remarks(record: Record, limits: Limits) -> list[str]:
    found = []
    if record.recordings >= limits.min_recordings and record.recording < limits.min_recording:
        found.append(f"rates the recording {record.recording:.2f}, below {limits.min_recording:g}")
    if record.n >= limits.min_answers and record.same >= limits.max_same:
        found.append(f"gives one score to {record.same:.0%} of all")
    if record.shared >= limits.min_answers and record.correlation < limits.min_correlation:
        found.append(f"correlates {record.correlation:.2f} with the others, below {limits.min_correlation:g}")
    return found


def screen(ratings: Ratings, anchors: Mapping[str, str], limits: Limits | None = None) -> list[Record]:
    """A record of every listener, in the order of their first answers.

    Args:
        ratings: of all listeners.
        anchors: question -> system whose sounds are recordings.
        limits: when to remark.
    """
    limits = limits or Limits()
    is_recording = np.array(
        [anchors.get(q) == s for q, s in zip(ratings.question, ratings.system, strict=True)], dtype=bool
    )
    records = []
    for listener in dict.fromkeys(ratings.listener):
        mask = ratings.listener == listener
        own = ratings.where(mask)
        recordings = ratings.score[mask & is_recording]
        _, counts = np.unique(own.score, return_counts=True)
        agreement, shared = correlation(ratings, listener)
        record = Record(
            listener,
            len(own),
            *plain_mean(own.score),
            means={q: float(own.score[own.question == q].mean()) for q in dict.fromkeys(own.question)},
            recording=float(recordings.mean()) if len(recordings) else np.nan,
            recordings=len(recordings),
            same=float(counts.max() / len(own)),
            correlation=agreement,
            shared=shared,
        )
        record.remarks = _remarks(record, limits)
        records.append(record)
    return records
