"""ASR from frozen speech embeddings (paper, section 2.2.3): phoneme decoder, CTC head over text units."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from ctap.data.batch import Batch
from ctap.models.in_use import InUse
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP
from ctap.nn.length_regulator import frame_phones
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.transformer import StackConfig
from ctap.ranges import NOT_NEGATIVE, check_ranges
from ctap.tasks.base import Task, frame_accuracy
from ctap.tasks.config import TrainingConfig


@dataclass
class ASRConfig(TrainingConfig):
    """``conf/asr.yaml``.

    Args:
        model: The phoneme decoder's stack: 6 blocks in the paper.
        ctc_weight: Weight of the CTC loss over text units; 0 leaves the head out.
    """

    model: StackConfig = field(default_factory=StackConfig)
    ctc_weight: float = 0.3

    def __post_init__(self) -> None:
        check_ranges(self, ctc_weight=NOT_NEGATIVE)


class ASRTask(Task):
    """Trains the phoneme decoder with a cross-entropy a frame, and the CTC head; CTAP is frozen.

    Args:
        ctap: The networks.
        trained: How long their training utterances were.
        decoder: What is trained.
        config: Configuration.
    """

    def __init__(
        self, ctap: CTAP, trained: TrainedLengths, decoder: PhonemeDecoder, config: ASRConfig
    ) -> None:
        super().__init__(config.optim, config.trainer)
        self.ctap = ctap
        self.in_use = InUse(ctap, trained)
        self.decoder = decoder
        self.ctc_weight = config.ctc_weight
        self.keep_frozen(ctap)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Losses and the frame accuracy of one batch."""
        mask = batch.mask
        embedding = self.in_use.speech(batch.mel, mask, batch.given)
        phones, units = self.decoder(embedding, mask)
        target = frame_phones(batch.tokens, batch.durations, batch.mel.shape[1])[mask]
        logits = phones[mask].float()
        losses = {"phones": F.cross_entropy(logits, target)}
        losses["loss"] = losses["phones"]
        if units is not None and self.ctc_weight:
            losses["ctc"] = ctc_loss(units, batch)
            losses["loss"] = losses["loss"] + self.ctc_weight * losses["ctc"]
        losses["frame_accuracy"] = frame_accuracy(logits, target)
        return losses


def ctc_loss(logits: Tensor, batch: Batch) -> Tensor:
    """CTC over text units, per unit, of the utterances that have a text.

    Args:
        logits: [B, T, n_units]; unit 0 is the blank.
        batch: Its ``units`` and ``unit_lengths``; cropped utterances have none and take no part.
    """
    with_text = batch.unit_lengths > 0
    if not with_text.any():
        return logits.sum() * 0.0
    losses = F.ctc_loss(
        logits[with_text].float().log_softmax(dim=-1).transpose(0, 1),
        batch.units[with_text],
        batch.lengths[with_text],
        batch.unit_lengths[with_text],
        blank=0,
        reduction="none",
        zero_infinity=True,
    )
    return (losses / batch.unit_lengths[with_text]).mean()
