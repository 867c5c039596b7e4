"""Semantic prediction model: from phonemes to a speech representation (paper, section 3.2)."""

from __future__ import annotations

from torch import Tensor, nn

from ctap.nn.phoneme_encoder import PhonemeEncoder, PhonemeStackConfig


class SemanticModel(nn.Module):
    """The phoneme encoder's layout, durations included, and a linear layer to the representation.

    It stands in the phoneme encoder's place where the representation is not CTAP's: frames of it have no
    layer norm. The paper takes the model of its reference [8]; ours is deterministic, one frame of output
    for every frame of the expanded phonemes, so that all systems share durations.

    Args:
        n_tokens: Number of entries of the token table.
        dim: Dimension d of the representation.
        config: Transformer blocks.
    """

    def __init__(self, n_tokens: int, dim: int, config: PhonemeStackConfig) -> None:
        super().__init__()
        self.encoder = PhonemeEncoder(n_tokens, config.dim, config)
        self.project = nn.Linear(config.dim, dim)

    def forward(
        self, tokens: Tensor, durations: Tensor, size: int, mask: Tensor | None = None, offset: int = 0
    ) -> Tensor:
        """As :meth:`ctap.nn.phoneme_encoder.PhonemeEncoder.forward` -> [B, T, d], normalised frames."""
        return self.project(self.encoder(tokens, durations, size, mask, offset))
