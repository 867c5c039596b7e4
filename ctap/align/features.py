"""What an aligner hears: level and cepstra of short frames every 5 ms, these normalised per speaker.

Durations count frames of 10 ms, but boundaries are found on a grid of 5 ms and with a window of 20 ms, half
of that of the log-mel features: the window decides how far a boundary is smeared. Only the simplest
time derivative (over one frame each side) is added, for the same reason: in the embedded corpus derivatives
over two frames and of second order moved pauses' edges by 20 ms and more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ctap.align.background import above_background
from ctap.audio.settings import AudioSettings

RATIO = 2
"""Analysis frames per frame of the durations."""

NUM_CEPSTRA = 13
SPEAKER_PRIOR = 1000.0  # analysis frames at which a speaker's own statistics weigh as much as everybody's


def analysis_settings(settings: AudioSettings) -> AudioSettings:
    """The aligner's own analysis for durations counted with ``settings``."""
    hop = settings.hop_length // RATIO
    return AudioSettings(
        sample_rate=settings.sample_rate, n_fft=4 * hop, win_length=4 * hop, hop_length=hop, n_mels=40,
        f_min=0.0, f_max=min(8000.0, settings.sample_rate / 2),
    )  # fmt: skip


@dataclass(frozen=True)
class Features:
    """What an aligner hears of an utterance.

    Attributes:
        cepstra: ``[T, 2 * NUM_CEPSTRA]`` float32, mel cepstra and their slopes.
        level: ``[T]`` float32, dB above the utterance's background (:mod:`ctap.align.background`).
    """

    cepstra: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.cepstra)


def analyse(wave: np.ndarray, settings: AudioSettings) -> Features:
    """Features that are not normalised.

    Args:
        wave: ``[N]`` float32 at the settings' rate.
        settings: see :func:`analysis_settings`.
    """
    import torch
    from scipy.fft import dct

    from ctap.audio.logmel import log_mel

    mel = log_mel(torch.from_numpy(wave), settings).numpy()
    static = dct(mel, norm="ortho", axis=1)[:, :NUM_CEPSTRA].astype(np.float32)
    padded = np.pad(static, ((1, 1), (0, 0)), mode="edge")
    return Features(
        np.concatenate([static, 0.5 * (padded[2:] - padded[:-2])], axis=1),
        above_background(mel, float(np.log(settings.log_floor))),
    )


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of features.

    Attributes:
        mean: ``[D]`` float32.
        std: ``[D]`` float32.
        frames: how many frames they come from.
    """

    mean: np.ndarray
    std: np.ndarray
    frames: int

    @classmethod
    def of(cls, matrices: Iterable[np.ndarray], prior: Statistics | None = None) -> Statistics:
        """Statistics of ``[T, D]`` matrices, drawn towards ``prior`` if there are few frames."""
        count, total, square = 0.0, np.float64(0.0), np.float64(0.0)
        for matrix in matrices:
            count += len(matrix)
            total = total + matrix.sum(axis=0, dtype=np.float64)
            square = square + np.square(matrix, dtype=np.float64).sum(axis=0)
        frames = int(count)
        if prior is not None:
            count += SPEAKER_PRIOR
            total = total + SPEAKER_PRIOR * prior.mean
            square = square + SPEAKER_PRIOR * (np.square(prior.std, dtype=np.float64) + np.square(prior.mean))
        if count == 0:
            raise ValueError("statistics of no frames")
        mean = total / count
        std = np.sqrt(np.maximum(square / count - mean**2, 1e-8))
        return cls(mean.astype(np.float32), std.astype(np.float32), frames)

    def normalise(self, features: Features) -> Features:
        """Features whose cepstra have mean 0 and deviation 1."""
        return Features((features.cepstra - self.mean) / self.std, features.level)
