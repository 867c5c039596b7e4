"""Mel-cepstral distortion (Kubichek, 1993) of log-mel spectrograms.

The definition used everywhere in this toolkit. With ``L[t, m]`` the natural logarithm of the mel *magnitude*
of frame t in M bins, the cepstrum is the cosine transform that makes ``L`` a cosine series,

    L[t, m] = c[t, 0] + sum_{k=1}^{M-1} c[t, k] cos(pi k (m + 1/2) / M),

and the distortion of two frames is, in dB,

    MCD = (10 / ln 10) sqrt(2 sum_{k=1}^{K} (c[k] - c'[k])^2),        K = 13.

``c[0]``, the level, takes no part. With K = M - 1 this is exactly the root mean square over the bins of the
difference in dB once the difference in level is taken out; K = 13 looks at the envelope alone. The figure of
an utterance is the mean over the frame pairs of the warping path (steps (1, 1), (1, 0), (0, 1) of equal
weight, on these same cepstra), or over the frames themselves if both have the same timing. All frames count,
silence too. Cepstra of other analyses (SPTK's mel-cepstrum, MFCC without the dB factor) give other numbers:
compare figures of this toolkit with each other only.
"""

from __future__ import annotations

import math

import numpy as np

from ctap.audio.cepstrum import cepstral_basis
from ctap.metrics.dtw import dtw

__all__ = ["ORDER", "mel_cepstral_distortion", "mel_cepstrum", "warped_distortion"]

ORDER = 13  # K
_DECIBEL = 10 / math.log(10) * math.sqrt(2)


def mel_cepstrum(log_mel: np.ndarray) -> np.ndarray:
    """Cepstral coefficients 1..K ``[T, K]`` of a natural-log mel magnitude ``[T, M]``, float64.

    Raises:
        ValueError: ``log_mel`` is not ``[T, M]`` with M > K.
    """
    log_mel = np.asarray(log_mel, dtype=np.float64)
    if log_mel.ndim != 2 or log_mel.shape[1] <= ORDER:
        raise ValueError(f"need a log-mel [T, M] with M > {ORDER}, got {log_mel.shape}")
    M = log_mel.shape[1]
    return log_mel @ cepstral_basis(M)[:, 1 : ORDER + 1] * math.sqrt(2 / M)


def mel_cepstral_distortion(
    reference: np.ndarray, hypothesis: np.ndarray, *, same_length: bool = False
) -> float:
    """Mel-cepstral distortion in dB of two log-mel spectrograms (see the module's text).

    Args:
        reference: ``[N, M]`` natural-log mel magnitude.
        hypothesis: ``[L, M]``.
        same_length: compare frame by frame instead of warping.

    Raises:
        ValueError: shapes that don't fit (with ``same_length``: lengths that differ), or no frame.
    """
    if not same_length:
        return warped_distortion(reference, hypothesis)[0]
    c, h = _cepstra(reference, hypothesis)
    if c.shape != h.shape:
        raise ValueError(f"{len(c)} frames in the reference, {len(h)} in the hypothesis")
    return float(_DECIBEL * np.linalg.norm(c - h, axis=1).mean())


def warped_distortion(reference: np.ndarray, hypothesis: np.ndarray) -> tuple[float, np.ndarray]:
    """:func:`mel_cepstral_distortion` after warping, and the path ``[P, 2]`` of frame pairs that it is of.

    Raises:
        ValueError: shapes that don't fit, or no frame.
    """
    path, cost = dtw(*_cepstra(reference, hypothesis))
    return _DECIBEL * cost / len(path), path


def _cepstra(reference: np.ndarray, hypothesis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    c, h = mel_cepstrum(reference), mel_cepstrum(hypothesis)
    if not len(c) or not len(h):
        raise ValueError("no frame to compare")
    return c, h
