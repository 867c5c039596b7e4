"""A mel under another F0: against the mel of what was made with that F0."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.nn.excitation import pulse_train
from ctap.nn.retune import retune

SETTINGS = AudioSettings()


def vowel(f0: float) -> torch.Tensor:
    """Log-mel [T, M] of pulses through two resonances, 700 and 1200 Hz, and a little noise."""
    wave, _ = pulse_train(torch.full((1, SETTINGS.sample_rate), f0), SETTINGS.sample_rate)
    spectrum = torch.fft.rfft(wave)
    hz = torch.fft.rfftfreq(SETTINGS.sample_rate, 1 / SETTINGS.sample_rate)
    shape = sum(1 / (1 + ((hz - centre) / 150) ** 2) for centre in (700, 1200)) + 0.02
    noise = 1e-4 * torch.randn(SETTINGS.sample_rate, generator=torch.Generator().manual_seed(0))
    return log_mel(0.1 * torch.fft.irfft(spectrum * shape)[0] + noise, SETTINGS)


@pytest.mark.parametrize(
    ("old", "new"),
    [(180.0, 110.0), (180.0, 140.0), (180.0, 225.0), (180.0, 270.0), (110.0, 220.0), (300.0, 150.0)],
)
def test_it_is_what_the_same_vowel_has_under_the_other_f0(old: float, new: float) -> None:
    mel, asked = vowel(old)[10:90], vowel(new)[10:90]
    f0 = torch.ones(80)
    moved = retune(mel, old * f0, new * f0, SETTINGS)
    loud = asked > asked.max() - 5
    before, after = ((x - asked)[loud].abs().mean() for x in (mel, moved))
    assert after < 0.5 * before
    assert after < 0.35
    assert (moved - asked)[loud].abs().max() < 1.0  # between the old harmonics, too


@given(
    st.lists(st.floats(40, 700), min_size=3, max_size=3), st.lists(st.floats(40, 700), min_size=3, max_size=3)
)
def test_frames_without_pitch_and_frames_that_keep_theirs_stay(old: list[float], new: list[float]) -> None:
    mel = torch.randn(6, SETTINGS.n_mels, generator=torch.Generator().manual_seed(1)) - 3
    before = torch.tensor([*old[:2], 0.0, 0.0, *old[1:]])
    after = torch.tensor([old[0], 0.0, new[0], 0.0, *new[1:]])
    moved = retune(mel, before, after, SETTINGS)
    assert torch.equal(moved[:4], mel[:4])
    assert torch.isfinite(moved).all()
    assert (moved - mel).abs().max() < 20
