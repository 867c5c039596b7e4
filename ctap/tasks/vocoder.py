"""Training of the vocoder: log-mel of recordings back to their waves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.audio.levels import DB_PER_NEPER
from ctap.audio.logmel import log_mel, mel_filters
from ctap.data.waves import WaveBatch, WaveDataConfig
from ctap.errors import UserError
from ctap.loss.spectral import RESOLUTIONS, energy_distance
from ctap.nn.vocoder import SourceFilter, VocoderConfig
from ctap.ranges import NOT_NEGATIVE, check_ranges
from ctap.tasks.base import Task
from ctap.tasks.optimiser import OptimConfig
from ctap.tasks.settings import TrainerConfig


@dataclass
class VocoderTaskConfig:
    """``conf/vocoder.yaml``.

    Args:
        model: Sizes.
        data: Crops and how they are varied.
        optim: Optimiser.
        trainer: Steps, seed, devices.
        mel_weight: Weight of the log-mel distance between what is said and what was asked for.
        f0_weight: Weight of the F0 network's losses.
        trains: ``both`` networks, or ``f0`` alone: a step then takes a fraction of the time.
    """

    model: VocoderConfig = field(default_factory=VocoderConfig)
    data: WaveDataConfig = field(default_factory=WaveDataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    mel_weight: float = 0.5
    f0_weight: float = 0.3
    trains: Literal["both", "f0"] = "both"

    def __post_init__(self) -> None:
        check_ranges(self, mel_weight=NOT_NEGATIVE, f0_weight=NOT_NEGATIVE)


class VocoderTask(Task):
    """Both networks at once: the gains under the recording's F0, and F0 from the mel.

    Raises:
        UserError: Crops are too short for the losses.
    """

    def __init__(self, vocoder: SourceFilter, config: VocoderTaskConfig) -> None:
        super().__init__(config.optim, config.trainer)
        self.vocoder, self.config = vocoder, config
        half, hop = vocoder.settings.n_fft // 2, vocoder.settings.hop_length
        self.edge = -(-half // hop)  # frames at either end that hear what was reflected
        # a crop is longer than what the longest window reflects, and has frames between its edges
        least = max(max(RESOLUTIONS)[0] // 2 // hop + 2, 2 * self.edge + 1)
        if config.trains == "both" and (given := config.data.crop_frames) < least:
            raise UserError(f"data.crop_frames: expected {least} or more, got {given}")
        vocoder.gain_net.requires_grad_(config.trains == "both")

    def weight(self, batch: WaveBatch) -> int:
        """How much a batch counts in averages: its frames."""
        return batch.f0.numel()

    def losses(self, batch: WaveBatch) -> dict[str, Tensor]:
        """Losses of one batch, and figures in plain units."""
        settings = self.vocoder.settings
        with torch.no_grad(), torch.autocast(batch.wave.device.type, enabled=False):
            recorded = log_mel(batch.wave, settings)
        mel = recorded if batch.mel is None else batch.mel
        f0 = self.f0_losses(mel, batch.f0)
        if self.config.trains == "f0":
            return {"loss": f0["f0"] + f0["voicing"], **f0}
        with torch.no_grad(), torch.autocast(batch.wave.device.type, enabled=False):
            pulses = self.vocoder.spectra(self.vocoder.pulses(batch.f0)[0])
        gains = self.vocoder.gains(mel, batch.f0, pulses)
        with torch.autocast(batch.wave.device.type, enabled=False):
            noise = [self.vocoder.spectra(torch.randn_like(batch.wave)) for _ in range(2)]
            first, second = (self.vocoder.wave(gains, pulses, n) for n in noise)
            distance = energy_distance(batch.wave, first, second, batch.band)
            apart = (self.mel_of(first) - recorded)[:, self.edge : -self.edge].abs().mean()
        loss = distance + self.config.mel_weight * apart + self.config.f0_weight * (f0["f0"] + f0["voicing"])
        return {"loss": loss, "distance": distance, "mel_db": apart.detach() * DB_PER_NEPER, **f0}

    def mel_of(self, wave: Tensor) -> Tensor:
        """Log-mel ``[B, T, M]`` of what is said ``[B, N]``, with finite gradients where it is silent."""
        spectra = torch.view_as_real(self.vocoder.spectra(wave))
        magnitudes = (spectra.square().sum(-1) + 1e-10).sqrt()
        settings = self.vocoder.settings
        return (magnitudes @ mel_filters(settings).to(wave)).clamp(min=settings.log_floor).log()

    def f0_losses(self, mel: Tensor, f0: Tensor) -> dict[str, Tensor]:
        """Cross-entropies of F0's class and of voicing, and the share of frames voiced in one only."""
        found, voiced = self.vocoder.pitch(mel), f0 > 0
        place = self.vocoder.f0_class(f0)[..., None]
        classes = torch.arange(found.classes.shape[-1], device=f0.device)
        shares = F.softmax(-0.5 * (classes - place).square(), dim=-1)  # a bell one class wide
        entropy = -(shares * found.classes.log_softmax(-1)).sum(-1)
        return {
            "f0": (entropy * voiced).sum() / voiced.sum().clamp(min=1),
            "voicing": F.binary_cross_entropy_with_logits(found.voicing, voiced.float()),
            "voicing_error": ((found.voicing > 0) != voiced).float().mean(),
        }

    def validation_step(self, batch: WaveBatch, batch_idx: int) -> dict[str, Any] | None:
        self.repeat_noise(batch_idx)
        super().validation_step(batch, batch_idx)
        if batch_idx or not self.trainer.is_global_zero:
            return None
        settings = self.vocoder.settings
        with torch.autocast(batch.wave.device.type, enabled=False):
            mel = log_mel(batch.wave[:1], settings) if batch.mel is None else batch.mel[:1]
            said = self.say(mel)
            mels = {"recording": mel[0], "vocoder": log_mel(said[0], settings)}
        sounds = {"recording": batch.wave[0], "vocoder": said[0]}
        rates = {"sample_rate": settings.sample_rate, "hop": settings.frame_shift}
        return {"mels": mels, "sounds": sounds, **rates}

    def say(self, mel: Tensor) -> Tensor:
        """Log-mel ``[B, T, M]`` to samples with the networks' own F0."""
        f0 = self.vocoder.said_f0(mel)
        pulses = self.vocoder.pulses(f0)[0]
        spectra, noise = (self.vocoder.spectra(x) for x in (pulses, torch.randn_like(pulses)))
        return self.vocoder.wave(self.vocoder.gains(mel, f0, spectra), spectra, noise)
