"""Pre-norm transformer blocks, shared by both encoders, the decoder and the phoneme decoder."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ctap.errors import UserError
from ctap.nn.masking import zero_padding
from ctap.nn.positions import PositionName, make_positions, rotate
from ctap.ranges import NOT_NEGATIVE, POSITIVE, SHARE, Range, check_ranges

# All GPU kernels except cuDNN's, which makes a new plan for each length of a batch, in tenths of a second.
KERNELS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


@dataclass
class StackConfig:
    """A stack of transformer blocks.

    Args:
        layers: Number of blocks.
        dim: Width of a frame inside the stack ("hidden dimension", 512 in the paper).
        heads: Attention heads.
        ffn: Width of the feed-forward layer.
        dropout: On attention's output and the feed-forward's output.
        positions: Position scheme: absolute (the paper), random_offset, rotary or none.
        fold: Neighbouring frames that the blocks take as one: 2 halves the frame rate inside the stack, as
            Whisper's encoder does; outside it is unchanged. 1 in the paper.
    """

    layers: int = 6
    dim: int = 512
    heads: int = 8
    ffn: int = 2048
    dropout: float = 0.1
    positions: PositionName = "absolute"
    fold: int = 1

    def __post_init__(self) -> None:
        sizes = {"layers": NOT_NEGATIVE, "dim": POSITIVE, "ffn": POSITIVE, "fold": Range(1, 8)}
        check_ranges(self, **sizes, dropout=SHARE)
        if self.heads < 1 or self.dim % (2 * self.heads):
            raise UserError(f"dim {self.dim} must be a multiple of twice the heads ({self.heads})")


def plain_attention(q: Tensor, k: Tensor, v: Tensor, keys: Tensor | None) -> Tensor:
    """softmax(q k^T / sqrt(K)) v, product by product.

    PyTorch's kernel for a processor is designed for long sequences: on short ones, its forward and backward
    pass take longer in bfloat16 (``tools/bench/attention.py``).

    Args:
        q: [B, H, T, K] queries.
        k: [B, H, T, K] keys.
        v: [B, H, T, K] values.
        keys: [B, 1, 1, T] bool, True on real frames; None when nothing is padded.

    Returns:
        [B, H, T, K].
    """
    with torch.autocast(q.device.type, enabled=False):
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if keys is not None:
            scores = scores.masked_fill(~keys, -torch.inf)
        return scores.softmax(-1) @ v


class SelfAttention(nn.Module):
    """Multi-head self-attention over the real frames."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project_in = nn.Linear(dim, 3 * dim)
        self.project_out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None, angles: Tensor | None) -> Tensor:
        batch, size, dim = x.shape
        qkv = self.project_in(x).view(batch, size, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each [B, H, T, K]
        if angles is not None:
            q, k = rotate(q, angles), rotate(k, angles)
        keys = None if mask is None else mask[:, None, None, :]
        if x.requires_grad and q.device.type == "cpu" and q.dtype == torch.bfloat16:
            y = plain_attention(q, k, v, keys)
        else:
            with sdpa_kernel(KERNELS) if q.is_cuda else nullcontext():
                y = F.scaled_dot_product_attention(q, k, v, attn_mask=keys)
        return self.project_out(y.transpose(1, 2).reshape(batch, size, dim))


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.dim)
        self.attention = SelfAttention(config.dim, config.heads)
        self.norm_ffn = nn.LayerNorm(config.dim)
        self.ffn = nn.Sequential(
            nn.Linear(config.dim, config.ffn), nn.GELU(), nn.Linear(config.ffn, config.dim)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | None, angles: Tensor | None) -> Tensor:
        x = x + self.dropout(self.attention(self.norm_attention(x), mask, angles))
        return x + self.dropout(self.ffn(self.norm_ffn(x)))


class TransformerStack(nn.Module):
    """``layers`` blocks under one position scheme, on frames or, with ``fold``, on groups of them.

    A group is brought to the width of one frame, and what the blocks make of it is added to its frames. In
    training groups begin at a random frame: places within them would be a clock that both encoders see.
    """

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.positions = make_positions(config.positions)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.head_dim = config.dim // config.heads
        self.fold = config.fold
        if self.fold > 1:
            self.group = nn.Linear(self.fold * config.dim, config.dim)
            self.spread = nn.Linear(config.dim, self.fold * config.dim)

    def forward(self, x: Tensor, mask: Tensor | None = None, offset: int = 0) -> Tensor:
        """Transform frames.

        Args:
            x: [B, T, dim].
            mask: [B, T] bool, True on real frames; None when nothing is padded.
            offset: Position of the first frame, for probing a scheme (0 in use).

        Returns:
            [B, T, dim]; padded frames hold meaningless values.
        """
        if self.fold == 1:
            return self._transform(x, mask, offset)
        first = int(torch.randint(self.fold, ())) if self.training else 0
        groups = self._grouped(zero_padding(x, mask), first).flatten(2)
        real = None if mask is None else self._grouped(mask[..., None], first).any(2).squeeze(2)
        y = self.spread(self._transform(self.group(groups), real, offset // self.fold))
        return x + y.reshape(x.shape[0], -1, x.shape[2])[:, first : first + x.shape[1]]

    def _grouped(self, x: Tensor, first: int) -> Tensor:
        """Neighbours of ``x`` [B, T, D] together, after ``first`` zeros: [B, N, fold, D]."""
        groups = (first + x.shape[1] + self.fold - 1) // self.fold
        padded = F.pad(x, (0, 0, first, self.fold - 1))[:, : groups * self.fold]
        return padded.reshape(x.shape[0], -1, self.fold, x.shape[2])

    def _transform(self, x: Tensor, mask: Tensor | None, offset: int) -> Tensor:
        x = self.positions.add(x, offset)
        angles = self.positions.rotation(x.shape[1], self.head_dim, offset, x)
        for block in self.blocks:
            x = block(x, mask, angles)
        return x
