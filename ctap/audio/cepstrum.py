"""Cepstra of log-mel frames."""

from __future__ import annotations

import functools
import math

import numpy as np


@functools.lru_cache(maxsize=4)
def cepstral_basis(n_mels: int) -> np.ndarray:
    """The orthonormal cosine transform ``[M, M]``: cepstrum ``mel @ basis``, mel ``cepstrum @ basis.T``.

    The DCT-II (Ahmed, Natarajan and Rao, "Discrete cosine transform", 1974) in float64, which makes
    mel-frequency cepstra of the logarithms of mel bands (Davis and Mermelstein, 1980). It is shared, and not
    to be written to.
    """
    # multiplied in this order, so that the spread of a trained model stays the same to the last bit
    place, order = np.arange(n_mels) + 0.5, np.arange(n_mels)
    basis = np.cos(np.pi / n_mels * place[:, None] * order) * math.sqrt(2 / n_mels)
    basis[:, 0] /= math.sqrt(2)
    basis.setflags(write=False)
    return basis
