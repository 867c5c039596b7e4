"""Fundamental frequency, frame by frame with the mel."""

from __future__ import annotations

import numpy as np

from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.errors import UserError

METHODS = ("dio", "harvest")


def extract_f0(
    wave: np.ndarray,
    settings: AudioSettings,
    *,
    f0_min: float = 50.0,
    f0_max: float = 600.0,
    method: str = "dio",
) -> np.ndarray:
    """Fundamental frequency by WORLD (Morise, Yokomori and Ozawa 2016).

    ``dio`` is DIO refined by StoneMask; ``harvest`` (Morise 2017) takes about twenty times as long. On glides
    of 80 to 400 Hz with noise their errors are 0.15 and 0.03 Hz, neither makes octave errors. On the embedded
    corpus, whose phones are known to the sample, ``dio`` finds 98% of vowel frames voiced and 1% of
    fricatives, affricates and pauses; ``harvest`` 100% of vowels but 15-40% of the others. ``dio`` is
    therefore the default.

    Args:
        wave: ``[N]`` samples at ``settings.sample_rate``.
        settings: the audio settings.
        f0_min: lowest F0, Hz.
        f0_max: highest F0, Hz.
        method: ``"dio"`` or ``"harvest"``.

    Returns:
        ``[T]`` float32 Hz, 0 where unvoiced, ``T = num_frames(N, settings)``.

    Raises:
        UserError: the method is unknown.
        ValueError: the waveform is empty or not one channel.
    """
    import pyworld

    if method not in METHODS:
        raise UserError(f"no F0 method {method!r}; known: {', '.join(METHODS)}")
    wave = np.ascontiguousarray(wave, dtype=np.float64)
    if wave.ndim != 1 or len(wave) == 0:
        raise ValueError(f"expected samples [N], found shape {wave.shape}")
    frames = num_frames(len(wave), settings)
    limits = {"f0_floor": f0_min, "f0_ceil": f0_max, "frame_period": settings.frame_shift * 1000}
    if method == "dio":
        f0, times = pyworld.dio(wave, settings.sample_rate, **limits)
        f0 = pyworld.stonemask(wave, f0, times, settings.sample_rate)
    else:
        f0, _ = pyworld.harvest(wave, settings.sample_rate, **limits)
    # WORLD counts frames in floating point, so its count may differ from ours by one.
    out = np.zeros(frames, dtype=np.float32)
    out[: len(f0)] = f0[:frames]
    return out
