"""The energy distance: least for samples that are spread as the recording is."""

import pytest
import torch

from ctap.loss.spectral import energy_distance

ALL = torch.ones(4)


def mean_distance(scale: float) -> float:
    torch.manual_seed(0)
    target, one, two = (torch.randn(4, 24000) * 0.1 for _ in range(3))
    return float(energy_distance(target, one * scale, two * scale, ALL))


def apart(a: torch.Tensor, b: torch.Tensor, shares: list[float]) -> float:
    """Mean distance of spectra over the bins up to a share of the frequencies, of each wave by itself."""
    total = 0.0
    for size, hop in ((2048, 480), (960, 240), (384, 96)):
        window, found = torch.hann_window(size), []
        for one, other, share in zip(a, b, shares, strict=True):
            x, y = (
                (torch.stft(w, size, hop, window=window, return_complex=True).abs() ** 2 + 1e-6).sqrt()
                for w in (one, other)
            )
            kept = int(share * (size // 2)) + 1
            found.append(((x / y).log().abs() + 0.5 * (x.sqrt() - y.sqrt()).abs())[:kept].flatten())
        total += float(torch.cat(found).mean()) / 3
    return total


def test_it_is_half_of_both_distances_to_the_recording_less_that_between():
    torch.manual_seed(0)
    target, one, two = (torch.randn(2, 6000) * level for level in (0.1, 0.2, 0.05))
    shares = [1.0, 0.5]
    expected = 0.5 * (apart(target, one, shares) + apart(target, two, shares) - apart(one, two, shares))
    found = float(energy_distance(target, one, two, torch.tensor(shares)))
    assert found == pytest.approx(expected, rel=1e-4)


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
