"""Vocoders by name, and the neural one ready to use: whole, or a chunk of mel at a time.

This is the one place where a name becomes a vocoder: ``pretrained`` (the weights that come with the package),
``griffin_lim``, or a directory. That of a training holds ``model.yaml``, ``audio.json`` and
``vocoder.safetensors``; that of a generator from elsewhere, :mod:`ctap.models.onnx_vocoder`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.audio.logmel import check_mel
from ctap.audio.settings import AudioSettings
from ctap.audio.vocoder import VOCODERS, Vocoder
from ctap.config import from_dict, save_yaml, to_dict
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir
from ctap.files.sums import write_sums
from ctap.models.model_dir import FORMAT, check_state, read_description
from ctap.models.onnx_vocoder import GRAPH, OnnxConfig, OnnxVocoder
from ctap.models.windows import windowed
from ctap.nn.excitation import seeded_noise
from ctap.nn.vocoder import SourceFilter, VocoderConfig

DEFAULT = "pretrained"
PRETRAINED = Path(__file__).parent / "pretrained_vocoder"
WEIGHTS = "vocoder.safetensors"
CHUNK = 500  # frames that are computed at once
SEED = 0  # of the noise


def load_vocoder(name: str | Path, settings: AudioSettings, device: str | torch.device = "cpu") -> Vocoder:
    """The vocoder called ``name``.

    Args:
        name: ``pretrained``, ``griffin_lim``, or a vocoder's directory.
        settings: Audio settings of the mels that it will get.
        device: Torch device of a neural vocoder; Griffin-Lim runs where its mel is.

    Raises:
        UserError: There is no such vocoder, or it was trained for other audio settings.
    """
    if str(name) in VOCODERS:
        return VOCODERS[str(name)](settings)
    folder = PRETRAINED if str(name) == "pretrained" else Path(name)
    if not folder.is_dir():
        known = ", ".join(["pretrained", *sorted(VOCODERS)])
        raise UserError(f"no vocoder {str(name)!r}; known: {known}, or give the directory of a trained one")
    described = read_description(folder)["parts"]
    settings.require_same(AudioSettings.load(folder / "audio.json"), f"vocoder {name}")
    if "onnx" in described:
        config = from_dict(OnnxConfig, described["onnx"], f"{folder}/model.yaml")
        return OnnxVocoder(folder / GRAPH, config, settings, device)
    parts = VocoderParts.load(folder)
    return NeuralVocoder(parts.vocoder, device)


class VocoderParts:
    """What a vocoder's model directory holds.

    Args:
        vocoder: The networks.
    """

    def __init__(self, vocoder: SourceFilter) -> None:
        self.vocoder = vocoder
        self.audio = vocoder.settings

    def save(self, path: str | Path) -> None:
        """Write a model directory, whole or not at all."""
        from safetensors.torch import save

        with atomic_dir(path) as folder:
            parts = {"vocoder": to_dict(self.vocoder.config)}
            save_yaml({"format": FORMAT, "parts": parts}, folder / "model.yaml")
            self.audio.save(folder / "audio.json")
            state = {k: v.detach().cpu().contiguous() for k, v in self.vocoder.state_dict().items()}
            (folder / WEIGHTS).write_bytes(save(state))
            write_sums(folder)

    @classmethod
    def load(cls, path: str | Path) -> VocoderParts:
        """Read a model directory.

        Raises:
            UserError: It is no vocoder's, or its weights do not fit its configuration.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = Path(path)
        described = read_description(path)["parts"]
        if "vocoder" not in described:
            raise UserError(f"{path}: no vocoder but {', '.join(described)}; a vocoder's training writes one")
        config = from_dict(VocoderConfig, described["vocoder"], f"{path}/model.yaml")
        vocoder = SourceFilter(config, AudioSettings.load(path / "audio.json"))
        try:
            state = load_file(path / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise UserError(f"{path / WEIGHTS}: can't read the weights: {error}") from error
        check_state(vocoder, state, path / WEIGHTS)
        vocoder.load_state_dict(state)
        return cls(vocoder.eval())


class NeuralVocoder:
    """A trained vocoder: log-mel to samples; the same mel gives the same samples.

    Args:
        vocoder: The networks.
        device: Torch device.
    """

    any_length = True

    def __init__(self, vocoder: SourceFilter, device: str | torch.device = "cpu") -> None:
        self.net = vocoder.to(device).eval()
        self.settings, self.device = vocoder.settings, torch.device(device)
        self.updates = vocoder.config.use.updates
        self.guided_updates = min(self.updates, vocoder.config.use.guided_updates)
        self.noise = 10 ** (vocoder.config.use.noise_db / 20)
        overlap = vocoder.settings.n_fft // 2 // vocoder.settings.hop_length + 1
        self.margin = 2 * overlap  # frames repeated before the first and after the last
        self.filter_reach = vocoder.config.gain_reach + 4 * overlap
        self.reach = self.filter_reach + vocoder.config.f0_reach  # frames known beyond a sample that is said

    def __call__(self, mel: Tensor, f0: Tensor | None = None) -> np.ndarray:
        """Natural-log mel ``[T, M]`` to samples ``[(T - 1) * hop_length]``, float32, in -1..1.

        A mel of one frame gives ``hop_length - 1`` samples. Memory does not grow with the length, but for the
        samples themselves.

        Args:
            mel: What is to be said.
            f0: Hz ``[T]``, 0 where unvoiced, in place of what the mel shows.

        Raises:
            ValueError: The mel is not ``[T, n_mels]`` with at least one frame, or not finite, or F0 does not
                fit it, or is somewhere not a number.
        """
        check_mel(mel, self.settings)
        if f0 is not None and f0.shape != mel.shape[:1]:
            raise ValueError(f"expected F0 [{len(mel)}] for a mel of as many frames, found {tuple(f0.shape)}")
        if len(mel) == 1:
            twice = None if f0 is None else f0.expand(2)
            return self(mel.expand(2, -1), twice)[: self.settings.hop_length - 1]
        return np.concatenate(list(self.stream([mel], f0)))

    def f0(self, mel: Tensor) -> Tensor:
        """F0 ``[T]`` Hz that a natural-log mel ``[T, M]`` shows, 0 where it is rather unvoiced."""
        return self._read(self.net.f0, mel)

    def said_f0(self, mel: Tensor) -> Tensor:
        """F0 ``[T]`` that a mel is said with: frames that may be voiced have it, too."""
        return self._read(self.net.said_f0, mel)

    @torch.inference_mode()
    def _read(self, read: Callable[[Tensor], Tensor], mel: Tensor) -> Tensor:
        frames = mel.to(self.device).float()
        return windowed(lambda some: read(some)[..., None], frames, CHUNK)[:, 0].cpu()

    def stream(self, chunks: Iterable[Tensor], f0: Tensor | None = None) -> Iterator[np.ndarray]:
        """Samples of a mel that comes in chunks ``[t, M]``: as :meth:`__call__` gives for all of it at once.

        Differences are those of rounding. Chunks of more than :data:`CHUNK` frames are cut. A sample is
        returned once :attr:`reach` frames after it are known. These frames are computed again for every
        chunk: a chunk of a few frames costs nearly as much as one of fifty. A mel of one frame gives nothing.

        Args:
            chunks: Mels ``[t, M]``.
            f0: Hz ``[T]`` of all frames, 0 where unvoiced, in place of what the mels show.

        Raises:
            ValueError: As of :meth:`__call__`, once it is seen.
        """
        state = _Stream(self, f0)
        for chunk in itertools.chain.from_iterable(given.split(CHUNK) for given in chunks):
            if len(wave := state.add(chunk)):
                yield wave
        if len(wave := state.finish()):
            yield wave


class _Stream:
    """What is kept between chunks. Frames count from ``margin`` repetitions of the first."""

    def __init__(self, vocoder: NeuralVocoder, f0: Tensor | None = None) -> None:
        self.vocoder = vocoder
        self.updates = vocoder.updates if f0 is None else vocoder.guided_updates
        self.f0 = None
        if f0 is not None:
            if not (torch.isfinite(f0) & (f0 >= 0)).all():
                # one NaN would silence all that is said: phases add up
                raise ValueError("F0 holds NaN, infinite or negative values: expected Hz, 0 where unvoiced")
            ends = (vocoder.margin, vocoder.margin)
            self.f0 = F.pad(f0.to(vocoder.device).float()[None], ends, mode="replicate")
        self.mel = torch.zeros(0, vocoder.settings.n_mels, device=vocoder.device)
        self.first = 0  # frame that self.mel starts with
        self.sent = vocoder.margin  # samples up to this frame are out
        self.phase_at, self.phase = 0, torch.zeros(1, dtype=torch.float64, device=vocoder.device)

    @property
    def given(self) -> int:
        """Frames that F0 is given of."""
        return 0 if self.f0 is None else self.f0.shape[1] - 2 * self.vocoder.margin

    def add(self, chunk: Tensor) -> np.ndarray:
        settings, margin = self.vocoder.settings, self.vocoder.margin
        check_mel(chunk, settings, least=0)
        if not len(chunk):
            return np.zeros(0, np.float32)
        limits = float(np.log(settings.log_floor)), float(np.log(settings.n_fft))
        chunk = chunk.to(self.vocoder.device).float().clamp(*limits)
        if self.first + len(self.mel) == 0:
            chunk = torch.cat([chunk[:1].expand(margin, -1), chunk])
        self.mel = torch.cat([self.mel, chunk])
        end = self.first + len(self.mel)
        if self.f0 is not None and end - margin > self.given:
            raise ValueError(f"expected F0 of all frames, found {self.given} for {end - margin} or more")
        return self._say(end - self.vocoder.reach, end - self.vocoder.net.config.f0_reach)

    def finish(self) -> np.ndarray:
        if not len(self.mel):
            return np.zeros(0, np.float32)
        margin = self.vocoder.margin
        frames = self.first + len(self.mel) - margin
        if self.f0 is not None and frames != self.given:
            raise ValueError(f"expected F0 of {frames} frames, as many as came, found {self.given}")
        self.mel = torch.cat([self.mel, self.mel[-1:].expand(margin, -1)])
        end = self.first + len(self.mel)
        return self._say(end - margin - 1, end)

    @torch.inference_mode()
    def _say(self, upto: int, known: int) -> np.ndarray:
        """Samples from frame ``sent`` to frame ``upto``; F0 is right before frame ``known``."""
        if upto <= self.sent:
            return np.zeros(0, np.float32)
        vocoder, net, hop = self.vocoder, self.vocoder.net, self.vocoder.settings.hop_length
        start = self.phase_at
        part = self.mel[None, start - self.first : known - self.first]
        with torch.autocast(vocoder.device.type, enabled=False):  # whatever a caller computes in
            read = net.said_f0 if self.f0 is None else net.f0
            f0 = read(self.mel[None])[:, start - self.first : known - self.first]
            if self.f0 is not None:
                own, f0 = f0, self.f0[:, start:known]
                part = net.retune(part, own, f0)
            pulses, phases = net.pulses(f0, self.phase)
            spectra = net.spectra(pulses)
            gains = net.gains(part, f0, spectra)
            noise = seeded_noise(SEED, start * hop, (known - 1) * hop).to(vocoder.device)
            draft = net.wave(gains, spectra, net.spectra(vocoder.noise * noise[None]))
            wave = net.match(draft, part, self.updates)[0]
        said = wave[(self.sent - start) * hop : (upto - start) * hop].clamp(-1, 1).cpu().numpy()
        self.sent, self.phase_at = upto, max(0, upto - vocoder.filter_reach)
        self.phase = phases[:, (self.phase_at - start) * hop]
        keep = max(0, upto - vocoder.reach)
        self.mel, self.first = self.mel[keep - self.first :], keep
        return said
