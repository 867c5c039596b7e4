"""Sounds of a listening test: one rate, one level, lossless and small."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ctap.audio.wave import AudioError, load_wave, wave_info

__all__ = ["Sound", "active_level", "encode"]

_PEAK = 0.99  # of full scale


@dataclass(frozen=True)
class Sound:
    """A sound as listeners get it.

    Attributes:
        name: from its content, so the same sound is kept once.
        data: FLAC, 16 bits, one channel.
        seconds: its length.
        quieter: by how many dB it stays below the wanted level, because its peaks would clip.
    """

    name: str
    data: bytes
    seconds: float
    quieter: float


def active_level(wave: np.ndarray, rate: int) -> float:
    """Level of the speech in ``[N]`` samples, in dB of full scale: pauses do not count.

    The mean power of those 20 ms stretches that are less than 40 dB below the loudest: a plain stand-in for
    the active speech level of ITU-T P.56.
    """
    size = max(1, rate // 50)
    padded = np.pad(wave.astype(np.float64), (0, -len(wave) % size))
    power = (padded.reshape(-1, size) ** 2).mean(axis=1)
    loudest = power.max()
    if loudest <= 0:
        return -np.inf
    return float(10 * np.log10(power[power > 1e-4 * loudest].mean()))


def encode(path: str | Path, *, sample_rate: int, level: float | None, max_seconds: float) -> Sound:
    """Read an audio file and make it a listening test's sound.

    Args:
        path: any file that libsndfile reads.
        sample_rate: wanted rate, Hz; 0 keeps the file's.
        level: wanted :func:`active_level`, dB; None leaves the file's.
        max_seconds: longer files are refused.

    Raises:
        AudioError: the file can't be read, is too long, or is silent.
    """
    rate = sample_rate or wave_info(path).sample_rate
    wave = load_wave(path, rate, max_seconds=max_seconds)
    found = active_level(wave, rate)
    if found == -np.inf:
        raise AudioError(f"{path}: nothing but silence")
    quieter = 0.0
    if level is not None:
        gain = 10 ** ((level - found) / 20)
        allowed = min(gain, _PEAK / float(np.abs(wave).max()))
        quieter = 20 * float(np.log10(gain / allowed))
        wave = wave * allowed
    out = io.BytesIO()
    # libFLAC of one version gives the same bytes for the same samples
    soundfile.write(out, wave, rate, format="FLAC", subtype="PCM_16")
    data = out.getvalue()
    return Sound(hashlib.sha256(data).hexdigest()[:16], data, len(wave) / rate, quieter)
