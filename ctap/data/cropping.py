"""Cutting windows out of utterances: training crops with their durations, and prompt clips."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

Frames = TypeVar("Frames", np.ndarray, Tensor)


def crop_durations(
    tokens: np.ndarray, durations: np.ndarray, start: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Phones and durations of the frames [start, start + size), cut phones keeping what is left of them.

    Args:
        tokens: [L] phone ids.
        durations: [L] frames of each.
        start: First frame.
        size: Number of frames.

    Returns:
        Tokens and durations of the phones that have a frame in the window; the durations sum to ``size``.
    """
    ends = np.cumsum(durations)
    inside = np.minimum(ends, start + size) - np.maximum(ends - durations, start)
    kept = inside > 0
    return tokens[kept], inside[kept]


def most_phones(durations: np.ndarray, size: int) -> int:
    """The most phones that a window of ``size`` frames can hold of an utterance with ``durations`` [L]."""
    starts = np.cumsum(durations) - durations
    return int((np.searchsorted(starts, starts + durations - 1 + size) - np.arange(len(starts))).max())


def clip_window(mel: Frames, frames: int, rng: np.random.Generator | None = None) -> Frames:
    """A prompt [frames, D] out of ``mel`` [T, D]: at random or, without ``rng``, the middle.

    Speech shorter than that is repeated. Paper, section 2.1.2: "randomly clipped with a window of length 3
    seconds at each step"; in use nothing is random.
    """
    spare = max(1, -(-frames // len(mel))) * len(mel) - frames
    start = spare // 2 if rng is None else int(rng.integers(spare + 1))
    if len(mel) >= frames:
        return mel[start : start + frames]
    return mel[np.arange(start, start + frames) % len(mel)]
