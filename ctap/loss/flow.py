"""Rectified flow (Liu, Gong and Liu, 2023; Lipman et al., 2023): the straight way from noise to data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ctap.loss.regression import masked_mse


def flow_loss(direction: Callable[[Tensor, Tensor], Tensor], target: Tensor, mask: Tensor) -> Tensor:
    """Squared error of a direction, each utterance at a random place of its way from noise.

    Args:
        direction: Gives the direction [B, T, D] at a place [B, T, D] and the share of the way [B] behind it.
        target: [B, T, D] where the way ends.
        mask: [B, T] bool, True on real frames.
    """
    noise, share = torch.randn_like(target), torch.rand(len(target), device=target.device)
    place = torch.lerp(noise, target, share[:, None, None])
    return masked_mse(direction(place, share), target - noise, mask)
