"""Speaker similarity: cosine between embeddings of a speaker encoder.

The encoder can be replaced: any object with the interface of :class:`SpeakerEncoder`. The one that comes
with its weights, and so needs no download, is Resemblyzer (GE2E: Wan et al., "Generalized end-to-end loss for
speaker verification", 2018), an optional package; without it speaker figures are left out, and a printed line
says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ctap.errors import UserError
from ctap.metrics.from_files import load_optional

__all__ = [
    "NoSpeechError",
    "Resemblyzer",
    "SpeakerEncoder",
    "audible",
    "centroid",
    "load_speaker_encoder",
    "similarity",
]

_LEVEL = 10 ** (-30 / 20)
_INSTALL = "pip install webrtcvad-wheels librosa && pip install --no-deps Resemblyzer"


class NoSpeechError(UserError):
    """A wave without sound: it has no speaker."""


def audible(wave: np.ndarray, wanted: str) -> np.ndarray:
    """``wave`` ``[N]`` as float32.

    Raises:
        NoSpeechError: it is silent, empty or not finite; ``wanted`` says what can't be had of it.
    """
    wave = np.asarray(wave, dtype=np.float32)
    if wave.ndim != 1 or not wave.size or not np.isfinite(wave).all() or np.abs(wave).max() < 1e-6:
        raise NoSpeechError(f"the wave is empty, silent or not finite: {wanted}")
    return wave


class SpeakerEncoder(Protocol):
    """Waves to speaker embeddings."""

    name: str
    sample_rate: int

    def __call__(self, wave: np.ndarray) -> np.ndarray:
        """Embedding ``[D]`` of length 1 of a wave ``[N]`` at ``sample_rate``, in -1..1."""
        ...


class Resemblyzer:
    """The encoder of Resemblyzer 0.1: 16 kHz, 256 dimensions, weights inside the package.

    Every wave is brought to the level of -30 dBFS first (the package itself raises quiet waves to it and
    leaves loud ones as they are, which makes the same voice differ by its level alone: cosine 0.90 for
    40 dB); long silences are cut by the package's own preparation. Deterministic. The mel spectrogram is
    made here: the package's own comes from librosa, whose first import compiles for half a minute.

    Args:
        device: where to run; ``"cpu"`` by default (small).

    Raises:
        UserError: the package, or one that it needs, is missing or broken.
    """

    name = "resemblyzer"
    sample_rate = 16000

    def __init__(self, device: str = "cpu") -> None:
        # its imports use deprecated names of scipy and webrtcvad, which a user could not change
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                from resemblyzer import VoiceEncoder, preprocess_wav

                self._encoder: Any = VoiceEncoder(device, verbose=False)
            except ImportError as error:
                raise UserError(f"the speaker encoder cannot be imported ({error}): {_INSTALL}") from None
            except Exception as error:  # it raises bare Exception where its weights are missing
                raise UserError(f"the speaker encoder cannot load its weights: {error}; {_INSTALL}") from None
        self._encoder.eval()
        self._prepare = preprocess_wav

    def __call__(self, wave: np.ndarray) -> np.ndarray:
        """Embedding ``[256]`` of length 1, float32.

        Args:
            wave: ``[N]`` samples at 16 kHz in -1..1.

        Raises:
            NoSpeechError: the wave is silent, empty or not finite.
        """
        wave = audible(wave, "no speaker to embed")
        wave = np.clip(wave / np.sqrt(np.mean(wave.astype(np.float64) ** 2)) * _LEVEL, -1, 1).astype(
            np.float32
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                prepared = self._prepare(wave)
            except ValueError:  # shorter than one window of its voice detector
                prepared = wave
            # its voice detector may take all of a noisy synthetic wave for silence
            embedding = self._embed(prepared if prepared.size else wave)
        norm = float(np.linalg.norm(embedding))
        if not np.isfinite(norm) or norm == 0:
            raise NoSpeechError("the speaker encoder found nothing to embed")
        return (embedding / norm).astype(np.float32)

    def _embed(self, wave: np.ndarray) -> np.ndarray:
        """Mean embedding ``[256]`` of the overlapping windows of 1.6 s that the package cuts ``[N]`` into."""
        pieces, frames = self._encoder.compute_partial_slices(wave.size, rate=1.3, min_coverage=0.75)
        padded = np.pad(wave, (0, max(0, pieces[-1].stop - wave.size)))
        with torch.no_grad():
            mel = _power_mel(torch.from_numpy(padded.astype(np.float32)))
            windows = torch.stack([mel[piece] for piece in frames]).to(self._encoder.device)
            return self._encoder(windows).mean(0).cpu().numpy()


def _power_mel(wave: Tensor) -> Tensor:
    """Power mel ``[T, 40]`` of ``[N]`` at 16 kHz as Resemblyzer wants it (25 ms every 10 ms)."""
    from torchaudio.functional import melscale_fbanks

    window = torch.hann_window(400)
    spectrum = torch.stft(wave, 400, 160, window=window, pad_mode="constant", return_complex=True).abs()
    return spectrum.square().T @ melscale_fbanks(201, 0, 8000, 40, 16000, norm="slaney", mel_scale="slaney")


_ENCODERS: Mapping[str, type[SpeakerEncoder]] = {"resemblyzer": Resemblyzer}


def load_speaker_encoder(name: str = "resemblyzer", **options: Any) -> SpeakerEncoder | None:
    """The encoder called ``name``; ``None`` and a line on stderr where it is not installed.

    Raises:
        UserError: there is none of this name.
    """
    return load_optional(
        _ENCODERS, "speaker encoder", name, "no speaker similarity will be scored", **options
    )


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two embeddings ``[D]``, -1..1."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def centroid(embeddings: Iterable[np.ndarray]) -> np.ndarray:
    """Mean direction ``[D]`` of embeddings: each counts alike, length 1.

    Raises:
        ValueError: no embedding.
    """
    rows = [np.asarray(e, dtype=np.float64) for e in embeddings]
    if not rows:
        raise ValueError("no embedding to average")
    mean = np.mean([row / np.linalg.norm(row) for row in rows], axis=0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)
