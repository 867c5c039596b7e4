"""Training of the duration models (paper, section 2.1.1: "a duration diffusion model is used")."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ctap.data.batch import Batch
from ctap.nn.ctap import CTAP
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.tasks.base import Task
from ctap.tasks.config import TrainingConfig


@dataclass
class DurationTaskConfig(TrainingConfig):
    """``conf/duration.yaml``."""

    model: DurationConfig = field(default_factory=DurationConfig)


class DurationTask(Task):
    """Trains the diffusion model and the deterministic predictor; CTAP is frozen."""

    def __init__(self, ctap: CTAP, duration: DurationModel, config: DurationTaskConfig) -> None:
        super().__init__(config.optim, config.trainer)
        self.ctap = ctap
        self.duration = duration
        self.freeze(ctap)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of one batch."""
        mask = batch.phone_mask
        with torch.no_grad():
            condition = self.ctap.duration_condition(batch.tokens, mask, batch.prompt)
        diffusion, deterministic = self.duration.losses(batch.durations, condition, mask)
        return {"loss": diffusion + deterministic, "diffusion": diffusion, "deterministic": deterministic}

    def weight(self, batch: Batch) -> int:
        """How much a batch counts in averages: its phones."""
        return int(batch.phone_lengths.sum())

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        torch.manual_seed(self.settings.seed + batch_idx)  # the same noise at every validation
        super().validation_step(batch, batch_idx)
