"""Phoneme encoder with the length regulator (paper, sections 2.1.1 and 3.1, Eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.length_regulator import PLACES, places, regulate
from ctap.nn.transformer import StackConfig, TransformerStack
from ctap.ranges import NOT_NEGATIVE, check_ranges


@dataclass
class PhonemeStackConfig(StackConfig):
    """The phoneme encoder's stack, and two things that the paper's does not have.

    Args:
        phone_layers: Blocks on the phones, before each is repeated for its frames: a tenth of the work that
            blocks on frames are.
        places: Each frame is told where in its phone it stands, and how long the phone is.
    """

    phone_layers: int = 0
    places: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, phone_layers=NOT_NEGATIVE)


class PhonemeEncoder(nn.Module):
    """Embedding, length regulator, conv5 - ReLU, transformer blocks, a linear layer to d, layer norm."""

    def __init__(self, n_tokens: int, embed_dim: int, config: PhonemeStackConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, config.dim, padding_idx=0)
        self.phones = None
        if config.phone_layers:
            self.phones = TransformerStack(replace(config, layers=config.phone_layers, fold=1))
        self.place = nn.Linear(PLACES, config.dim) if config.places else None
        self.conv = FrameConv(config.dim, config.dim, 5)
        self.stack = TransformerStack(config)
        self.project = nn.Linear(config.dim, embed_dim)
        self.norm = nn.LayerNorm(embed_dim)

    def forward(
        self, tokens: Tensor, durations: Tensor, size: int, mask: Tensor | None = None, offset: int = 0
    ) -> Tensor:
        """Encode phonemes at the frame rate.

        Args:
            tokens: [B, L] phone ids, 0 on padding.
            durations: [B, L] frames of each phone, 0 on padding.
            size: Number of frames T.
            mask: [B, T] bool, True on real frames.
            offset: Position of the first frame, for probing a position scheme.

        Returns:
            P [B, T, d].
        """
        x = self.embedding(tokens)
        if self.phones is not None:
            x = self.phones(x, tokens > 0)
        x = regulate(x, durations, size)
        if self.place is not None:
            x = x + self.place(places(durations, size))
        x = F.relu(self.conv(x, mask))
        return self.norm(self.project(self.stack(x, mask, offset)))
