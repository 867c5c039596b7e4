"""Training of the duration models (paper, section 2.1.1: "a duration diffusion model is used")."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from ctap.data.batch import Batch
from ctap.data.dataset import DataConfig
from ctap.nn.ctap import CTAP
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.tasks.base import OptimConfig, Task
from ctap.tasks.trainer import TrainerConfig


@dataclass
class DurationTaskConfig:
    """``conf/duration.yaml``."""

    model: DurationConfig = field(default_factory=DurationConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)


class DurationTask(Task):
    """Trains the diffusion model and the deterministic predictor; CTAP is frozen."""

    def __init__(self, ctap: CTAP, duration: DurationModel, config: DurationTaskConfig) -> None:
        super().__init__(config.optim, config.trainer.seed)
        self.ctap = ctap
        self.duration = duration
        self.freeze(ctap)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of one batch."""
        mask = batch.phone_mask
        with torch.no_grad():
            condition = self.ctap.duration_condition(batch.tokens, mask, batch.prompt)
        diffusion, deterministic = self.duration.losses(batch.durations, condition, mask)
        return {"loss": diffusion + deterministic, "diffusion": diffusion, "deterministic": deterministic}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses = self(batch)
        self.report("train", {k: v.detach() for k, v in losses.items()}, int(batch.phone_lengths.sum()))
        return losses["loss"]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        torch.manual_seed(self.seed + batch_idx)  # the same noise at every validation
        self.report("val", self(batch), int(batch.phone_lengths.sum()))
