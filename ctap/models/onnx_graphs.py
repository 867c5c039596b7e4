"""The parts of a model as graphs: inputs and outputs by name, each of one utterance, of any length.

Lengths are those of an utterance. An exported network handles lengths that it has never seen in training
(``trained`` in the manifest) no better than before, and :mod:`ctap.models.windows` has no counterpart in a
graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ctap.models.inference import Model
from ctap.models.vocoder import NeuralVocoder
from ctap.models.vocoder_graph import PitchGraph, VocoderGraph
from ctap.nn.ctap import CTAP
from ctap.nn.duration import DurationModel
from ctap.nn.phoneme_decoder import PhonemeDecoder


@dataclass(frozen=True)
class Graph:
    """A part that can be exported.

    Attributes:
        module: Takes tensors in the order of ``inputs`` and gives one, or a tuple, in that of ``outputs``.
        draw: Random inputs of an utterance of so many frames or phones, by name.
        inputs: Input to the name of its second axis, where that may have any length; None where it is fixed.
        outputs: The same.
        says: What it does, for the manifest.
    """

    module: nn.Module
    draw: Callable[[int], dict[str, Tensor]]
    inputs: dict[str, str | None]
    outputs: dict[str, str | None]
    says: str


class _OfCTAP(nn.Module):
    def __init__(self, ctap: CTAP) -> None:
        super().__init__()
        self.ctap = ctap


class _SpeechEncoder(_OfCTAP):
    def forward(self, frames: Tensor) -> Tensor:
        given = self.ctap.config.given
        return self.ctap.speech_encoder(frames if given else self.ctap.normalize(frames))


class _PromptEncoder(_OfCTAP):
    def forward(self, mel: Tensor) -> Tensor:
        return self.ctap.prompt_encoder(self.ctap.normalize(mel))[0]


class _PhonemeEncoder(_OfCTAP):
    def forward(self, tokens: Tensor, durations: Tensor) -> Tensor:
        return self.ctap.phoneme_encoder(tokens, durations, durations.sum())


class _Decoder(_OfCTAP):
    def forward(self, embedding: Tensor, g: Tensor) -> Tensor:
        return self.ctap.denormalize(self.ctap.decoder.speak(embedding, g))


class _Durations(nn.Module):
    def __init__(self, ctap: CTAP, duration: DurationModel) -> None:
        super().__init__()
        self.ctap, self.duration = ctap, duration

    def forward(self, tokens: Tensor, g: Tensor, noise: Tensor, speed: Tensor) -> tuple[Tensor, ...]:
        mask = torch.ones_like(tokens) > 0
        condition = self.ctap.condition(tokens, mask, g)
        drawn = self.duration.denoise(noise, condition, mask)
        likely = self.duration.predictor(condition, mask)
        frames = (self.duration.whole_frames(z, mask, speed) for z in (drawn, likely))
        return *frames, drawn, likely


class _Recognizer(nn.Module):
    def __init__(self, asr: PhonemeDecoder) -> None:
        super().__init__()
        self.asr = asr

    def forward(self, embedding: Tensor) -> tuple[Tensor, ...]:
        phones, units = self.asr(embedding)
        found = (phones.log_softmax(dim=-1),)
        return found if units is None else (*found, units.argmax(dim=-1))


def graphs(model: Model) -> dict[str, Graph]:
    """The graphs of all parts that ``model`` has, by name."""
    found = _networks(model)
    if model.parts.duration is not None:
        found["durations"] = _duration_graph(model, model.parts.duration)
    if model.parts.asr is not None:
        found["recognizer"] = _recognizer(model, model.parts.asr)
    return found | (_vocoder(model.vocoder) if isinstance(model.vocoder, NeuralVocoder) else {})


def _networks(model: Model) -> dict[str, Graph]:
    parts, ctap = model.parts, model.parts.ctap
    d, n_mels, d_g = ctap.config.embed_dim, parts.audio.n_mels, ctap.config.prompt_encoder.dim
    frames, read = ctap.config.prompt_encoder.frames, d if ctap.config.given else n_mels

    def mel(size: int, bins: int = n_mels) -> Tensor:
        return torch.randn(1, size, bins) - 4.0

    return {
        "speech_encoder": Graph(
            _SpeechEncoder(ctap),
            lambda size: {"mel": mel(size, read)},
            {"mel": "frames"},
            {"s": "frames"},
            "log-mel [1, frames, n_mels] to S [1, frames, d]",
        ),
        "prompt_encoder": Graph(
            _PromptEncoder(ctap),
            lambda _: {"mel": mel(frames)},
            {"mel": None},
            {"g": None},
            f"log-mel of a prompt [1, {frames}, n_mels] to G [1, D_g]",
        ),
        "phoneme_encoder": Graph(
            _PhonemeEncoder(ctap),
            lambda size: _timed(model, size),
            {"tokens": "phones", "durations": "phones"},
            {"p": "frames"},
            "phone ids and the frames of each, int64 [1, phones], to P [1, frames, d]",
        ),
        "decoder": Graph(
            _Decoder(ctap),
            lambda size: {"embedding": torch.randn(1, size, d), "g": torch.randn(1, d_g)},
            {"embedding": "frames", "g": None},
            {"mel": "frames"},
            "S or P [1, frames, d] and G [1, D_g] to log-mel [1, frames, n_mels]",
        ),
    }


def _duration_graph(model: Model, duration: DurationModel) -> Graph:
    ctap = model.parts.ctap
    d_g = ctap.config.prompt_encoder.dim
    return Graph(
        _Durations(ctap, duration),
        lambda size: {
            "tokens": _phones(model, size),
            "g": torch.randn(1, d_g),
            "noise": torch.randn(1, size),
            "speed": torch.ones(1),
        },
        {"tokens": "phones", "g": None, "noise": "phones", "speed": None},
        {"drawn": "phones", "likely": "phones", "z_drawn": "phones", "z_likely": "phones"},
        "phone ids [1, phones], G, Gaussian noise [1, phones], speed [1] to frames, int64 [1, phones]: "
        "drawn by the diffusion model and of the deterministic predictor; and both as log durations z",
    )


def _recognizer(model: Model, asr: PhonemeDecoder) -> Graph:
    d = model.parts.ctap.config.embed_dim
    return Graph(
        _Recognizer(asr),
        lambda size: {"embedding": torch.randn(1, size, d)},
        {"embedding": "frames"},
        {"log_phones": "frames"} | ({"units": "frames"} if model.parts.units else {}),
        "S [1, frames, d] to log-probabilities of phones [1, frames, tokens], and text units",
    )


def _phones(model: Model, size: int) -> Tensor:
    return torch.randint(2, len(model.parts.tokens), (1, size))


def _timed(model: Model, size: int) -> dict[str, Tensor]:
    """Phones that last ``size`` frames in all, some of them none."""
    tokens = _phones(model, max(1, size // 5))
    spans = torch.multinomial(torch.ones(tokens.shape[1]), size, replacement=True)
    return {"tokens": tokens, "durations": spans.bincount(minlength=tokens.shape[1])[None]}


def _vocoder(vocoder: NeuralVocoder) -> dict[str, Graph]:
    bins, hop, margin = vocoder.settings.n_mels, vocoder.settings.hop_length, vocoder.margin

    def draw(size: int) -> dict[str, Tensor]:
        frames = max(size, 2)
        inside = frames + 2 * margin
        f0 = torch.where(torch.arange(inside) % 50 < 30, 120.0 + torch.rand(inside), 0.0)
        return {
            "mel": torch.randn(1, frames, bins) - 4.0,
            "f0": f0[None],
            "noise": torch.randn(1, (inside - 1) * hop),
        }

    return {
        "pitch": Graph(
            PitchGraph(vocoder),
            lambda size: {"mel": torch.randn(1, size, bins) - 4.0},
            {"mel": "frames"},
            {"f0": "held"},
            f"log-mel [1, frames, n_mels] to F0 in Hz [1, frames + {2 * margin}], 0 where unvoiced",
        ),
        "vocoder": Graph(
            VocoderGraph(vocoder),
            draw,
            {"mel": "frames", "f0": "held", "noise": "drawn"},
            {"wave": "samples"},
            f"log-mel of 2 frames or more, their F0, Gaussian noise [1, (frames + {2 * margin - 1}) * {hop}] "
            f"to samples [1, (frames - 1) * {hop}]",
        ),
    }
