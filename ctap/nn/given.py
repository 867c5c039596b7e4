"""Frames of another representation in the place of the speech encoder (paper, section 3.2)."""

from __future__ import annotations

from torch import Tensor, nn

from ctap.nn.statistics import keep_statistics


class GivenFrames(nn.Module):
    """What was dumped beforehand (``ctap/upstream``, or any ark), to zero mean and unit variance.

    Args:
        dim: Dimension d of a frame.
        mean: Mean of every dimension, [d]; 0 if not given.
        std: Standard deviation of every dimension, [d]; 1 if not given.
    """

    def __init__(self, dim: int, mean: list[float] | None = None, std: list[float] | None = None) -> None:
        super().__init__()
        keep_statistics(self, dim, mean, std)

    def forward(self, frames: Tensor, mask: Tensor | None = None, offset: int = 0) -> Tensor:
        """Frames [B, T, d] as they were dumped -> S [B, T, d], normalised."""
        return (frames - self.mean) / self.std
