from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.audio.frames import resampled_length
from ctap.audio.wave import AudioError, load_wave, resample, save_wave, wave_info


def tone(rate: int, seconds: float, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def test_saved_wave_comes_back_within_a_step(tmp_path):
    wave = tone(24000, 0.5)
    assert save_wave(tmp_path / "a.wav", wave, 24000) == 0
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"
    assert np.abs(load_wave(tmp_path / "a.wav", 24000) - wave).max() <= 0.5 / 32768 + 1e-7
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_clipping_is_counted_and_said(tmp_path, capsys):
    assert save_wave(tmp_path / "a.wav", np.array([0.0, 1.5, -2.0, 1.0]), 24000) == 2
    assert "2 of 4 samples clipped (peak 2.00)" in capsys.readouterr().err
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tolist() == [0, 32767, -32768, 32767]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30000), st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_length_after_resampling_is_what_frames_expect(samples, rate):
    wave = np.zeros(samples, dtype=np.float32)
    out = resample(wave, rate, 24000)
    assert len(out) == resampled_length(samples, rate, 24000)
    assert out.dtype == np.float32


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_resampling_keeps_the_sound(rate):
    out = resample(tone(rate, 1.0).astype(np.float32), rate, 24000)
    expected = tone(24000, 1.0)
    middle = slice(2400, -2400)
    assert np.abs(out[middle] - expected[middle]).max() < 2e-3


def test_channels_are_averaged(tmp_path):
    left = tone(24000, 0.2)
    soundfile.write(tmp_path / "s.wav", np.stack([left, np.zeros_like(left)], axis=1), 24000, subtype="FLOAT")
    assert wave_info(tmp_path / "s.wav").channels == 2
    np.testing.assert_allclose(load_wave(tmp_path / "s.wav", 24000), left / 2, atol=1e-6)


def test_unusable_files_are_named_with_their_fault(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 24000)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("this is no sound" * 10)
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 24000, subtype="FLOAT")
    soundfile.write(tmp_path / "long.wav", np.zeros(48000), 24000)
    for name, said in (
        ("none.wav", "no samples"),
        ("empty.wav", "0 bytes"),
        ("text.wav", "not a readable audio file"),
        ("nan.wav", "NaN"),
        ("long.wav", r"2\.0 s is longer than the limit of 1 s"),
        ("missing.wav", "no such audio file"),
    ):
        with pytest.raises(AudioError, match=said) as caught:
            load_wave(tmp_path / name, 24000, max_seconds=1.0)
        assert name in str(caught.value)


@pytest.mark.parametrize("wave", [np.zeros(0), np.zeros((2, 3)), np.array([np.inf])])
def test_unusable_samples_are_not_written(tmp_path, wave):
    with pytest.raises(AudioError):
        save_wave(tmp_path / "a.wav", wave, 24000)
    assert not list(tmp_path.iterdir())
