"""A generator of HiFi-GAN's kind with random weights, as ONNX: ``[1, M, T]`` to samples ``[1, 1, N]``."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDES = (8, 8, 4)  # a hop of 256


class Generator(nn.Module):
    """Transposed convolutions, each followed by a residual block, and a tanh in the end."""

    def __init__(self, n_mels: int, width: int = 16) -> None:
        super().__init__()
        self.enter = nn.Conv1d(n_mels, width, 7, padding=3)
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(width, width, 2 * s, stride=s, padding=s // 2) for s in STRIDES
        )
        self.blocks = nn.ModuleList(nn.Conv1d(width, width, 3, padding=2, dilation=2) for _ in STRIDES)
        self.leave = nn.Conv1d(width, 1, 7, padding=3)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.enter(mel)
        for up, block in zip(self.up, self.blocks, strict=True):
            x = up(F.leaky_relu(x, 0.1))
            x = x + block(F.leaky_relu(x, 0.1))
        return torch.tanh(self.leave(F.leaky_relu(x)))


def export(path: Path, n_mels: int = 80) -> Generator:
    """Write one to ``path``."""
    torch.manual_seed(0)
    generator = Generator(n_mels).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its older exporter
        torch.onnx.export(
            generator, (torch.zeros(1, n_mels, 20),), str(path), dynamo=False, input_names=["mel"],
            output_names=["wave"], dynamic_axes={"mel": {2: "frames"}, "wave": {2: "samples"}},
        )  # fmt: skip
    return generator
