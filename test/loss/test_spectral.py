"""The energy distance: least for samples that are spread as the recording is."""

import torch

from ctap.loss.spectral import energy_distance

ALL = torch.ones(4)


def mean_distance(scale: float) -> float:
    torch.manual_seed(0)
    target, one, two = (torch.randn(4, 24000) * 0.1 for _ in range(3))
    return float(energy_distance(target, one * scale, two * scale, ALL))


def test_it_is_least_for_noise_of_the_right_level():
    right = mean_distance(1.0)
    assert right < mean_distance(0.7) and right < mean_distance(1.4)


def test_one_sample_twice_is_worse_than_two():
    torch.manual_seed(0)
    target, one, two = (torch.randn(4, 24000) * 0.1 for _ in range(3))
    assert energy_distance(target, one, two, ALL) < energy_distance(target, one, one, ALL)


def test_what_a_recording_does_not_hold_does_not_count():
    torch.manual_seed(0)
    low = torch.fft.irfft(torch.fft.rfft(torch.randn(4, 24000)) * (torch.arange(12001) < 6000))
    one, two = torch.randn(4, 24000), torch.randn(4, 24000)
    assert energy_distance(low, one, two, ALL * 0.48) < 0.2 * energy_distance(low, one, two, ALL)
