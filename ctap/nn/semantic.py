"""Semantic prediction model: from phonemes to a speech representation (paper, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ctap.nn.phoneme_encoder import PhonemeEncoder
from ctap.nn.transformer import StackConfig


@dataclass
class SemanticConfig:
    """Sizes of a semantic prediction model.

    Args:
        dim: Dimension D of the representation.
        stack: Its transformer blocks.
    """

    dim: int = 256
    stack: StackConfig = field(default_factory=lambda: StackConfig(layers=4))


class SemanticModel(nn.Module):
    """The layout of the phoneme encoder, durations included, and a linear layer to the representation.

    The paper takes the model of its reference [8]; ours is deterministic, one frame of output for every frame
    of the expanded phonemes, so that all systems share durations.

    Args:
        n_tokens: Number of entries of the token table.
        config: Sizes.
        mean: Mean of every dimension of the representation, [D]; 0 if not given.
        std: Standard deviation of every dimension, [D]; 1 if not given.
    """

    def __init__(
        self,
        n_tokens: int,
        config: SemanticConfig,
        mean: list[float] | None = None,
        std: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = PhonemeEncoder(n_tokens, config.stack.dim, config.stack)
        self.project = nn.Linear(config.stack.dim, config.dim)
        self.register_buffer("mean", torch.tensor(mean) if mean else torch.zeros(config.dim))
        self.register_buffer("std", torch.tensor(std) if std else torch.ones(config.dim))

    def normalize(self, representation: Tensor) -> Tensor:
        """Representation [..., D] to zero mean and unit variance."""
        return (representation - self.mean) / self.std

    def denormalize(self, x: Tensor) -> Tensor:
        """The inverse of :meth:`normalize`."""
        return x * self.std + self.mean

    def forward(self, tokens: Tensor, durations: Tensor, size: int, mask: Tensor | None = None) -> Tensor:
        """Predict a representation, normalised.

        Args:
            tokens: [B, L] phone ids, 0 on padding.
            durations: [B, L] frames of each phone, 0 on padding.
            size: Number of frames T.
            mask: [B, T] bool, True on real frames.

        Returns:
            [B, T, D].
        """
        return self.project(self.encoder(tokens, durations, size, mask))
