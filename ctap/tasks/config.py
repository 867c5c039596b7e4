"""What the configuration of every training on utterances has."""

from __future__ import annotations

from dataclasses import dataclass, field

from ctap.data.dataset import DataConfig
from ctap.tasks.optimiser import OptimConfig
from ctap.tasks.settings import TrainerConfig


@dataclass
class TrainingConfig:
    """Data, optimiser and trainer; each training adds its own.

    Args:
        data: Batches.
        optim: Optimiser.
        trainer: Steps, seed, devices.
    """

    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
