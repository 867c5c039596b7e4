"""Filters of minimum phase: of all with the same gains, those that answer soonest."""

from __future__ import annotations

import torch
from torch import Tensor


def minimum_phase(log_gain: Tensor) -> Tensor:
    """The minimum-phase filter ``[..., F]``, complex, of log magnitudes ``[..., F]``."""
    return torch.exp(log_minimum_phase(log_gain))


def log_minimum_phase(log_gain: Tensor) -> Tensor:
    """Its logarithm, by the cepstrum: linear in ``log_gain``."""
    cepstrum = torch.fft.irfft(log_gain)
    half = cepstrum.shape[-1] // 2
    fold = torch.zeros(cepstrum.shape[-1], device=log_gain.device, dtype=log_gain.dtype)
    fold[0], fold[half], fold[1:half] = 1.0, 1.0, 2.0
    return torch.fft.rfft(cepstrum * fold)
