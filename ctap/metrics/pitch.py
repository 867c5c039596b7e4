"""Pitch figures: MSEP (paper section 3.3) without warping, log-F0 error and correlation after warping.

F0 tracks are in Hz, 0 where unvoiced (:func:`ctap.audio.f0.extract_f0`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["LogF0", "Msep", "log_f0", "msep"]


class Msep(NamedTuple):
    """Mean squared error of pitch: Hz^2, the frames behind it, and the share of frames voiced in one only."""

    value: float
    frames: int
    voicing_error: float


class LogF0(NamedTuple):
    """Log-F0 figures over the pairs voiced in both.

    ``rmse`` in natural-log units (0.0578 is a semitone), ``rmse_centred`` the same after each side's mean is
    taken out (the melody without the register), ``correlation`` Pearson's, ``pairs`` the pairs behind them.
    """

    rmse: float
    rmse_centred: float
    correlation: float
    pairs: int


def _track(f0: np.ndarray, name: str) -> np.ndarray:
    f0 = np.asarray(f0, dtype=np.float64)
    if f0.ndim != 1 or not np.isfinite(f0).all() or (f0 < 0).any():
        raise ValueError(f"{name} must be [T] in Hz, finite, 0 where unvoiced; got shape {f0.shape}")
    return f0


def msep(reference: np.ndarray, hypothesis: np.ndarray) -> Msep:
    """Mean squared F0 error in Hz^2 over the frames voiced in both; same length, no warping.

    The hypothesis must have the reference's timing (speech made with ground-truth durations). NaN, with 0
    frames, if no frame is voiced in both; read it together with ``voicing_error``, since frames whose voicing
    differs don't enter the mean.

    Args:
        reference: F0 ``[T]`` in Hz, 0 where unvoiced.
        hypothesis: F0 ``[T]``.

    Raises:
        ValueError: lengths that differ, or values that are no F0.
    """
    r, h = _track(reference, "reference"), _track(hypothesis, "hypothesis")
    if r.shape != h.shape:
        raise ValueError(
            f"MSEP needs the same timing: {r.size} frames in the reference, {h.size} in the other"
        )
    both = (r > 0) & (h > 0)
    frames = int(both.sum())
    value = float(np.mean((r[both] - h[both]) ** 2)) if frames else float("nan")
    return Msep(value, frames, float(np.mean((r > 0) != (h > 0))) if r.size else float("nan"))


def log_f0(reference: np.ndarray, hypothesis: np.ndarray, path: np.ndarray | None = None) -> LogF0:
    """Root mean square error and correlation of log F0 along a warping path.

    Args:
        reference: F0 ``[N]`` in Hz, 0 where unvoiced.
        hypothesis: F0 ``[M]``.
        path: frame pairs ``[L, 2]``, as :func:`ctap.metrics.dtw.dtw` gives for the cepstra of the two
            (warping F0 by F0 itself would hide the very error that is asked for); frame by frame if left out.

    Returns:
        NaN figures where they are not defined: no pair voiced in both; for the correlation fewer than two
        pairs, or a flat track.

    Raises:
        ValueError: without a path, lengths that differ; with one, a path beyond the tracks.
    """
    r, h = _track(reference, "reference"), _track(hypothesis, "hypothesis")
    if path is not None:
        if path.size and (path[:, 0].max() >= r.size or path[:, 1].max() >= h.size):
            raise ValueError(f"the path goes beyond the tracks of {r.size} and {h.size} frames")
        r, h = r[path[:, 0]], h[path[:, 1]]
    elif r.shape != h.shape:
        raise ValueError(f"without a path the tracks must be equally long: {r.size} and {h.size} frames")
    both = (r > 0) & (h > 0)
    pairs = int(both.sum())
    if not pairs:
        return LogF0(float("nan"), float("nan"), float("nan"), 0)
    r, h = np.log(r[both]), np.log(h[both])
    rmse = float(np.sqrt(np.mean((r - h) ** 2)))
    r, h = r - r.mean(), h - h.mean()
    centred = float(np.sqrt(np.mean((r - h) ** 2)))
    scale = float(np.sqrt((r @ r) * (h @ h)))
    correlation = float(r @ h / scale) if scale > 1e-12 else float("nan")
    return LogF0(rmse, centred, correlation, pairs)
