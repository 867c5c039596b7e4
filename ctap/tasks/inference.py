"""A trained model in use: ``ctap.load(DIR)`` and its four verbs (paper, section 2.2).

model = ctap.load("exp/tts_SSB7001/model")
speech = model.synthesize("今天天气很好。", prompt="prompt.wav")
speech.save("out.wav")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ctap.audio.logmel import log_mel
from ctap.audio.vocoder import Vocoder, make_vocoder
from ctap.audio.wave import load_wave, save_wave
from ctap.device import choose_device
from ctap.errors import UserError
from ctap.eval.errors import collapse
from ctap.kaldi.ark import read_matrix
from ctap.tasks.model_dir import Parts
from ctap.text.frontend import text_to_phones

Wave = str | Path | np.ndarray
DurationSource = Literal["diffusion", "deterministic"]

WINDOW = 3000  # frames: 30 s at once, so that an hour of speech needs no more memory than half a minute
SWITCH_PENALTY = 4.0  # nats: what a change of phone costs in recognition
MARGIN = 200  # frames of context on both sides of a window


@dataclass
class Speech:
    """Generated speech.

    Attributes:
        wave: [N] samples in [-1, 1].
        sample_rate: In Hz.
        mel: [T, n_mels] log-mel it was made from.
        phones: Phones said, for synthesis from text.
        durations: Frames of each.
    """

    wave: np.ndarray
    sample_rate: int
    mel: Tensor
    phones: list[str] | None = None
    durations: list[int] | None = None

    def save(self, path: str | Path) -> None:
        """Write a PCM-16 wav file."""
        save_wave(path, self.wave, self.sample_rate)


@dataclass
class Recognition:
    """What was heard.

    Attributes:
        frame_phones: One phone a frame, the best sequence when every change has its price.
        phones: The same, repeats merged and pauses dropped.
        text: Best path of the CTC head, or None without one.
    """

    frame_phones: list[str]
    phones: list[str]
    text: str | None


def windowed(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a frame-to-frame ``function`` to ``x`` [T, D] in windows with context, and join the results."""
    if len(x) <= WINDOW:
        return function(x)
    parts = []
    for start in range(0, len(x), WINDOW):
        left = max(0, start - MARGIN)
        y = function(x[left : start + WINDOW + MARGIN])
        parts.append(y[start - left : start - left + WINDOW])
    return torch.cat(parts)


class Model:
    """The parts of a model directory, ready to use.

    Args:
        parts: What the directory holds.
        device: Torch device.
        vocoder: Name of the vocoder, see :func:`ctap.audio.vocoder.make_vocoder`.
    """

    def __init__(self, parts: Parts, device: str = "cpu", vocoder: str = "griffin_lim") -> None:
        self.parts = parts
        self.device = torch.device(device)
        for module in parts.modules().values():
            module.to(self.device).eval()
        self.vocoder: Vocoder = make_vocoder(vocoder, parts.audio)

    @property
    def sample_rate(self) -> int:
        """Sampling rate in Hz of every waveform that goes in as an array or comes out."""
        return self.parts.audio.sample_rate

    def mel(self, wave: Wave) -> Tensor:
        """Normalised log-mel [T, n_mels] of a file, or of an array [N] at :attr:`sample_rate`."""
        if not isinstance(wave, np.ndarray):
            wave = load_wave(wave, self.sample_rate)
        samples = torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32))
        return self.parts.ctap.normalize(log_mel(samples, self.parts.audio).to(self.device))

    @torch.inference_mode()
    def embed(self, speech: Wave) -> Tensor:
        """Speech embeddings S [T, d], one a frame of 10 ms (Eq. 1).

        Args:
            speech: A wave; for a model that reads another representation (section 3.2) an entry of its
                feats.scp, or its frames [T, d].
        """
        frames = self._given(speech) if self.parts.ctap.config.given else self.mel(speech)
        return windowed(lambda x: self.parts.ctap.speech_encoder(x[None])[0], frames).cpu()

    def _given(self, entry: Wave) -> Tensor:
        dim = self.parts.ctap.config.embed_dim
        if not isinstance(entry, np.ndarray) and Path(entry).suffix == ".wav":
            raise UserError(
                f"{entry}: {self.parts.path or 'this model'} reads frames of another representation, no "
                "waves; give the feats.scp of its dump"
            )
        frames = entry if isinstance(entry, np.ndarray) else read_matrix(str(entry))
        if frames.ndim != 2 or frames.shape[1] != dim:
            raise UserError(f"{entry}: frames {list(frames.shape)}, expected [T, {dim}]")
        return torch.from_numpy(np.ascontiguousarray(frames, dtype=np.float32)).to(self.device)

    @torch.inference_mode()
    def embed_prompt(self, wave: Wave) -> Tensor:
        """Prompt embedding G [D_g] of the middle 3 s."""
        return self.parts.ctap.prompt_encoder(self._prompt(wave)[None])[0][0].cpu()

    def _prompt(self, wave: Wave) -> Tensor:
        return self.parts.ctap.fit_prompt(self.mel(wave))

    @torch.inference_mode()
    def _decode(self, embedding: Tensor, g: Tensor) -> Speech:
        ctap = self.parts.ctap
        g = g.to(self.device)[None]
        mel = windowed(lambda x: ctap.decoder(x[None], g)[0], embedding.to(self.device))
        mel = ctap.denormalize(mel).float().cpu()
        return Speech(self.vocoder(mel), self.sample_rate, mel)

    def convert(self, source: Wave, prompt: Wave) -> Speech:
        """Say ``source`` in the voice of this model's decoder and ``prompt`` (section 2.2.2)."""
        return self._decode(self.embed(source), self.embed_prompt(prompt))

    @torch.inference_mode()
    def predict_durations(
        self,
        phones: list[str],
        prompt: Wave,
        source: DurationSource = "diffusion",
        speed: float = 1.0,
        seed: int = 0,
    ) -> list[int]:
        """Frames of each phone, drawn from the diffusion model or from the deterministic predictor."""
        duration = self.parts.require("duration")
        tokens = torch.tensor([self.parts.tokens.encode(phones)], device=self.device)
        mask = torch.ones_like(tokens, dtype=torch.bool)
        mel = self.parts.ctap.denormalize(self._prompt(prompt))[None]
        condition = self.parts.ctap.duration_condition(tokens, mask, mel)
        if source == "diffusion":
            z = duration.sample(condition, mask, torch.Generator().manual_seed(seed))
        else:
            z = duration.predictor(condition, mask)
        return duration.to_frames(z, mask, speed)[0].tolist()

    @torch.inference_mode()
    def synthesize(
        self,
        text: str | list[str],
        prompt: Wave,
        *,
        durations: list[int] | DurationSource = "diffusion",
        speed: float = 1.0,
        seed: int = 0,
    ) -> Speech:
        """Speech from text (section 2.2.1).

        Args:
            text: Hanzi or pinyin, or a list of phones as they stand.
            prompt: Speech of the voice wanted.
            durations: Frames of each phone, or who predicts them.
            speed: Above 1 is faster.
            seed: Seeds the diffusion model.

        Raises:
            UserError: The text can't be read, or durations do not fit the phones.
        """
        phones = text_to_phones(text) if isinstance(text, str) else text
        if isinstance(durations, str):
            durations = self.predict_durations(phones, prompt, durations, speed, seed)
        if len(durations) != len(phones):
            raise UserError(f"{len(durations)} durations for {len(phones)} phones: expected one each")
        tokens = torch.tensor([self.parts.tokens.encode(phones)], device=self.device)
        spans = torch.tensor([durations], device=self.device)
        p = self.parts.ctap.phoneme_encoder(tokens, spans, int(spans.sum()))[0]
        speech = self._decode(p, self.embed_prompt(prompt))
        speech.phones, speech.durations = phones, list(durations)
        return speech

    @torch.inference_mode()
    def recognize(self, wave: Wave) -> Recognition:
        """Phones of every frame, phones, and text (section 2.2.3)."""
        return self.recognize_embedding(self.embed(wave))

    @torch.inference_mode()
    def recognize_embedding(self, embedding: Tensor) -> Recognition:
        """The same from speech embeddings [T, d]."""
        asr, tokens, units = self.parts.require("asr"), self.parts.tokens, self.parts.units

        def logits(x: Tensor) -> Tensor:
            phones, spelled = asr(x[None])
            return torch.cat([phones[0], spelled[0]] if spelled is not None else [phones[0]], dim=1)

        found = windowed(logits, embedding.to(self.device)).float().cpu()
        best_phones = sticky_path(found[:, : len(tokens)].log_softmax(dim=1), SWITCH_PENALTY)
        frame_phones = tokens.decode(best_phones.tolist())
        text = None
        if units is not None:
            best = torch.unique_consecutive(found[:, len(tokens) :].argmax(dim=1))
            text = units.decode(best[best != 0].tolist())
        return Recognition(frame_phones, collapse(frame_phones), text)


def sticky_path(scores: Tensor, penalty: float) -> Tensor:
    """Best sequence of labels when every change of label costs ``penalty``.

    Viterbi over a model in which each label follows each other one alike: frames that waver for a moment
    do not break a phone in two.

    Args:
        scores: [T, V] log-probabilities.
        penalty: Cost of a change in nats; 0 gives the best label of every frame.

    Returns:
        [T] int64.
    """
    best = scores[0]
    changed = torch.zeros(scores.shape, dtype=torch.bool)
    source = torch.zeros(len(scores), dtype=torch.long)
    for t in range(1, len(scores)):
        value, source[t] = best.max(dim=0)
        changed[t] = value - penalty > best
        best = torch.maximum(best, value - penalty) + scores[t]
    path = torch.empty(len(scores), dtype=torch.long)
    label = int(best.argmax())
    for t in range(len(scores) - 1, -1, -1):
        path[t] = label
        if changed[t, label]:
            label = int(source[t])
    return path


def load(path: str | Path, device: str = "auto", vocoder: str = "griffin_lim") -> Model:
    """Load a model directory (``OUT/model`` of a training, or an unpacked package of stage 8).

    Args:
        path: The directory.
        device: ``cpu``, ``cuda``, ..., or ``auto``: a GPU when there is one.
        vocoder: Name of the vocoder.

    Raises:
        UserError: ``path`` is no model directory, or a broken one.
    """
    return Model(Parts.load(path), choose_device(device), vocoder)
