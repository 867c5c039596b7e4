"""Other voices for the speech encoder's input: formants shifted and spectra tilted at random.

The idea is that of vocal tract length perturbation (Jaitly and Hinton, 2013): a network that
must encode the same speech in many voices alike learns to encode it without the voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ctap.audio.logmel import band_centres, mel_filters
from ctap.audio.settings import AudioSettings
from ctap.ranges import Range, check_ranges


@dataclass
class VoiceConfig:
    """How far an utterance's voice is changed; with warp and tilt 0, as in the paper, it stays as it is.

    Args:
        warp: Frequencies are multiplied by exp(x), x drawn between -warp and warp.
        tilt: Largest slope, in nepers (1 is 8.7 dB) from the lowest band to the highest.
        share: Share of the utterances whose voice is changed.
    """

    warp: float = 0.0
    tilt: float = 0.0
    share: float = 1.0

    def __post_init__(self) -> None:
        check_ranges(self, warp=Range(0, 0.7), tilt=Range(0, 10), share=Range(0, 1))

    @property
    def moves(self) -> bool:
        """Whether anything is done."""
        return bool((self.warp or self.tilt) and self.share)


def warp_bands(mel: Tensor, factors: Tensor, centres: Tensor) -> Tensor:
    """Log-mel whose band at a frequency holds what ``mel`` has at that frequency over the factor.

    Args:
        mel: [B, T, n_mels].
        factors: [B]; above 1, formants go up.
        centres: [n_mels] centres of the bands, in Hz.

    Returns:
        [B, T, n_mels], between bands by linear interpolation, the outermost bands continued.
    """
    wanted = centres / factors[:, None]
    above = torch.searchsorted(centres, wanted).clamp(1, len(centres) - 1)
    low, high = centres[above - 1], centres[above]
    share = ((wanted - low) / (high - low).clamp(min=1e-6)).clamp(0, 1).to(mel.dtype)[:, None]
    below, above = ((i[:, None].expand(-1, mel.shape[1], -1)) for i in (above - 1, above))
    return mel.gather(2, below) * (1 - share) + mel.gather(2, above) * share


class OtherVoices(nn.Module):
    """Changes the voice of every utterance of a batch at random, in training; draws from torch's generator.

    Args:
        config: How far.
        audio: Settings of the mels.
    """

    def __init__(self, config: VoiceConfig, audio: AudioSettings) -> None:
        super().__init__()
        self.config = config
        filters = mel_filters(audio).double()  # [n_fft / 2 + 1, n_mels]
        centres = band_centres(filters) * audio.sample_rate / audio.n_fft  # Hz
        self.register_buffer("centres", centres.float(), persistent=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel [B, T, n_mels], not normalised, in other voices; unchanged where nothing is done."""
        if not (self.training and self.config.moves):
            return mel
        draw = torch.rand(3, len(mel), device=mel.device)
        moved = draw[2] < self.config.share
        warp, tilt = (draw[:2] * 2 - 1) * moved
        slope = torch.linspace(-0.5, 0.5, mel.shape[2], device=mel.device)
        warped = warp_bands(mel, (warp * self.config.warp).exp(), self.centres)
        return warped + (tilt * self.config.tilt)[:, None, None] * slope
