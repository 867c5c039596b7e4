"""Position schemes: how a stack of transformer blocks knows the position of a frame.

The paper's encoders follow Whisper, which adds sinusoidal absolute positions (``absolute``). Since both
encoders of CTAP then see the same clock and only the diagonal of C is positive, frames can be matched by
index alone. ``random_offset`` takes that away in training by starting each encoder's clock at a random,
independent frame for every utterance; ``rotary`` (Su et al., "RoFormer", 2021) has no clock at all: attention
sees only the distance between two frames.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

PositionName = Literal["absolute", "random_offset", "rotary", "none"]


def sinusoids(positions: Tensor, dim: int) -> Tensor:
    """Sinusoidal embedding of ``positions`` [...] -> [..., dim], sines first, wavelengths 2 pi to 2e4 pi."""
    half = dim // 2
    step = math.log(10000.0) / max(half - 1, 1)
    rates = torch.exp(-step * torch.arange(half, device=positions.device, dtype=torch.float32))
    angles = positions.to(torch.float32)[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Positions(nn.Module):
    """Base class, and the scheme ``none``: adds nothing, rotates nothing."""

    def add(self, x: Tensor, offset: int = 0) -> Tensor:
        """Add positions to ``x`` [B, T, D], whose first frame stands at ``offset`` frames."""
        return x

    def rotation(self, size: int, head_dim: int, offset: int, like: Tensor) -> Tensor | None:
        """Angles [T, head_dim / 2] by which queries and keys are rotated, or None."""
        return None


class AbsolutePositions(Positions):
    """Sinusoids added to the input. With ``max_offset``, training starts each utterance at a random frame."""

    def __init__(self, max_offset: int = 0) -> None:
        super().__init__()
        self.max_offset = max_offset

    def add(self, x: Tensor, offset: int = 0) -> Tensor:
        frames = torch.arange(x.shape[1], device=x.device)[None] + offset
        if self.training and self.max_offset:
            frames = frames + torch.randint(self.max_offset, (x.shape[0], 1), device=x.device)
        return x + sinusoids(frames, x.shape[2]).to(x.dtype)


class RotaryPositions(Positions):
    """Queries and keys are rotated by an angle that grows with the frame: attention sees distances only."""

    def rotation(self, size: int, head_dim: int, offset: int, like: Tensor) -> Tensor:
        rates = 10000.0 ** (-torch.arange(0, head_dim, 2, device=like.device, dtype=torch.float32) / head_dim)
        return (torch.arange(size, device=like.device) + offset)[:, None] * rates


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Rotate the halves of ``x`` [B, H, T, K] by ``angles`` [T, K / 2] as pairs (i, i + K / 2)."""
    sin, cos = angles.sin().to(x.dtype), angles.cos().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def make_positions(name: PositionName) -> Positions:
    """Build a scheme by its name in the configuration."""
    schemes = {
        "absolute": AbsolutePositions,
        "random_offset": lambda: AbsolutePositions(max_offset=1000),
        "rotary": RotaryPositions,
        "none": Positions,
    }
    return schemes[name]()
