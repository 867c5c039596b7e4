"""Squared error over real frames (paper, Eq. 4)."""

from __future__ import annotations

from torch import Tensor


def masked_mse(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error of [B, T, D] over the frames that ``mask`` [B, T] marks as real."""
    error = (prediction.float() - target.float()).square().mean(dim=-1) * mask
    return error.sum() / mask.sum().clamp(min=1)
