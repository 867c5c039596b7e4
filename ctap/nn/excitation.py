"""Excitation of the source-filter vocoder: a pulse train at the fundamental, and seeded noise."""

from __future__ import annotations

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.audio.f0 import F0_MAX, F0_MIN

NOISE_BLOCK = 24000  # samples that share a seed


def f0_place(f0: Tensor) -> Tensor:
    """Where F0 in Hz lies on a logarithmic scale: 0 at F0_MIN or below, 1 at F0_MAX or above."""
    return torch.log(f0.clamp(min=F0_MIN, max=F0_MAX) / F0_MIN) / math.log(F0_MAX / F0_MIN)


def f0_at(place: Tensor) -> Tensor:
    """F0 in Hz at a ``place``: the inverse of :func:`f0_place`."""
    return F0_MIN * (F0_MAX / F0_MIN) ** place


def sample_f0(f0: Tensor, hop: int) -> Tensor:
    """F0 of frames ``f0`` [B, T] Hz, 0 where unvoiced, to samples [B, (T - 1) * hop].

    Between two voiced frames it is linear; a frame next to an unvoiced one keeps its value for half a hop.
    """
    left, right = f0[:, :-1, None], f0[:, 1:, None]
    share = torch.arange(hop, device=f0.device, dtype=f0.dtype) / hop
    both = (left > 0) & (right > 0)
    between = left + (right - left) * share
    return torch.where(both, between, torch.where(share < 0.5, left, right)).flatten(1)


def pulse_train(f0: Tensor, sample_rate: int, phase: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Band-limited pulses of unit power where voiced, 0 elsewhere.

    All harmonics below half the sampling rate as cosines of one phase, in closed form (Stilson and Smith,
    "Alias-free digital synthesis of classic analog waveforms", 1996).

    Args:
        f0: ``[B, N]`` Hz of every sample, 0 where unvoiced.
        sample_rate: Hz.
        phase: ``[B]`` phase before the first sample, in periods; 0 if left out.

    Returns:
        Pulses ``[B, N]`` float32, and the phase before each sample ``[B, N + 1]`` float64 in 0..1.
    """
    steps = F.pad(f0.double() / sample_rate, (1, 0))
    if phase is not None:
        steps[:, 0] = phase
    phases = steps.cumsum(1).remainder(1.0)
    harmonics = (0.5 * sample_rate / f0.clamp(min=20.0)).floor().clamp(min=1.0)
    x = (phases[:, :-1] - phases[:, :-1].round()).float() * torch.pi
    near = x.abs() < 1e-4
    kernel = torch.sin((2 * harmonics + 1) * x) / torch.where(near, 1.0, torch.sin(x))
    kernel = torch.where(near, 2 * harmonics + 1, kernel) - 1
    return torch.where(f0 > 0, kernel * (2 * harmonics).rsqrt(), 0.0), phases


@functools.lru_cache(maxsize=16)
def _noise_block(seed: int, block: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + block)
    return torch.randn(NOISE_BLOCK, generator=generator)


def seeded_noise(seed: int, start: int, stop: int) -> Tensor:
    """Gaussian noise ``[stop - start]``: samples ``start`` to ``stop`` of the sequence of ``seed``."""
    first = start // NOISE_BLOCK
    blocks = [_noise_block(seed, k) for k in range(first, max(first, (stop - 1) // NOISE_BLOCK) + 1)]
    return torch.cat(blocks)[start - first * NOISE_BLOCK : stop - first * NOISE_BLOCK]
