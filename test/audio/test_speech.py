from __future__ import annotations

import numpy as np
import pytest

from ctap.audio.settings import AudioSettings
from ctap.audio.speech import NoVoiceError, speech_frames, voice_window
from test import tiny

SETTINGS, RATE = AudioSettings(), 24000
RNG = np.random.default_rng(0)


def silence(seconds: float, noise: float = 0.0) -> np.ndarray:
    return (noise * RNG.standard_normal(int(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 0.01])
def test_what_is_spoken_between_silences_is_found(noise: float) -> None:
    wave = np.concatenate([silence(4, noise), tiny.voice(4), silence(4, noise)])
    speech = speech_frames(wave, SETTINGS)
    assert len(speech) == 1201
    found = np.flatnonzero(speech)
    assert found[0] == pytest.approx(400, abs=6)
    assert found[-1] == pytest.approx(800, abs=6)
    window = voice_window(wave, SETTINGS, 300)
    assert window.stop - window.start == 300
    assert window.start >= 395 and window.stop <= 805
    assert window.speech == pytest.approx(3.0, abs=0.05)


def test_no_speech_is_shorter_than_a_voice_lasts() -> None:
    """Noise has pitches, too, some of a single frame."""
    noise = np.convolve(np.random.default_rng(0).standard_normal(20 * RATE), np.hanning(200), "same")
    speech = speech_frames((0.01 * noise).astype(np.float32), SETTINGS)
    edges = np.flatnonzero(np.diff(speech.astype(int), prepend=0, append=0))
    assert len(edges) and np.diff(edges)[::2].min() >= 5


def test_pauses_count_less_than_speech() -> None:
    words = [tiny.voice(0.5), silence(0.7)] * 4
    wave = np.concatenate([*words, tiny.voice(2.5), silence(2), *words])
    window = voice_window(wave, SETTINGS, 300)
    assert 4.2 <= window.start / 100 <= 4.9
    assert window.speech > 2.4


def test_of_speech_alone_the_middle_is_taken_and_short_speech_without_its_silence() -> None:
    window = voice_window(tiny.voice(8), SETTINGS, 300)
    assert window.start == pytest.approx(250, abs=2)
    wave = np.concatenate([silence(2), tiny.voice(1), silence(9)])
    window = voice_window(wave, SETTINGS, 300)
    assert (window.start, window.stop) == pytest.approx((180, 320), abs=6)
    assert window.speech == pytest.approx(1.0, abs=0.05)


def test_a_few_words_in_minutes_of_hum_are_found() -> None:
    seconds = np.arange(90 * RATE) / RATE
    hum = 2e-3 * np.sin(2 * np.pi * 100 * seconds).astype(np.float32) + silence(90, 1e-3)
    hum[58 * RATE : 62 * RATE] += tiny.voice(4)
    speech = speech_frames(hum, SETTINGS)
    assert len(speech) == 9001
    found = np.flatnonzero(speech)
    assert (found[0], found[-1]) == pytest.approx((5800, 6200), abs=8)
    assert speech[5810:6190].all()  # across the end of a part


@pytest.mark.parametrize(
    "wave",
    [
        silence(5),
        silence(10, 0.05),
        silence(30, 0.3),
        np.zeros(1, np.float32),
        np.full(1, 0.5, np.float32),
        np.concatenate([silence(3), tiny.voice(0.1), silence(3)]),
        (RNG.random(5 * RATE) < 1e-4).astype(np.float32),
        1e-4 * tiny.voice(2),
    ],
    ids=[
        "zeros",
        "noise",
        "half a minute of noise",
        "one zero",
        "one sample",
        "a click",
        "clicks",
        "far too quiet",
    ],
)
def test_where_nobody_speaks_there_is_no_voice(wave: np.ndarray) -> None:
    with pytest.raises(NoVoiceError, match=r"s of speech in .* at least 0\.25 s are needed"):
        voice_window(wave, SETTINGS, 300)


@pytest.mark.parametrize(("rate", "hop"), [(16000, 160), (22050, 256), (44100, 512)])
def test_frames_are_those_of_the_settings(rate: int, hop: int) -> None:
    settings = AudioSettings(sample_rate=rate, n_fft=1024, win_length=1024, hop_length=hop)
    wave = np.concatenate([np.zeros(rate, np.float32), tiny.voice(1.0, rate)])
    speech = speech_frames(wave, settings)
    assert len(speech) == 1 + len(wave) // hop
    assert np.flatnonzero(speech)[0] * hop / rate == pytest.approx(1.0, abs=0.06)
