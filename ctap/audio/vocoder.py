"""Interface of all vocoders, and those that need no weights, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from torch import Tensor

from ctap.audio.griffin_lim import GriffinLim
from ctap.audio.settings import AudioSettings


class Vocoder(Protocol):
    """Turns log-mel into a waveform."""

    def __call__(self, mel: Tensor) -> np.ndarray:
        """Natural-log, de-normalised mel ``[T, n_mels]`` to samples ``[N]`` float32 in -1..1.

        ``N`` is such that ``num_frames(N, settings) == T``.
        """
        ...


VOCODERS: dict[str, Callable[[AudioSettings], Vocoder]] = {"griffin_lim": GriffinLim}
"""Name to a factory, called with the audio settings of the mels. A new vocoder is entered here."""
