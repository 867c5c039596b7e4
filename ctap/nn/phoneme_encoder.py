"""Phoneme encoder with the length regulator (paper, sections 2.1.1 and 3.1, Eq. 1)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.length_regulator import regulate
from ctap.nn.transformer import StackConfig, TransformerStack


class PhonemeEncoder(nn.Module):
    """Embedding, length regulator, conv5 - ReLU, transformer blocks, a linear layer to d, layer norm."""

    def __init__(self, n_tokens: int, embed_dim: int, config: StackConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, config.dim, padding_idx=0)
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
        x = regulate(self.embedding(tokens), durations, size)
        x = F.relu(self.conv(x, mask))
        return self.norm(self.project(self.stack(x, mask, offset)))
