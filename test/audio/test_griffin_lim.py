from __future__ import annotations

import numpy as np
import pytest
import torch

from ctap.audio import griffin_lim
from ctap.audio.frames import num_frames
from ctap.audio.griffin_lim import GriffinLim, invert_mel
from ctap.audio.logmel import log_mel, magnitude, mel_filters
from ctap.audio.settings import AudioSettings
from ctap.audio.stft import FrameTransform

SETTINGS = AudioSettings()
ODD = AudioSettings(sample_rate=16000, n_fft=1000, win_length=900, hop_length=160, n_mels=60, f_max=7600.0)


@pytest.fixture(scope="module")
def voice() -> torch.Tensor:
    """One second like a vowel: falling harmonics through two resonances, then a hiss."""
    time = torch.arange(24000, dtype=torch.float64) / 24000
    f0 = 180 - 50 * time
    phase = 2 * torch.pi * torch.cumsum(f0, 0) / 24000
    wave = torch.zeros_like(time)
    for k in range(1, 40):
        gain = 1 / (1 + ((k * 150 - 700) / 150) ** 2) + 0.5 / (1 + ((k * 150 - 1500) / 200) ** 2)
        wave += gain * torch.sin(k * phase)
    hiss = 0.05 * torch.randn(24000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wave = torch.where(time < 0.7, 0.3 * wave / wave.abs().max(), 0.0) + torch.where(
        time > 0.6, hiss, 0.001 * hiss
    )
    return wave.float()


@pytest.mark.parametrize("settings", [SETTINGS, ODD])
def test_transform_is_torchs(settings):
    frames = 30
    transform = FrameTransform(settings, frames)
    wave = torch.randn(transform.samples, generator=torch.Generator().manual_seed(0))
    options = {
        "n_fft": settings.n_fft,
        "hop_length": settings.hop_length,
        "win_length": settings.win_length,
        "window": torch.hann_window(settings.win_length),
    }
    spectra = transform.forward(wave)
    torch.testing.assert_close(
        spectra.T, torch.stft(wave, **options, return_complex=True), atol=2e-4, rtol=1e-4
    )
    mixed = spectra * torch.rand(spectra.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        transform.inverse(mixed), torch.istft(mixed.T, **options), atol=1e-5, rtol=1e-4
    )


def test_inverted_mel_has_that_mel_and_is_not_negative(voice):
    mel = log_mel(voice, SETTINGS).exp()
    spectrum = invert_mel(mel, SETTINGS)
    assert (spectrum >= 0).all()
    assert (spectrum[:, 321:] == 0).all()
    found = (spectrum @ mel_filters(SETTINGS)).clamp(min=1e-5).log()
    assert (found - mel.log()).abs().mean() < 1e-3


def test_gradients_go_through_the_inversion_whoever_inverts_first():
    griffin_lim._start_filters.cache_clear()
    GriffinLim(SETTINGS, iterations=1)(torch.full((6, 40), -3.0))
    mel = torch.full((6, 40), 0.05, requires_grad=True)
    invert_mel(mel, SETTINGS).sum().backward()
    assert mel.grad is not None and torch.isfinite(mel.grad).all()


def test_inverted_mel_beats_least_squares_cut_at_zero(voice):
    mel = log_mel(voice, SETTINGS).exp()
    filters = mel_filters(SETTINGS)
    cut = (mel @ torch.linalg.pinv(filters)).clamp(min=0)

    def error(spectrum: torch.Tensor) -> float:
        return float(((spectrum @ filters).clamp(min=1e-5).log() - mel.log()).abs().mean())

    assert error(invert_mel(mel, SETTINGS)) < 0.2 * error(cut)


def test_resynthesis_is_as_near_as_torchaudios(voice):
    from torchaudio.transforms import GriffinLim as Reference

    mel = log_mel(voice, SETTINGS)
    spectrum = invert_mel(mel.exp(), SETTINGS)
    ours = torch.from_numpy(GriffinLim(SETTINGS)(mel))
    torch.manual_seed(0)
    theirs = Reference(n_fft=960, n_iter=60, win_length=960, hop_length=240, power=1, momentum=0.99)(
        spectrum.T
    )
    distance = [spectral_convergence(wave, spectrum) for wave in (ours, theirs)]
    assert distance[0] < distance[1] + 1.0
    assert (log_mel(ours, SETTINGS) - mel).abs().mean() < 0.12


def spectral_convergence(wave, spectrum):
    """Distance in dB of a waveform's magnitudes from those asked for, [T, F]: lower is better."""
    found = magnitude(wave, SETTINGS).T[: spectrum.shape[0]]
    distance = torch.linalg.norm(found - spectrum) / torch.linalg.norm(spectrum)
    return float(20 * torch.log10(distance))


def test_momentum_helps(voice, monkeypatch):
    spectrum = magnitude(voice, SETTINGS).T
    fast = spectral_convergence(GriffinLim(SETTINGS).phase(spectrum), spectrum)
    monkeypatch.setattr(griffin_lim, "MOMENTUM", 0.0)
    plain = spectral_convergence(GriffinLim(SETTINGS).phase(spectrum), spectrum)
    assert fast < plain - 1.0


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 6, 40])
def test_frames_are_counted_alike_in_and_out(frames):
    wave = GriffinLim(SETTINGS, iterations=2)(torch.full((frames, 40), -3.0))
    assert num_frames(len(wave), SETTINGS) == frames
    assert wave.dtype == np.float32


def test_one_mel_gives_one_wave_and_the_caller_keeps_his_random_state(voice):
    mel = log_mel(voice, SETTINGS)[:40]
    before = torch.get_rng_state()
    first, second = (GriffinLim(SETTINGS, 5)(mel) for _ in range(2))
    assert (first == second).all()
    assert torch.equal(before, torch.get_rng_state())


def test_silence_stays_silent_and_outliers_stay_in_range():
    floor = torch.full((20, 40), float(np.log(1e-5)))
    assert not GriffinLim(SETTINGS, 3)(floor).any()
    loud = GriffinLim(SETTINGS, 3)(torch.full((20, 40), 60.0))
    assert np.isfinite(loud).all()
    assert np.abs(loud).max() <= 1.0


@pytest.mark.parametrize(
    "mel", [torch.zeros(40), torch.zeros(5, 80), torch.zeros(0, 40), torch.full((5, 40), np.nan)]
)
def test_wrong_mels_are_refused(mel):
    with pytest.raises(ValueError, match="mel"):
        GriffinLim(SETTINGS)(mel)
