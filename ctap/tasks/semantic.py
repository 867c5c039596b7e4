"""Training of the semantic prediction model (paper, section 3.2): text to representation.

The systems that CTAP is compared with need one; CTAP itself has its phoneme encoder for this.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ctap.data.batch import Batch
from ctap.loss.regression import masked_mse
from ctap.models.in_use import InUse
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP
from ctap.tasks.base import Task
from ctap.tasks.config import TrainingConfig


@dataclass
class SemanticTaskConfig(TrainingConfig):
    """``conf/semantic.yaml``."""


class SemanticTask(Task):
    """Trains the phoneme side to predict the representation; all else is frozen.

    Args:
        ctap: The networks.
        trained: How long their training utterances were.
        config: Configuration.
    """

    def __init__(self, ctap: CTAP, trained: TrainedLengths, config: SemanticTaskConfig) -> None:
        super().__init__(config.optim, config.trainer)
        self.ctap = ctap
        self.in_use = InUse(ctap, trained)
        self.keep_frozen(ctap.speech_encoder, ctap.prompt_encoder, ctap.decoder)
        ctap.log_scale.requires_grad_(False)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error in normalised units: 1 is what the mean of the corpus would give."""
        mask = batch.mask
        target = self.in_use.speech(batch.mel, mask, batch.given)
        predicted = self.ctap.phoneme_encoder(batch.tokens, batch.durations, batch.mel.shape[1], mask)
        return {"loss": masked_mse(predicted, target, mask)}
