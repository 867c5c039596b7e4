from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.audio.frames import num_frames
from ctap.audio.logmel import log_mel, mel_filters, noise_mel
from ctap.audio.settings import AudioSettings

SETTINGS = AudioSettings()
OTHER = AudioSettings(
    sample_rate=16000, n_fft=1024, win_length=400, hop_length=160, n_mels=80, f_min=50.0, f_max=7600.0
)

HIFIGAN = AudioSettings.load(Path(__file__).parents[2] / "egs/TEMPLATE/ctap1/conf/audio/hifigan.yaml")


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6000), st.sampled_from([SETTINGS, OTHER]))
def test_frames_are_what_num_frames_says(samples, audio):
    mel = log_mel(noise(samples), audio)
    assert mel.shape == (num_frames(samples, audio), audio.n_mels)
    assert mel.dtype == torch.float32
    assert torch.isfinite(mel).all()


@pytest.mark.parametrize("audio", [SETTINGS, OTHER, HIFIGAN])
def test_same_as_torchaudio(audio):
    from torchaudio.transforms import MelSpectrogram

    wave = noise(24123)
    reference = MelSpectrogram(
        audio.sample_rate, audio.n_fft, audio.win_length, audio.hop_length, audio.f_min, audio.f_max,
        n_mels=audio.n_mels, power=1, norm=None if audio.mel_norm == "none" else "slaney",
        mel_scale=audio.mel_scale,
    )(wave)  # fmt: skip
    torch.testing.assert_close(log_mel(wave, audio), reference.clamp(min=1e-5).log().T, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("audio", [SETTINGS, OTHER, HIFIGAN])
def test_same_as_librosa(audio):
    import librosa

    wave = noise(24123, seed=1).numpy()
    reference = librosa.feature.melspectrogram(
        y=wave, sr=audio.sample_rate, n_fft=audio.n_fft, win_length=audio.win_length,
        hop_length=audio.hop_length, n_mels=audio.n_mels, fmin=audio.f_min, fmax=audio.f_max,
        power=1, htk=audio.mel_scale == "htk", norm=None if audio.mel_norm == "none" else "slaney",
        pad_mode="reflect",
    )  # fmt: skip
    found = log_mel(torch.from_numpy(wave), audio).numpy()
    np.testing.assert_allclose(found, np.log(np.maximum(reference.T, 1e-5)), atol=1e-4)


def test_slaney_filters_are_those_that_librosa_makes_unasked():
    import librosa

    reference = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    np.testing.assert_allclose(mel_filters(HIFIGAN).numpy(), reference.T, atol=1e-7)


def test_a_batch_is_its_waves():
    waves = torch.stack([noise(5000, 2), noise(5000, 3)])
    torch.testing.assert_close(log_mel(waves, SETTINGS)[1], log_mel(waves[1], SETTINGS))


def test_silence_is_the_floor():
    mel = log_mel(torch.zeros(4800), SETTINGS)
    torch.testing.assert_close(mel, torch.full_like(mel, math.log(1e-5)))


def test_a_tone_peaks_in_its_own_bin():
    hertz = 1000.0
    wave = torch.sin(2 * math.pi * hertz * torch.arange(24000) / 24000)
    # HTK's mel scale, 42 equally spaced edges for 40 triangles.
    mels = [2595 * math.log10(1 + f / 700) for f in (0.0, 8000.0, hertz)]
    expected = round(mels[2] / (mels[1] / 41)) - 1
    assert log_mel(wave, SETTINGS)[50].argmax() == expected


@pytest.mark.parametrize("shape", [(0,), (1, 2, 3)])
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="expected samples"):
        log_mel(torch.zeros(shape), SETTINGS)


def test_filters_cover_the_range_and_nothing_beyond():
    filters = mel_filters(SETTINGS)
    assert filters.shape == (481, 40)
    assert (filters[321:] == 0).all()  # above 8000 Hz
    assert (filters.sum(dim=0) > 0).all()


def test_noise_has_the_level_that_is_said() -> None:
    white = torch.randn(10 * SETTINGS.sample_rate, generator=torch.Generator().manual_seed(0))
    measured = log_mel(white, SETTINGS).exp().mean(0).log()
    assert (measured - noise_mel(SETTINGS)).abs().max() < 0.06
