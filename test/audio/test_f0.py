from __future__ import annotations

import numpy as np
import pytest

from ctap.audio.f0 import extract_f0
from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings

SETTINGS = AudioSettings()


def glide(start: float, end: float, seconds: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A harmonic sound in faint noise whose F0 goes from start to end Hz, and its F0 at every frame."""
    time = np.arange(int(24000 * seconds)) / 24000
    f0 = start * (end / start) ** (time / seconds)
    phase = 2 * np.pi * np.cumsum(f0) / 24000
    wave = sum(np.cos(k * phase) / k * (k * f0 < 7000) for k in range(1, 30))
    wave = 0.5 * wave / np.abs(wave).max() + 0.003 * np.random.default_rng(0).normal(size=len(wave))
    return wave.astype(np.float32), f0[
        np.minimum(np.arange(num_frames(len(wave), SETTINGS)) * 240, len(f0) - 1)
    ]


@pytest.mark.parametrize(("start", "end"), [(80, 160), (320, 160), (200, 400)])
def test_glides_are_followed_within_one_percent(start, end):
    wave, truth = glide(start, end)
    found = extract_f0(wave, SETTINGS)
    assert found.shape == truth.shape
    inner = slice(6, -6)
    assert (found[inner] > 0).all()
    assert np.abs(found[inner] / truth[inner] - 1).max() < 0.01


def test_silence_and_noise_are_unvoiced():
    assert (extract_f0(np.zeros(24000), SETTINGS) == 0).all()
    noise = 0.01 * np.random.default_rng(1).normal(size=48000)
    assert (extract_f0(noise, SETTINGS) > 0).mean() < 0.05


@pytest.mark.parametrize(("hz", "is_found"), [(40, False), (55, True), (580, True), (640, False)])
def test_limits_hold(hz, is_found):
    found = extract_f0(glide(hz, hz + 1)[0], SETTINGS)[6:-6]
    assert (np.abs(found - hz - 0.5) < 2).all() if is_found else (np.abs(found - hz) > 5).all()


@pytest.mark.parametrize("samples", [1, 239, 240, 241, 479, 7199, 7200, 24000 * 3 + 17])
def test_as_many_frames_as_the_mel(samples):
    assert extract_f0(np.full(samples, 0.1), SETTINGS).shape == (num_frames(samples, SETTINGS),)


def test_wrong_use_is_refused():
    with pytest.raises(ValueError, match="expected samples"):
        extract_f0(np.zeros((2, 100)), SETTINGS)
