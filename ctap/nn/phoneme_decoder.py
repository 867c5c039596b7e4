"""Phoneme decoder: phones from speech embeddings (paper, sections 2.2.3 and 3.2)."""

from __future__ import annotations

from torch import Tensor, nn

from ctap.nn.transformer import StackConfig, TransformerStack


class PhonemeDecoder(nn.Module):
    """6 transformer blocks and a linear layer over phones; beside it a CTC head over text units.

    Args:
        embed_dim: Dimension d of the speech embeddings.
        n_tokens: Number of phones of the token table.
        n_units: Number of sentencepiece units, of which unit 0 is the CTC blank; 0 for no CTC head.
        config: Sizes of the stack.
    """

    def __init__(self, embed_dim: int, n_tokens: int, n_units: int, config: StackConfig) -> None:
        super().__init__()
        self.project_in = nn.Linear(embed_dim, config.dim)
        self.stack = TransformerStack(config)
        self.norm = nn.LayerNorm(config.dim)
        self.phones = nn.Linear(config.dim, n_tokens)
        self.units = nn.Linear(config.dim, n_units) if n_units else None

    def forward(self, embedding: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits over phones [B, T, n_tokens] and over text units [B, T, n_units] (or None)."""
        x = self.norm(self.stack(self.project_in(embedding), mask))
        return self.phones(x), None if self.units is None else self.units(x)
