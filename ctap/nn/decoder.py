"""Decoder: an embedding sequence (S or P) and G to log-mel (paper, section 3.1 and Eq. 3)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.refiner import Refiner, RefinerConfig
from ctap.nn.spread import spread_out
from ctap.nn.transformer import StackConfig, TransformerStack


class Decoder(nn.Module):
    """Linear d to 512, + G on every frame, transformer blocks, linear to mel, then 5 conv5 as a residual.

    The first four convolutions end in tanh: the paper's "5 convolution layers, 4 Tanh activation functions",
    laid out as the post-net of Tacotron 2 (Shen et al. 2018).

    Args:
        n_mels: Mel bins.
        embed_dim: Dimension d of S and P.
        prompt_dim: Dimension D_g of G.
        config: The stack.
        postnet_dim: Channels of the convolutions.
        refiner: Used by :meth:`sharp`; with 0 layers there is none.

    Attributes:
        spread: Factors ``[n_mels]`` of :meth:`spread_out`, 1 each where none were measured.
    """

    def __init__(
        self,
        n_mels: int,
        embed_dim: int,
        prompt_dim: int,
        config: StackConfig,
        postnet_dim: int = 512,
        refiner: RefinerConfig | None = None,
    ) -> None:
        super().__init__()
        self.project_in = nn.Linear(embed_dim, config.dim)
        self.project_prompt = nn.Identity() if prompt_dim == config.dim else nn.Linear(prompt_dim, config.dim)
        self.stack = TransformerStack(config)
        self.project_out = nn.Linear(config.dim, n_mels)
        widths = [n_mels, *[postnet_dim] * 4, n_mels]
        self.postnet = nn.ModuleList(FrameConv(a, b, 5) for a, b in pairwise(widths))
        self.refiner = Refiner(n_mels, refiner) if refiner is not None and refiner.layers else None
        # no weight: set by whoever has measured it (ctap.tasks.spreading), kept in model.yaml
        self.register_buffer("spread", torch.ones(n_mels), persistent=False)

    def forward(self, embedding: Tensor, g: Tensor, mask: Tensor | None = None) -> Tensor:
        """Predict normalised log-mel [B, T, n_mels] from ``embedding`` [B, T, d] and ``g`` [B, D_g]."""
        x = self.project_in(embedding) + self.project_prompt(g)[:, None]
        mel = self.project_out(self.stack(x, mask))
        y = mel
        for conv in self.postnet[:-1]:
            y = torch.tanh(conv(y, mask))
        return mel + self.postnet[-1](y, mask)

    def speak(self, embedding: Tensor, g: Tensor, mask: Tensor | None = None) -> Tensor:
        """What is to be heard of whole utterances; shapes as above."""
        return self.spread_out(self.sharp(embedding, g, mask), mask)

    def sharp(self, embedding: Tensor, g: Tensor, mask: Tensor | None = None) -> Tensor:
        """The predicted mel, sharpened where there is a refiner."""
        mel = self(embedding, g, mask)
        return mel if self.refiner is None else self.refiner.refine(mel, mask)

    def spread_out(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mels of whole utterances with the spread of recordings, where it was measured (ctap.nn.spread)."""
        return spread_out(mel, self.spread, mask) if self.spreads else mel

    @property
    def spreads(self) -> bool:
        """Whether a spread was measured."""
        return bool((self.spread != 1).any())
