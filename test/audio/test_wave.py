from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.audio.frames import resampled_length
from ctap.audio.wave import AudioError, check_wave, load_wave, resample, save_wave, wave_info


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
    left, right = tone(24000, 0.2), 0.01 * tone(24000, 0.2, 700)
    soundfile.write(tmp_path / "s.wav", np.stack([left, right], axis=1), 24000, subtype="FLOAT")
    assert wave_info(tmp_path / "s.wav").channels == 2
    np.testing.assert_allclose(load_wave(tmp_path / "s.wav", 24000), (left + right) / 2, atol=1e-6)


def test_samples_off_scale_and_channels_that_cancel_are_read_as_they_were_meant(tmp_path, caplog):
    wave = tone(24000, 0.2)
    for name, samples in (
        ("shorts.wav", 32768 * wave),
        ("longs.wav", 2.0**31 * wave),
        ("opposite.wav", np.stack([wave, -wave], axis=1)),
        ("dead.wav", np.stack([np.full_like(wave, 0.1), wave], axis=1)),
    ):
        soundfile.write(tmp_path / name, samples, 24000, subtype="FLOAT")
        np.testing.assert_allclose(load_wave(tmp_path / name, 24000), wave, atol=1e-6)
        assert name in caplog.messages[-1]
    assert [message.split(": ", 1)[1] for message in caplog.messages] == [
        "samples off scale, brought to -1..1: peak 16384, divided by 32768",
        "samples off scale, brought to -1..1: peak 1.07374e+09, divided by 2.14748e+09",
        "channels cancel each other, the loudest taken: channel 1 of 2",
        "dead channel, left out: channel 1 of 2",
    ]
    soundfile.write(tmp_path / "wild.wav", 1e30 * wave, 24000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"wild\.wav: the audio's samples go to 5e\+29"):
        load_wave(tmp_path / "wild.wav", 24000)


def test_what_is_not_all_there_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.ogg", 0.1 * np.random.default_rng(0).standard_normal(48000), 24000)
    whole = (tmp_path / "a.ogg").read_bytes()
    assert check_wave(tmp_path / "a.ogg").num_samples == len(load_wave(tmp_path / "a.ogg", 24000)) == 48000
    (tmp_path / "a.ogg").write_bytes(whole[: len(whole) * 6 // 10])
    assert wave_info(tmp_path / "a.ogg").num_samples < 48000  # what libsndfile makes of it
    for read in (check_wave, lambda path: load_wave(path, 24000)):
        with pytest.raises(AudioError, match=r"a\.ogg: truncated: it ends within a page"):
            read(tmp_path / "a.ogg")


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
