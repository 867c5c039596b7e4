"""The refiner sharpens what a squared error has smoothed: a flow from noise to mels, given the decoder's mel.

Not in the paper. A decoder that is trained with a squared error (Eq. 4) gives the mean of all mels that fit:
formants are blurred, and sound is muffled. The refiner learns the flow that leads from noise to mels
(:mod:`ctap.loss.flow`), given the decoder's mel alone: S would reveal the speaker, and converted speech
would be drawn back to its source. In use it starts from the middle of the noise, 0: nothing is
drawn at random, and the same input gives the same speech.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.positions import sinusoids
from ctap.nn.transformer import StackConfig, TransformerStack
from ctap.ranges import Range, check_ranges

TIME_DIM = 64  # of the sinusoids that tell the network how far it is on the way


@dataclass
class RefinerConfig(StackConfig):
    """The refiner's stack.

    Args:
        layers: Number of blocks; 0, as in the paper, leaves the refiner out.
        steps: Steps from 0 to speech in use.
    """

    layers: int = 0
    steps: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, steps=Range(1, 100))


class Refiner(nn.Module):
    """Where a mel moves to on its way from noise to speech.

    Args:
        n_mels: Mel bins.
        config: The stack.
    """

    def __init__(self, n_mels: int, config: RefinerConfig) -> None:
        super().__init__()
        self.steps = config.steps
        self.project_in = nn.Linear(2 * n_mels, config.dim)
        self.project_time = nn.Sequential(
            nn.Linear(TIME_DIM, config.dim), nn.GELU(), nn.Linear(config.dim, config.dim)
        )
        self.conv = FrameConv(config.dim, config.dim, 3)
        self.stack = TransformerStack(config)
        self.project_out = nn.Linear(config.dim, n_mels)

    def forward(self, x: Tensor, time: Tensor, draft: Tensor, mask: Tensor | None = None) -> Tensor:
        """Direction and speed in which ``x`` moves.

        Args:
            x: [B, T, n_mels] on the way from noise to a normalised log-mel.
            time: [B] share of the way, 0 to 1.
            draft: [B, T, n_mels] the decoder's mel.
            mask: [B, T] bool, True on real frames.

        Returns:
            [B, T, n_mels].
        """
        here = self.project_time(sinusoids(1000 * time, TIME_DIM))[:, None]
        h = self.project_in(torch.cat([x, draft], dim=-1)) + here
        return self.project_out(self.stack(F.gelu(self.conv(h, mask)), mask))

    def refine(self, draft: Tensor, mask: Tensor | None = None) -> Tensor:
        """Sharpened mel [B, T, n_mels] of the decoder's ``draft``."""
        x = torch.zeros_like(draft)
        for i in range(self.steps):
            time = torch.full_like(draft[:, 0, 0], i / self.steps)
            x = x + self(x, time, draft, mask) / self.steps
        return x
