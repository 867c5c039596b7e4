"""CTAP pretraining (paper, section 2.1.2): L = L_contrastive + L_mse + L_kl."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.audio.settings import AudioSettings
from ctap.data.batch import Batch
from ctap.data.voice import OtherVoices, VoiceConfig
from ctap.errors import UserError
from ctap.loss.contrastive import ContrastiveConfig, make_contrastive
from ctap.loss.kl import gaussian_kl, margin_kl
from ctap.loss.regression import masked_mse
from ctap.metrics.representation import MAX_SHIFT
from ctap.metrics.retrieval import retrieval
from ctap.models.in_use import InUse
from ctap.models.windows import TrainedLengths
from ctap.nn.adversary import SpeakerAdversary
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.length_regulator import frame_phones, frame_to_phone
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.prompt_encoder import sample_gaussian
from ctap.nn.transformer import StackConfig
from ctap.own import OwnModule
from ctap.ranges import NOT_NEGATIVE, check_ranges
from ctap.tasks.base import Task, frame_accuracy
from ctap.tasks.config import TrainingConfig
from ctap.tasks.refining import refining
from ctap.text.tokens import TokenTable


@dataclass
class LossConfig:
    """Weights of the three losses, 1 each in the paper, and of what its ablations add (section 3.2, Table 1).

    Args:
        contrastive_weight: Weight of L_contrastive (Eq. 6).
        mse_weight: Weight of L_mse (Eq. 4). With ``kl_weight`` 0 as well, decoder and prompt encoder take no
            part and stay as they were, the refiner with them: the paper's "CTAP w/o decoder". Fine-tuning
            then trains them from the start.
        kl_weight: Weight of L_kl (Eq. 2).
        kl_margin: Margin in nats (Eq. 2).
        kl_warmup_steps: Steps over which the weight of L_kl grows from 0; validation always has it in full.
        embed_weight: Weight of the mean squared error between S and P over real frames: the paper's
            "CTAP + L_mse(embed)". 0, as in its final model, leaves it out.
        phoneme_weight: Weight of the cross-entropies of a phoneme decoder on S and on P: the paper's
            "CTAP + decoder_phoneme". 0, as in its final model, leaves the decoder out.
        phoneme_decoder: Its stack.
        swap_weight: Weight of the squared error between what the decoder makes of S and of P where both have
            the prompt of another utterance of the batch: P holds no voice, so none is to be read from S. 0,
            as in the paper, leaves it out. It needs a decoder.
        speaker_weight: Weight of the cross-entropy of a speaker classifier on S whose gradient is
            reversed (:mod:`ctap.nn.adversary`); 0, as in the paper, leaves it out.
        contrastive: Objective and kind of the contrastive loss; or a module of your own in its place, by
            class_path and init_args (docs/python.md).
    """

    contrastive_weight: float = 1.0
    mse_weight: float = 1.0
    kl_weight: float = 1.0
    kl_margin: float = 10.0
    kl_warmup_steps: int = 0
    embed_weight: float = 0.0
    phoneme_weight: float = 0.0
    phoneme_decoder: StackConfig = field(default_factory=StackConfig)
    swap_weight: float = 0.0
    speaker_weight: float = 0.0
    contrastive: OwnModule | ContrastiveConfig = field(default_factory=ContrastiveConfig)

    def __post_init__(self) -> None:
        numbers = [name for name, value in vars(self).items() if isinstance(value, (int, float))]
        check_ranges(self, **dict.fromkeys(numbers, NOT_NEGATIVE))
        if self.swap_weight and not self.reconstructs:
            raise UserError(
                f"swap_weight: expected 0 where mse_weight and kl_weight are both 0, got "
                f"{self.swap_weight}: without these no decoder is trained"
            )

    @property
    def reconstructs(self) -> bool:
        """Whether decoder and prompt encoder take part."""
        return bool(self.mse_weight or self.kl_weight)


@dataclass
class PretrainConfig(TrainingConfig):
    """``conf/ctap.yaml``.

    Args:
        model: Sizes.
        loss: Weights of the losses.
        voice: How the voice of the speech encoder's input is changed; the mel to be predicted keeps its own.
        spread: Whether the spread that the decoder's mels lack is measured in the end, and given back in use
            (:mod:`ctap.nn.spread`). Not in the paper.
    """

    model: CTAPConfig = field(default_factory=CTAPConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    voice: VoiceConfig = field(default_factory=VoiceConfig)
    spread: bool = False

    def __post_init__(self) -> None:
        if self.spread and not self.loss.reconstructs:
            raise UserError(
                "spread: expected false where no decoder is trained (loss.mse_weight, kl_weight 0)"
            )


class PretrainTask(Task):
    """Trains all four components jointly, or the encoders alone where nothing asks for a decoder.

    Args:
        ctap: The networks.
        config: Configuration.
        tokens: Token table.
        audio: Settings of the mels.
        n_speakers: Speakers of the training.
        trained: How long its utterances are.
    """

    def __init__(
        self,
        ctap: CTAP,
        config: PretrainConfig,
        tokens: TokenTable,
        audio: AudioSettings,
        n_speakers: int,
        trained: TrainedLengths,
    ) -> None:
        super().__init__(config.optim, config.trainer)
        self.ctap = ctap
        self.in_use = InUse(ctap, trained)
        ctap.cap_scale()
        self.weights = config.loss
        self.contrastive = make_contrastive(config.loss.contrastive)
        self.tokens = tokens
        self.reconstructs = config.loss.reconstructs
        if not self.reconstructs:
            self.keep_frozen(ctap.decoder, ctap.prompt_encoder)
        self.phoneme_decoder = None
        if config.loss.phoneme_weight:
            d, stack = config.model.embed_dim, config.loss.phoneme_decoder
            self.phoneme_decoder = PhonemeDecoder(d, len(tokens), 0, stack)
        self.voices, self.hop = OtherVoices(config.voice, audio), audio.frame_shift
        self.adversary = None
        if config.loss.speaker_weight:
            self.adversary = SpeakerAdversary(config.model.embed_dim, n_speakers)

    def forward(self, batch: Batch) -> tuple[dict[str, Tensor], tuple[Tensor, ...]]:
        """Losses, and (S, P, mel from S, mel from P) for whoever wants to look; (S, P) without a decoder."""
        mask, w = batch.mask, self.weights
        target = self.ctap.normalize(batch.mel)
        s = self.ctap.encode_speech(self.voices(batch.mel), mask)
        p = self.ctap.phoneme_encoder(batch.tokens, batch.durations, batch.mel.shape[1], mask)
        # a frame's phone, by its token and by its place in the batch
        place = frame_to_phone(batch.durations, s.shape[1])
        phones = batch.tokens.gather(1, place)
        first = torch.arange(len(batch), device=place.device)[:, None] * batch.tokens.shape[1]
        losses = {"contrastive": self.contrastive(s, p, mask, self.ctap.scale, phones, first + place)}
        total = w.contrastive_weight * losses["contrastive"]
        seen: tuple[Tensor, ...] = (s, p)
        if self.reconstructs:
            mels, own = self._reconstruct(batch, target, s, p)
            warming = self.training and w.kl_warmup_steps  # what validation compares has full weights
            warmup = min(1.0, self.global_step / w.kl_warmup_steps) if warming else 1.0
            total = total + w.mse_weight * 0.5 * (own["mse_speech"] + own["mse_phone"])
            total = total + w.kl_weight * warmup * own["kl"]
            if "mse_swap" in own:
                total = total + w.swap_weight * own["mse_swap"]
            total = total + own.get("flow", 0.0)
            losses, seen = {**losses, **own}, (*seen, *mels)
        if w.embed_weight:
            losses["mse_embed"] = masked_mse(s, p, mask)
            total = total + w.embed_weight * losses["mse_embed"]
        if self.phoneme_decoder is not None:
            losses |= self._read_phonemes(phones, mask, s, p)
            total = total + w.phoneme_weight * losses["phonemes"]
        if self.adversary is not None and self.training:
            losses["speaker"] = F.cross_entropy(self.adversary(s, mask), batch.speakers)
            total = total + w.speaker_weight * losses["speaker"]
        return {**losses, "loss": total}, seen

    def said(self, batch: Batch) -> list[Tensor]:
        """Normalised log-mels [B, T, n_mels] of a batch from S and from P, as they would be heard."""
        g = self.ctap.encode_prompt(batch.prompt)[0]
        s, p = self.in_use.speech(batch.mel, batch.mask), self.in_use.phonemes(batch)
        return [self.in_use.speak(x, g, batch.mask) for x in (s, p)]

    def _reconstruct(
        self, batch: Batch, target: Tensor, s: Tensor, p: Tensor
    ) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
        """Mel from S and from P [B, T, n_mels], their errors, and the KL of the prompt (Eq. 2-4)."""
        mask = batch.mask
        mean, log_variance = self.ctap.encode_prompt(batch.prompt)
        g = sample_gaussian(mean, log_variance) if self.training else mean
        # S and P go through the decoder in one pass (Eq. 3)
        both = self.ctap.decoder(torch.cat([s, p]), torch.cat([g, g]), torch.cat([mask, mask]))
        mel_s, mel_p = both.chunk(2)
        losses = {
            "mse_speech": masked_mse(mel_s, target, mask),
            "mse_phone": masked_mse(mel_p, target, mask),
            "kl": margin_kl(mean, log_variance, self.weights.kl_margin),
            "kl_nats": gaussian_kl(mean, log_variance).mean(),
        }
        if self.weights.swap_weight:  # alone in its batch, an utterance keeps its own prompt
            losses["mse_swap"] = self._swapped(s, p, g, mask)
        if self.ctap.decoder.refiner is not None:
            # what is refined is read from S in one half of the utterances, from P in the other
            from_s = (torch.arange(len(batch), device=mask.device) % 2 == 0)[:, None, None]
            losses |= refining(self.ctap.decoder, torch.where(from_s, mel_s, mel_p), target, mask)
        return (mel_s, mel_p), losses

    def _swapped(self, s: Tensor, p: Tensor, g: Tensor, mask: Tensor) -> Tensor:
        """Squared error of the mel from S to that from P, each utterance with its neighbour's G [B, D_g]."""
        other = g.roll(1, 0)
        with torch.no_grad():
            said = self.ctap.decoder(p, other, mask)
        return masked_mse(self.ctap.decoder(s, other, mask), said, mask)

    def _read_phonemes(self, phones: Tensor, mask: Tensor, s: Tensor, p: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of the phoneme decoder on S plus that on P, and its share of right frames on S."""
        masks = torch.cat([mask, mask])
        said = self.phoneme_decoder(torch.cat([s, p]), masks)[0].float()[masks]
        right = phones[mask]
        return {
            "phonemes": 2 * F.cross_entropy(said, right.repeat(2)),
            "frame_accuracy": frame_accuracy(said[: len(right)], right),
        }

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        self.ctap.cap_scale()

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        learned = {"scale": self.ctap.scale.detach()}
        if isinstance(bias := getattr(self.contrastive, "bias", None), Tensor) and bias.numel() == 1:
            learned["bias"] = bias.detach()
        return {**self(batch)[0], **learned}

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Any] | None:
        """Log losses and retrieval; of the first batch, give what pictures show: :meth:`_sight`."""
        losses, (s, p, *mels) = self(batch)
        mask, frames = batch.mask, int(batch.lengths.sum())
        phones = frame_phones(batch.tokens, batch.durations, s.shape[1])[mask]
        lengths = batch.lengths.tolist()
        found = retrieval(s[mask], p[mask], phones, lengths=lengths, scope="utterance")
        offset = 1 + (batch_idx * 137 + 136) % MAX_SHIFT  # any, but the same at every validation
        moved = self.ctap.speech_encoder(self.ctap.normalize(batch.mel), mask, offset=offset)
        shifted = retrieval(moved[mask], p[mask], phones, lengths=lengths, scope="utterance")
        figures = {**losses, **{k: v for k, v in found.items() if not k.startswith(("chance", "frames"))}}
        figures["frame_retrieval"] = found["speech_to_phone/frame"]
        figures["phone_retrieval"] = found["speech_to_phone/phone"]
        figures["phone_retrieval_shifted"] = shifted["speech_to_phone/phone"]
        self.report("val", figures, frames)
        if batch_idx == 0 and self.trainer.is_global_zero:
            return self._sight(batch, s[0], p[0], [mel[0] for mel in mels])
        return None

    def _sight(self, batch: Batch, s: Tensor, p: Tensor, mels: list[Tensor]) -> dict[str, Any]:
        """What pictures show of the first utterance (:class:`ctap.report.training.Pictures`).

        Returns:
            ``similarity`` C [T, T], ``phones`` and their ``durations`` in frames, the ``hop`` of a frame in
            seconds, and ``mels`` [T, n_mels] by name: the target and what the decoder makes of S and of P,
            if there is a decoder.
        """
        size, count = int(batch.lengths[0]), int(batch.phone_lengths[0])
        named = zip(("from speech (S)", "from phonemes (P)"), mels, strict=False)  # no mel without a decoder
        predicted = {label: self.ctap.denormalize(mel[:size].float()).cpu() for label, mel in named}
        with torch.autocast(s.device.type, enabled=False):
            similarity = (self.ctap.scale * s[:size].float() @ p[:size].float().T).cpu()
        return {
            "similarity": similarity,
            "phones": self.tokens.decode(batch.tokens[0, :count].tolist()),
            "durations": batch.durations[0, :count].tolist(),
            "hop": self.hop,
            "mels": {"target": batch.mel[0, :size].cpu(), **predicted},
        }
