"""Fine-tuning of decoder and prompt encoder on a target speaker (paper, sections 2.2.1 and 2.2.2).

On speech alone the decoder reads S (voice conversion, and the first step of TTS); on the labeled minutes it
reads P (the second step of TTS). Both encoders stay frozen throughout.

The acoustic models of the compared systems (section 3.2) are trained in the same way on the whole corpus:
from a new decoder that reads another representation, or from that of a CTAP pretrained without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ctap.data.batch import Batch
from ctap.data.dataset import DataConfig
from ctap.loss.kl import margin_kl
from ctap.loss.regression import masked_mse
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.prompt_encoder import sample_gaussian
from ctap.tasks.base import OptimConfig, Task
from ctap.tasks.trainer import TrainerConfig


@dataclass
class FinetuneConfig:
    """``conf/finetune.yaml``.

    Args:
        reads: What the decoder reads: speech (S, needs no text) or phonemes (P).
        kl_margin: Margin of L_kl in nats.
        model: Sizes of a new model, where another representation is given and there is none to start from;
            ``embed_dim`` is taken from the representation, the stack of the phoneme encoder is that of the
            semantic prediction model.
        data: Batches.
        optim: Optimiser.
        trainer: Steps, seed, devices.
    """

    reads: Literal["speech", "phonemes"] = "speech"
    kl_margin: float = 10.0
    model: CTAPConfig = field(default_factory=CTAPConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)


class FinetuneTask(Task):
    """Trains decoder and prompt encoder; both encoders are frozen."""

    def __init__(self, ctap: CTAP, config: FinetuneConfig) -> None:
        super().__init__(config.optim, config.trainer.max_steps, config.trainer.seed)
        self.ctap = ctap
        self.config = config
        self.freeze(ctap.speech_encoder, ctap.phoneme_encoder)
        ctap.log_scale.requires_grad_(False)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of one batch."""
        ctap, mask, size = self.ctap, batch.mask, batch.mel.shape[1]
        mel = ctap.normalize(batch.mel)
        with torch.no_grad():
            if self.config.reads == "speech":
                embedding = ctap.encode_speech(batch)
            else:
                embedding = ctap.phoneme_encoder(batch.tokens, batch.durations, size, mask)
        mean, log_variance = ctap.prompt_encoder(ctap.normalize(batch.prompt))
        g = sample_gaussian(mean, log_variance) if self.training else mean
        mse = masked_mse(ctap.decoder(embedding, g, mask), mel, mask)
        kl = margin_kl(mean, log_variance, self.config.kl_margin)
        return {"loss": mse + kl, "mse": mse, "kl": kl}
