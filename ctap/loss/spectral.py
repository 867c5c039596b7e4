"""How far sampled waves are from a recording, in the distribution of their spectra."""

from __future__ import annotations

import torch
from torch import Tensor

RESOLUTIONS = ((2048, 480), (960, 240), (384, 96))  # points of a window and of a hop


def distance(a: list[Tensor], b: list[Tensor], keep: list[Tensor]) -> Tensor:
    """Mean absolute distance of log magnitudes and of root magnitudes, over resolutions, ``[]``."""
    total = a[0].new_zeros(())
    for x, y, kept in zip(a, b, keep, strict=True):
        apart = (x.log() - y.log()).abs() + 0.5 * (x.sqrt() - y.sqrt()).abs()
        total = total + (apart * kept).sum() / (kept.expand_as(apart).sum().clamp(min=1))
    return total / len(a)


def spectra_of(wave: Tensor) -> list[Tensor]:
    """Magnitudes ``[B, F, T]`` of samples ``[B, N]`` at every resolution, not below 1e-3."""
    found = []
    for size, hop in RESOLUTIONS:
        window = torch.hann_window(size, device=wave.device)
        spectrum = torch.stft(wave, size, hop, window=window, return_complex=True)
        found.append((torch.view_as_real(spectrum).square().sum(-1) + 1e-6).sqrt())
    return found


def energy_distance(target: Tensor, first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Generalised energy distance of two independent samples and a recording, ``[]``.

    Gritsenko et al., "A spectral energy distance for parallel speech synthesis", 2020: the mean distance of
    the samples to the recording, less half of that between them. It is least when samples are spread as
    recordings are; without the second term a model learns to smooth.

    Args:
        target: The recording ``[B, N]``.
        first: A sample of the model ``[B, N]``.
        second: Another, with other noise.
        share: ``[B]`` the share of the frequencies up to half the sampling rate that the recording holds.
    """
    truth, one, two = spectra_of(target), spectra_of(first), spectra_of(second)
    keep = []
    for x in truth:
        place = torch.linspace(0, 1, x.shape[1], device=x.device)
        keep.append((place[None] <= share[:, None]).to(x)[..., None])
    return 0.5 * (distance(truth, one, keep) + distance(truth, two, keep) - distance(one, two, keep))
