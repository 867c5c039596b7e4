"""A trained model in use: ``ctap.load(DIR)`` and its four verbs (paper, section 2.2).

model = ctap.load("exp/tts_SSB7001/model")
speech = model.synthesize("今天天气很好。", prompt="prompt.wav")
speech.save("out.wav")

Gradients are off, but not by torch's inference mode: what comes out may go into a training of one's own.
"""

from __future__ import annotations

import functools
import operator
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from ctap.audio.long import long_log_mel, vocode
from ctap.audio.vocoder import Vocoder
from ctap.audio.wave import samples_of
from ctap.device import choose_device
from ctap.errors import UserError
from ctap.metrics.errors import collapse
from ctap.models import checks
from ctap.models.model_dir import Parts
from ctap.models.pitch import Melody, check_melody, source_f0, taking_f0
from ctap.models.prompt import Prompt, Voice, Wave, hear
from ctap.models.recognition import SWITCH_PENALTY, Recognition, sticky_path
from ctap.models.speech import Speech
from ctap.models.timing import Timed, check_length, check_pause, given, join, listed, time_pieces
from ctap.models.vocoder import DEFAULT, load_vocoder
from ctap.models.windows import AnyLength, windowed
from ctap.nn.duration import check_speed, seeded

DurationSource = Literal["diffusion", "deterministic"]

PAUSE = 0.4  # seconds between two sentences
MAX_SECONDS = 3600.0  # the most that is said at once


class Model:
    """The parts of a model directory, ready to use; what can't be done is a :class:`UserError`.

    Args:
        parts: What the directory holds.
        device: Torch device.
        vocoder: Its name or directory, see :func:`ctap.models.vocoder.load_vocoder`.
    """

    def __init__(self, parts: Parts, device: str = "cpu", vocoder: str | Path = DEFAULT) -> None:
        self.parts, self.device = parts, torch.device(device)
        for module in parts.modules().values():
            module.to(self.device).eval()
        self.networks, self._vocoder = AnyLength(parts.ctap, parts.trained), vocoder

    @functools.cached_property
    def vocoder(self) -> Vocoder:
        """Loaded when it is first needed: recognition and embedding need none."""
        return load_vocoder(self._vocoder, self.parts.audio, self.device)

    @property
    def sample_rate(self) -> int:
        """Sampling rate in Hz of every waveform that goes in as an array or comes out."""
        return self.parts.audio.sample_rate

    def log_mel(self, wave: Wave) -> Tensor:
        """Log-mel [T, n_mels] of a file, or of an array [N] in -1..1 at :attr:`sample_rate`."""
        samples = torch.from_numpy(samples_of(wave, self.sample_rate))
        return long_log_mel(samples, self.parts.audio).to(self.device)

    @torch.no_grad()
    def embed(self, speech: Wave) -> Tensor:
        """Speech embeddings S [T, d], one a frame: 10 ms with the default audio settings (Eq. 1).

        Args:
            speech: A wave; for a model that reads another representation (section 3.2) an entry of its
                feats.scp, or its frames [T, d].

        Raises:
            UserError: It can't be read, or is an array of another kind.
        """
        if self.parts.ctap.config.given:
            frames = checks.read_frames(speech, self.parts).to(self.device)
        else:
            frames = self.parts.ctap.normalize(self.log_mel(speech))
        return self.networks.speech(frames).float().cpu()  # also under autocast

    @torch.no_grad()
    def embed_phones(self, phones: list[str], durations: list[int]) -> Tensor:
        """Phoneme embeddings P [T, d] of phones that last ``durations`` frames, in the space of S (Eq. 1).

        Raises:
            UserError: A phone is not one of the model's, or durations do not fit the phones or their limits.
        """
        return self._phonemes(given(phones, durations)).float().cpu()

    def _phonemes(self, timed: Timed) -> Tensor:
        tokens = torch.tensor(self.parts.tokens.encode(timed.phones), device=self.device)
        return self.networks.phonemes(tokens, torch.tensor(timed.durations, device=self.device))

    @torch.no_grad()
    def prompt(self, voice: Voice, *, strict: bool = True) -> Prompt:
        """Compute the prompt once for all speech of this model: :func:`ctap.models.prompt.hear`."""
        return hear(voice, self.parts, self.log_mel, strict=strict)

    def embed_prompt(self, voice: Voice) -> Tensor:
        """Prompt embedding G [D_g] of the 3 s with most speech; of several recordings the mean."""
        return self.prompt(voice).g.cpu()

    def speak(self, mel: Tensor, f0: Tensor | None = None) -> Speech:
        """Log-mel [T, n_mels], not normalised, through the vocoder; with an F0 [T] in Hz of your own.

        Raises:
            UserError: They are no tensors of these sizes, or not finite; or the vocoder takes no F0.
        """
        mel = checks.check_mel(mel, self.parts)
        if f0 is None:
            return Speech(vocode(self.vocoder, mel, self.parts.audio), self.sample_rate, mel)
        return Speech(taking_f0(self.vocoder)(mel, checks.check_f0(f0, len(mel))), self.sample_rate, mel)

    def check_text(
        self,
        text: str | list[str],
        durations: list[int] | None = None,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        """Refuse what :meth:`synthesize` would, beforehand: :func:`ctap.models.checks.check_text`."""
        checks.check_text(text, self.parts, durations, max_seconds)

    def check_source(self, source: str | Path) -> None:
        """Refuse a recording that can't be read: :func:`ctap.models.checks.check_source`."""
        checks.check_source(source, bool(self.parts.ctap.config.given))

    @torch.no_grad()
    def convert(self, source: Wave, prompt: Voice, melody: Melody = "model") -> Speech:
        """Say ``source`` in the voice of this model's decoder and ``prompt`` (section 2.2.2).

        Args:
            source: A wave; of a model that reads another representation, as :meth:`embed`.
            prompt: Speech of the voice wanted.
            melody: What determines F0: the model, as in the paper, or the source, whose F0 is shifted to
                the mean of the prompt's.

        Raises:
            UserError: As :meth:`check_melody`.
        """
        self.check_melody(melody)
        voice, embedding = self.prompt(prompt), self.embed(source).to(self.device)
        denormalize, f0 = self.parts.ctap.denormalize, None
        mel = denormalize(self.networks.speak(embedding, voice.g)).float().cpu()
        if melody == "source":
            f0 = source_f0(taking_f0(self.vocoder), self.log_mel(source), denormalize(voice.mels))
        return self.speak(mel, f0)

    def check_melody(self, melody: Melody) -> None:
        """Refuse a melody that :meth:`convert` can't give, beforehand: :mod:`ctap.models.pitch`."""
        check_melody(melody, self.vocoder, self.parts)

    @torch.no_grad()
    def predict_durations(
        self,
        phones: list[str],
        prompt: Voice,
        source: DurationSource = "diffusion",
        speed: float = 1.0,
        seed: int = 0,
    ) -> list[int]:
        """Frames of each phone, drawn from the diffusion model or from the deterministic predictor.

        Extreme predictions are clamped: :meth:`ctap.nn.duration.DurationModel.to_frames`.

        Raises:
            UserError: ``speed`` is out of :data:`ctap.nn.duration.SPEEDS`.
        """
        return self._predict(phones, self.prompt(prompt).g, source, speed, operator.index(seed))

    def _predict(
        self, phones: list[str], g: Tensor, source: DurationSource, speed: float, seed: int
    ) -> list[int]:
        duration = self.parts.require("duration")
        check_speed(speed)
        if source not in (sources := get_args(DurationSource)):
            raise UserError(f"durations {source!r}: expected {' or '.join(sources)}, or frames of each phone")
        if not (phones := listed(phones)):
            raise UserError("no phones to say")
        tokens = torch.tensor(self.parts.tokens.encode(phones), device=self.device)
        condition = self.networks.condition(tokens, g)[None]
        mask = torch.ones_like(tokens, dtype=torch.bool)[None]
        if source == "diffusion":
            z = duration.sample(condition, mask, seeded(seed))
        else:
            z = duration.predictor(condition, mask)
        return duration.to_frames(z, mask, speed)[0].tolist()

    @torch.no_grad()
    def synthesize(
        self,
        text: str | list[str],
        prompt: Voice,
        *,
        durations: list[int] | DurationSource = "diffusion",
        speed: float = 1.0,
        seed: int = 0,
        pause: float = PAUSE,
        max_seconds: float = MAX_SECONDS,
    ) -> Speech:
        """Speech from text (section 2.2.1), of any length.

        Text is read as that of the model's training was, and said sentence by sentence; sentences (and lists
        of phones) much longer than those of the training are cut: :mod:`ctap.text.pieces`.

        Args:
            text: In the language of the model (Mandarin: hanzi or pinyin), or a list of phones as they stand.
            prompt: Speech of the voice wanted; of several recordings, their G is averaged.
            durations: Frames of each phone, or who predicts them.
            speed: Above 1 is faster.
            seed: Seeds the diffusion model; any whole number, of numpy too.
            pause: Seconds between two sentences, where durations are predicted.
            max_seconds: Refuse to say more.

        Raises:
            UserError: The text can't be read, durations do not fit the phones or their limits, or a number is
                out of its range.
        """
        check_speed(speed)
        check_pause(pause)
        heard = self.prompt(prompt)
        timed = self._time(text, heard.g, durations, speed, operator.index(seed), pause)
        check_length(timed, self.parts.audio.frame_shift, max_seconds)
        mels = [self._mel_of(piece, heard.g) for piece in timed]
        speech, whole = self.speak(torch.cat(mels)), join(timed)
        speech.phones, speech.durations = whole.phones, whole.durations
        return speech

    @torch.no_grad()
    def predict_mel(self, phones: list[str], durations: list[int], prompt: Voice) -> Tensor:
        """Log-mel [T, n_mels] of phones that last ``durations`` frames, before any vocoder.

        Raises:
            UserError: Durations do not fit the phones or their limits.
        """
        return self._mel_of(given(phones, durations), self.prompt(prompt).g)

    @torch.no_grad()
    def mel_of(self, phones: list[str], durations: list[int], g: Tensor) -> Tensor:
        """Log-mel [T, n_mels] of phones that last ``durations`` frames, in the voice of G [D_g].

        Raises:
            UserError: Durations do not fit the phones or their limits, or ``g`` is no G of this model.
        """
        return self._mel_of(given(phones, durations), checks.check_g(g, self.parts).to(self.device))

    def _mel_of(self, timed: Timed, g: Tensor) -> Tensor:
        speech = self.networks.speak(self._phonemes(timed), g)
        return self.parts.ctap.denormalize(speech).float().cpu()

    def _time(
        self,
        text: str | list[str],
        g: Tensor,
        durations: list[int] | DurationSource,
        speed: float,
        seed: int,
        pause: float,
    ) -> list[Timed]:
        if not isinstance(durations, str):
            return [given(checks.read_phones(text, self.parts), durations)]
        return time_pieces(
            checks.read_pieces(text, self.parts),
            lambda phones, i: self._predict(phones, g, durations, speed, seed + i),
            round(pause / self.parts.audio.frame_shift),
        )

    @torch.no_grad()
    def recognize(self, wave: Wave, switch_penalty: float = SWITCH_PENALTY) -> Recognition:
        """Phones of every frame, phones, and text (section 2.2.3).

        Args:
            wave: A file, or an array.
            switch_penalty: Nats that a change of phone costs; 0: the best phone of every frame.
        """
        return self.recognize_embedding(self.embed(wave), switch_penalty)

    @torch.no_grad()
    def recognize_embedding(self, embedding: Tensor, switch_penalty: float = SWITCH_PENALTY) -> Recognition:
        """The same from speech embeddings S [T, d], such as :meth:`embed` gives."""
        embedding = checks.check_embedding(embedding, self.parts)
        asr, tokens, units = self.parts.require("asr"), self.parts.tokens, self.parts.units

        def scores(x: Tensor) -> Tensor:
            phones, spelled = asr(x)
            found = [phones.float().log_softmax(dim=-1)]
            if spelled is not None:  # thousands of units: the best alone
                found.append(spelled.argmax(dim=-1, keepdim=True).float())
            return torch.cat(found, dim=-1)

        found = windowed(scores, embedding.to(self.device), self.parts.trained.window("asr")).cpu()
        best_phones = sticky_path(found[:, : len(tokens)], switch_penalty)
        frame_phones = tokens.decode(best_phones.tolist())
        text = None
        if units is not None:
            best = torch.unique_consecutive(found[:, len(tokens)].long())
            text = units.decode(best[best != 0].tolist())
        return Recognition(frame_phones, collapse(frame_phones), text)


def load(path: str | Path, device: str = "auto", vocoder: str | Path = DEFAULT) -> Model:
    """Load a model directory (``OUT/model`` of a training, or an unpacked package of stage 8).

    Args:
        path: The directory.
        device: ``cpu``, ``cuda``, ..., or ``auto``: a GPU when there is one.
        vocoder: ``pretrained``, ``griffin_lim``, or the directory of a trained vocoder.

    Raises:
        UserError: ``path`` is not a model directory, or is broken.
    """
    return Model(Parts.load(path), choose_device(device), vocoder)
