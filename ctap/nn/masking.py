"""Padding takes no part in convolutions, attention or losses."""

from __future__ import annotations

import torch
from torch import Tensor


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set padded frames of ``x`` [B, T, D] to zero, so that convolutions see the zeros they would see
    past the end of an unpadded utterance.
    """
    return x if mask is None else x * mask[..., None].to(x.dtype)


def masked_mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of ``x`` [B, T, D] over the real frames of each utterance, [B, 1, D]."""
    real = torch.ones_like(x[..., :1]) if mask is None else mask[..., None].to(x.dtype)
    return (x * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1)
