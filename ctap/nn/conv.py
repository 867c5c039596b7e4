"""Convolution over time on [B, T, D], blind to padding."""

from __future__ import annotations

from torch import Tensor, nn

from ctap.nn.masking import zero_padding


class FrameConv(nn.Module):
    """A convolution along time with stride 1 that keeps the length and reads padded frames as silence (0)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2 * dilation, dilation=dilation)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve ``x`` [B, T, inputs] under ``mask`` [B, T] -> [B, T, outputs]."""
        return self.conv(zero_padding(x, mask).transpose(1, 2)).transpose(1, 2)
