"""Training of the semantic prediction model (paper, section 3.2): text to representation.

The systems that CTAP is compared with need one; CTAP itself has its phoneme encoder for this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.data.batch import Batch
from ctap.data.dataset import DataConfig
from ctap.loss.regression import masked_mse
from ctap.nn.ctap import CTAP
from ctap.nn.semantic import SemanticModel
from ctap.nn.transformer import StackConfig
from ctap.tasks.base import OptimConfig, Task
from ctap.tasks.trainer import TrainerConfig


@dataclass
class SemanticTaskConfig:
    """``conf/semantic.yaml``.

    Args:
        target: What is predicted: features (the frames of ``train_dir`` as they are, such as
            ctap.bin.dump_upstream's) or speech (S, which the model of ``init`` makes of log-mel frames).
        model: Transformer blocks.
        data: Batches.
        optim: Optimiser.
        trainer: Steps, seed, devices.
    """

    target: Literal["features", "speech"] = "features"
    model: StackConfig = field(default_factory=lambda: StackConfig(layers=4))
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)


class SemanticTask(Task):
    """Trains the semantic prediction model with a squared error; CTAP is frozen."""

    def __init__(self, ctap: CTAP, semantic: SemanticModel, config: SemanticTaskConfig) -> None:
        super().__init__(config.optim, config.trainer.max_steps, config.trainer.seed)
        self.ctap = ctap
        self.semantic = semantic
        self.target = config.target
        self.freeze(ctap)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error in normalised units (1 is what the mean would give), and cosine to the truth."""
        mask, target = batch.mask, batch.mel
        if self.target == "speech":
            with torch.no_grad():
                target = self.ctap.speech_encoder(self.ctap.normalize(batch.mel), mask)
        predicted = self.semantic(batch.tokens, batch.durations, batch.mel.shape[1], mask)
        loss = masked_mse(predicted, self.semantic.normalize(target), mask)
        with torch.no_grad():
            own = self.semantic.denormalize(predicted.float())
            cosine = F.cosine_similarity(own[mask], target.float()[mask], dim=-1).mean()
        return {"loss": loss, "cosine": cosine}
