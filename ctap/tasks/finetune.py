"""Fine-tuning of decoder and prompt encoder on a target speaker (paper, sections 2.2.1 and 2.2.2).

On speech alone, decoder and prompt encoder are trained, and the decoder reads S (voice conversion, and the
first step of TTS). On the labeled minutes only the decoder is trained, and it reads P (the second step of
TTS: "The decoder is then fine-tuned again"). Both encoders stay frozen throughout.

The acoustic models of the compared systems (section 3.2) are trained in the same way on the whole corpus:
from a new decoder that reads another representation, or from that of a CTAP pretrained without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.data.batch import Batch
from ctap.data.voice import OtherVoices, VoiceConfig
from ctap.errors import UserError
from ctap.loss.kl import margin_kl
from ctap.loss.regression import masked_mse
from ctap.models.in_use import InUse
from ctap.models.windows import TrainedLengths
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.prompt_encoder import sample_gaussian
from ctap.ranges import NOT_NEGATIVE, check_ranges
from ctap.tasks.base import Task
from ctap.tasks.config import TrainingConfig
from ctap.tasks.refining import refining

Trained = Literal["decoder", "prompt_encoder"]


@dataclass
class FinetuneConfig(TrainingConfig):
    """``conf/finetune.yaml``.

    Args:
        reads: What the decoder reads: speech (S, needs no text) or phonemes (P).
        train: What is trained; null for what the paper trains: decoder and prompt encoder on speech, the
            decoder alone on phonemes.
        voice: How the voice of the speech is changed from which S is made; the mel to be predicted stays.
            Not in the paper: the decoder learns to give the target's voice to the S of others, too.
        kl_margin: Margin of L_kl in nats; there is no L_kl where the prompt encoder stays as it is.
        spread: Whether the spread that the decoder's mels lack is measured in the end, and given back in use
            (:mod:`ctap.nn.spread`). Not in the paper.
        model: Sizes of a new model, where another representation is given and there is none to start from;
            ``embed_dim`` is taken from the representation, the stack of the phoneme encoder is that of the
            semantic prediction model.
    """

    reads: Literal["speech", "phonemes"] = "speech"
    train: list[Trained] | None = None
    voice: VoiceConfig = field(default_factory=VoiceConfig)
    kl_margin: float = 10.0
    spread: bool = False
    model: CTAPConfig = field(default_factory=CTAPConfig)

    def __post_init__(self) -> None:
        check_ranges(self, kl_margin=NOT_NEGATIVE)
        if self.train is not None and not self.train:
            raise UserError("train: nothing to train; expected decoder, prompt_encoder or both")
        if self.voice.moves and self.reads != "speech":
            raise UserError("voice: phonemes have none; expected reads: speech, or voice left out")

    @property
    def trained(self) -> set[Trained]:
        """The parts that are trained."""
        papers: list[Trained] = ["decoder", "prompt_encoder"] if self.reads == "speech" else ["decoder"]
        return set(papers if self.train is None else self.train)


class FinetuneTask(Task):
    """Trains decoder, prompt encoder or both; both encoders are frozen.

    Args:
        ctap: The networks.
        trained: How long their training utterances were.
        config: Configuration.
        audio: Settings of the mels.
    """

    def __init__(
        self, ctap: CTAP, trained: TrainedLengths, config: FinetuneConfig, audio: AudioSettings
    ) -> None:
        super().__init__(config.optim, config.trainer)
        self.ctap = ctap
        self.in_use = InUse(ctap, trained)
        self.config = config
        self.voices = OtherVoices(config.voice, audio)
        self.keep_frozen(ctap.speech_encoder, ctap.phoneme_encoder)
        for name in ("decoder", "prompt_encoder"):
            if name not in config.trained:
                self.keep_frozen(getattr(ctap, name))
        ctap.log_scale.requires_grad_(False)

    @torch.no_grad()
    def embedding(self, batch: Batch) -> Tensor:
        """What the decoder reads of a batch: S or P [B, T, d]."""
        if self.config.reads == "speech":
            return self.in_use.speech(self.voices(batch.mel), batch.mask, batch.given)
        return self.in_use.phonemes(batch)

    def said(self, batch: Batch) -> list[Tensor]:
        """The normalised log-mel [B, T, n_mels] of a batch as it would be heard."""
        g = self.ctap.encode_prompt(batch.prompt)[0]
        return [self.in_use.speak(self.embedding(batch), g, batch.mask)]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of one batch."""
        ctap, mask = self.ctap, batch.mask
        mel, embedding = ctap.normalize(batch.mel), self.embedding(batch)
        mean, log_variance = ctap.encode_prompt(batch.prompt)
        g = sample_gaussian(mean, log_variance) if self.training else mean
        draft = ctap.decoder(embedding, g, mask)
        mse = masked_mse(draft, mel, mask)
        kl = margin_kl(mean, log_variance, self.config.kl_margin)
        loss = mse + kl if "prompt_encoder" in self.config.trained else mse
        flow = refining(ctap.decoder, draft, mel, mask)
        return {"loss": loss + sum(flow.values()), "mse": mse, "kl": kl, **flow}
