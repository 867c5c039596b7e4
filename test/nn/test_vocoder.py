"""The filters of the vocoder, against what signal processing says they are."""

import pytest
import torch

from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings
from ctap.nn.minimum_phase import minimum_phase
from ctap.nn.vocoder import SourceFilter, VocoderConfig

SETTINGS = AudioSettings()


def net() -> SourceFilter:
    torch.manual_seed(0)
    return SourceFilter(VocoderConfig(dim=16, layers=1, f0_dim=16, f0_layers=1), SETTINGS).eval()


def test_minimum_phase_is_that_of_a_resonator():
    poles = torch.fft.rfft(torch.tensor([1.0, -1.2, 0.6]), 960)
    known = 1 / poles
    assert torch.allclose(minimum_phase(known.abs().log()), known, atol=1e-4)


def test_spectra_and_back_is_the_wave():
    vocoder, wave = net(), torch.randn(2, 40 * 240)
    inner = slice(480, -480)
    assert torch.allclose(vocoder.overlap_add(vocoder.spectra(wave))[:, inner], wave[:, inner], atol=1e-4)


def test_f0_is_read_from_the_classes():
    vocoder = net()
    f0 = torch.tensor([[60.0, 123.4, 250.0, 500.0]]).repeat_interleave(7, 1)
    assert torch.allclose(read_f0(vocoder, f0)[:, 3::7], f0[:, 3::7], rtol=0.002)
    assert (vocoder.f0(torch.zeros(1, f0.shape[1], 40), voiced_above=2.0) == 0).all()


def test_f0_does_not_leap_for_a_frame():
    f0 = torch.full((1, 9), 200.0)
    leap = f0.clone()
    leap[0, 4] = 400.0
    assert torch.allclose(read_f0(net(), leap), f0, rtol=0.1)


def read_f0(vocoder: SourceFilter, f0: torch.Tensor) -> torch.Tensor:
    """What is read of a network whose classes are bells round ``f0`` [B, T], all frames voiced."""
    logits = -0.5 * (torch.arange(120) - vocoder.f0_class(f0)[..., None]).square().clamp(max=12)
    vocoder.f0_net.forward = lambda mel: torch.cat([logits, torch.ones(1, f0.shape[1], 1)], dim=-1)
    return vocoder.f0(torch.zeros(1, f0.shape[1], 40))


def test_matching_brings_the_mel_nearer():
    vocoder, noise = net(), torch.randn(1, 60 * 240) * 0.1
    asked = log_mel(noise, SETTINGS) + torch.linspace(-1, 1, 40)
    error = [
        (log_mel(vocoder.match(noise, asked, updates), SETTINGS) - asked)[:, 3:-3].abs().mean()
        for updates in (0, 1, 5)
    ]
    assert error[2] < error[1] < 0.5 * error[0]


@pytest.mark.parametrize(("asked", "factor"), [(6.0, 10.0), (-11.0, 0.1)])
def test_an_update_changes_magnitudes_by_20_db_at_most(asked, factor):
    found = net().match_factor(torch.full((1, 3, 481), 0.01), torch.full((1, 3, 40), asked), 1)
    torch.testing.assert_close(found[..., 10:300], torch.full((1, 3, 290), factor))


@pytest.mark.parametrize(("bias", "limit"), [(100.0, 10.0), (-100.0, -16.0)])
def test_gains_are_bounded(bias, limit):
    vocoder = net()
    vocoder.gain_net.leave.bias.data.fill_(bias)
    pulses = torch.ones(1, 3, 481, dtype=torch.complex64)
    for found in vocoder.gains(torch.zeros(1, 3, 40), torch.zeros(1, 3), pulses):
        assert (found == limit).all()


def test_a_new_network_adds_nothing_to_the_envelope():
    assert not net().gain_net(torch.randn(1, 5, 2 * 40 + 2)).any()
