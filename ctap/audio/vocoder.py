"""The seam between log-mel and waveforms: a vocoder is one named choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from ctap.audio.griffin_lim import GriffinLim
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError


class Vocoder(Protocol):
    """Turns log-mel into a waveform."""

    def __call__(self, mel: Tensor) -> np.ndarray:
        """Natural-log, de-normalised mel ``[T, n_mels]`` to samples ``[N]`` float32 in -1..1.

        ``N`` is such that ``num_frames(N, settings) == T``.
        """
        ...


VOCODERS: dict[str, Callable[..., Vocoder]] = {"griffin_lim": GriffinLim}
"""Name to a factory called with the audio settings and the options. A new vocoder is entered here."""


def make_vocoder(name: str, settings: AudioSettings, **options: Any) -> Vocoder:
    """Make a vocoder by its name.

    Args:
        name: one of :data:`VOCODERS`.
        settings: the audio settings of the mels it will get.
        options: the vocoder's own.

    Raises:
        UserError: there is no vocoder of that name, or it has no such option.
    """
    if name not in VOCODERS:
        raise UserError(f"no vocoder {name!r}; known: {', '.join(sorted(VOCODERS))}")
    try:
        return VOCODERS[name](settings, **options)
    except (TypeError, ValueError) as error:
        raise UserError(f"vocoder {name}: {error}") from None
