"""What a model has said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from ctap.audio.wave import save_wave
from ctap.errors import UserError


@dataclass
class Speech:
    """Generated speech.

    Attributes:
        wave: [N] samples in [-1, 1].
        sample_rate: In Hz.
        mel: [T, n_mels] log-mel it was made from.
        phones: Phones said, for synthesis from text.
        durations: Frames of each.
    """

    wave: np.ndarray
    sample_rate: int
    mel: Tensor
    phones: list[str] | None = None
    durations: list[int] | None = None

    def save(self, path: str | Path) -> None:
        """Write a PCM-16 wav file.

        Raises:
            UserError: ``path`` is named as a file of another kind.
        """
        if (suffix := Path(path).suffix.lower()) not in ("", ".wav"):
            raise UserError(f"{path}: speech is written as .wav; for {suffix} there is soundfile.write")
        save_wave(path, self.wave, self.sample_rate)
