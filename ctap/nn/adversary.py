"""A speaker classifier whose gradient is reversed on its way to S (Ganin and Lempitsky, 2015).

The classifier learns to recognise the speaker from S, and S learns to hide the speaker from it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.masking import masked_mean

CHANNELS = 64


class GradientReversal(torch.autograd.Function):
    """The identity, whose gradient has the opposite sign."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -gradient


class SpeakerAdversary(nn.Module):
    """Two convolutions of 9 frames, mean and standard deviation over the utterance, a linear layer.

    Args:
        embed_dim: Dimension d of S.
        n_speakers: Speakers of the training.
    """

    def __init__(self, embed_dim: int, n_speakers: int) -> None:
        super().__init__()
        self.conv1 = FrameConv(embed_dim, CHANNELS, 9)
        self.conv2 = FrameConv(CHANNELS, CHANNELS, 9)
        self.classify = nn.Linear(2 * CHANNELS, n_speakers)

    def forward(self, s: Tensor, mask: Tensor) -> Tensor:
        """Logits [B, n_speakers] from S [B, T, d] under ``mask`` [B, T]; gradients to S are reversed."""
        x = torch.relu(self.conv1(GradientReversal.apply(s), mask))
        x = torch.relu(self.conv2(x, mask)).float()
        mean = masked_mean(x, mask)
        spread = (masked_mean(x.square(), mask) - mean.square()).clamp(min=1e-5).sqrt()
        return self.classify(torch.cat([mean, spread], dim=-1)[:, 0])
