"""Training of the duration models (paper, section 2.1.1: "a duration diffusion model is used")."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctap.data.batch import Batch
from ctap.errors import UserError
from ctap.nn.ctap import CTAP
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.tasks.base import Task
from ctap.tasks.config import TrainingConfig

IN_USE = ("sampling_steps", "temperature", "dropout", "max_frames")
"""Options that may change for trained duration models; all others are fixed by their weights."""


@dataclass
class DurationChoice:
    """Sizes and use of the duration models: :class:`ctap.nn.duration.DurationConfig`, any of it left open.

    Args:
        layers: Gated dilated convolutions of the denoiser. Null here, and in all below, is what the model to
            start from has, or for a new one the default of DurationConfig.
        channels: Their width.
        cycle: Dilations are 1, 2, 4, ... and start again after this many layers.
        steps: Diffusion steps in training.
        beta_first: Noise variance of the first step.
        beta_last: Noise variance of the last step.
        sampling_steps: Steps at inference; this and what follows, but for the predictor's width, may differ
            from what the model to start from has.
        temperature: Standard deviation of the noise that sampling starts from.
        predictor_channels: Width of the deterministic predictor.
        dropout: Dropout of the deterministic predictor.
        max_frames: The most that is predicted for a phone, at the usual speed.
    """

    layers: int | None = None
    channels: int | None = None
    cycle: int | None = None
    steps: int | None = None
    beta_first: float | None = None
    beta_last: float | None = None
    sampling_steps: int | None = None
    temperature: float | None = None
    predictor_channels: int | None = None
    dropout: float | None = None
    max_frames: int | None = None

    def over(self, there: DurationConfig) -> DurationConfig:
        """What is asked for, the rest as it is ``there``."""
        return replace(there, **{k: v for k, v in vars(self).items() if v is not None})

    def adapt(self, model: DurationModel, whose: Path) -> None:
        """Let ``model`` be used as asked for.

        Raises:
            UserError: Other sizes are asked for than it has.
        """
        asked = self.over(model.config)
        there, sizes = ({**vars(c), **dict.fromkeys(IN_USE)} for c in (model.config, asked))
        if wrong := [k for k in there if there[k] != sizes[k]]:
            listed = "; ".join(f"model.{k} is {there[k]} there, {sizes[k]} asked for" for k in wrong)
            raise UserError(
                f"{whose}: other sizes of duration models: {listed}. Leave these out to go on from it"
            )
        model.config, model.predictor.dropout.p = asked, asked.dropout


@dataclass
class DurationTaskConfig(TrainingConfig):
    """``conf/duration.yaml``.

    Args:
        model: Sizes of new duration models; of those to start from, what is to be used otherwise.
    """

    model: DurationChoice = field(default_factory=DurationChoice)


class DurationTask(Task):
    """Trains the diffusion model and the deterministic predictor; CTAP is frozen."""

    def __init__(self, ctap: CTAP, duration: DurationModel, config: DurationTaskConfig) -> None:
        super().__init__(config.optim, config.trainer)
        self.ctap = ctap
        self.duration = duration
        self.keep_frozen(ctap)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of one batch: of a phone that a crop cuts, all of it is to be predicted."""
        mask = batch.phone_mask
        with torch.no_grad():
            condition = self.ctap.duration_condition(batch.tokens, mask, batch.prompt)
        diffusion, deterministic = self.duration.losses(batch.whole, condition, mask)
        return {"loss": diffusion + deterministic, "diffusion": diffusion, "deterministic": deterministic}

    def weight(self, batch: Batch) -> int:
        """How much a batch counts in averages: its phones."""
        return int(batch.phone_lengths.sum())

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Any] | None:
        self.repeat_noise(batch_idx)
        return super().validation_step(batch, batch_idx)
