"""What a model makes of held-out speech, utterance by utterance."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from ctap.data.batch import Batch
from ctap.loss.contrastive_tiled import tiled_contrastive
from ctap.loss.kl import gaussian_kl
from ctap.loss.regression import masked_mse
from ctap.metrics.mcd import mel_cepstral_distortion
from ctap.metrics.representation import MAX_SHIFT
from ctap.models.model_dir import Parts
from ctap.models.windows import AnyLength, TrainedLengths
from ctap.nn.ctap import CTAP


class Encoded:
    """Embeddings of every utterance of a set, and the figures that each utterance has of its own.

    Attributes:
        speech: S of each utterance, [T, d].
        shifted: The same with the speech encoder's positions shifted at random, by 1 to MAX_SHIFT frames.
        phonemes: P of each utterance, [T, d].
        scale: The temperature of Eq. 5, by which similarities are multiplied.
        figures: One value an utterance of mse_speech, mse_phone, kl and mel_cepstral_distortion.
    """

    def __init__(self, ctap: CTAP, trained: TrainedLengths, batches: Sequence[Batch], seed: int) -> None:
        """Encode and decode every utterance by itself, in float32, in the windows of a model in use."""
        networks = AnyLength(ctap, trained)
        shifts = random.Random(seed)
        self.scale = ctap.scale.detach().cpu()
        self.speech: list[Tensor] = []
        self.shifted: list[Tensor] = []
        self.phonemes: list[Tensor] = []
        self.figures: dict[str, list[float]] = {
            k: [] for k in ("mse_speech", "mse_phone", "kl", "mel_cepstral_distortion")
        }
        for batch in batches:
            mel, mask = ctap.normalize(batch.mel), batch.mask
            s = networks.speech(mel[0])
            p = networks.phonemes(batch.tokens[0], batch.durations[0])
            moved = networks.speech(mel[0], offset=shifts.randint(1, MAX_SHIFT))
            g, log_variance = ctap.encode_prompt(batch.prompt)
            mel_s, mel_p = (networks.decode(x, g[0])[None] for x in (s, p))
            self.speech.append(s.cpu())
            self.shifted.append(moved.cpu())
            self.phonemes.append(p.cpu())
            said = ctap.denormalize(mel_p)[0].cpu().numpy()
            for name, value in {
                "mse_speech": masked_mse(mel_s, mel, mask).item(),
                "mse_phone": masked_mse(mel_p, mel, mask).item(),
                "kl": gaussian_kl(g, log_variance).item(),
                "mel_cepstral_distortion": mel_cepstral_distortion(
                    batch.mel[0].cpu().numpy(), said, same_length=True
                ),
            }.items():
                self.figures[name].append(value)

    def contrastive(self, utterances: int) -> float:
        """Eq. 6 over the frames of so many ``utterances`` at a time, averaged over these groups."""
        groups = [slice(i, i + utterances) for i in range(0, len(self.speech), utterances)]
        losses = [
            tiled_contrastive(torch.cat(self.speech[own]), torch.cat(self.phonemes[own]), self.scale).item()
            for own in groups
        ]
        return sum(losses) / len(losses)


def untrained(parts: Parts, batches: Sequence[Batch], seed: int) -> Encoded:
    """What a model of the same size makes of them with random weights."""
    torch.manual_seed(seed)
    blank = CTAP(parts.ctap.config, len(parts.tokens), parts.audio.n_mels).to(batches[0].mel.device).eval()
    blank.mean, blank.std = parts.ctap.mean, parts.ctap.std
    return Encoded(blank, parts.trained, batches, seed)
