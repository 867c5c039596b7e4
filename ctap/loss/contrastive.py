"""Frame-level contrastive loss (paper, Eq. 5-6): symmetric cross-entropy over C = tau S P^T.

With N frames in a batch, C has N x N entries: 0.27 GB at N = 8,192 in float32, and the usual implementation
holds it several times. Here C is visited in blocks of rows, once forward and once backward. The logarithms of
the row sums come from each block alone, those of the column sums are carried from block to block (online
log-sum-exp, Milakov and Gimelshein 2018); backward recomputes a block, or reads it back where C is small
enough to keep. The loss of Eq. 6 lacks a minus in print: this is the cross-entropy it stands for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_gather

BLOCK_ROWS = 512
KEEP_BYTES = 128 * 2**20


class _TiledSymmetricCrossEntropy(torch.autograd.Function):
    """Mean over i of (lse_row_i + lse_col_i) / 2 - C_ii, without C."""

    @staticmethod
    def forward(ctx: Any, s: Tensor, p: Tensor, scale: Tensor, block: int, keep_bytes: int) -> Tensor:
        n = len(s)
        diagonal = scale * (s * p).sum(dim=1)
        row_lse = s.new_empty(n)
        column_max = s.new_full((n,), -math.inf)
        column_sum = s.new_zeros(n)
        keep = n * n * s.element_size() <= keep_bytes
        kept: list[Tensor] = []
        for start in range(0, n, block):
            logits = (scale * s[start : start + block]) @ p.T
            if keep:
                kept.append(logits)
            row_lse[start : start + block] = logits.logsumexp(dim=1)
            new_max = torch.maximum(column_max, logits.amax(dim=0))
            column_sum *= (column_max - new_max).exp_()
            column_sum += (logits - new_max).exp_().sum(dim=0)
            column_max = new_max
        column_lse = column_max + column_sum.log()
        ctx.save_for_backward(s, p, scale, row_lse, column_lse, *kept)
        ctx.block = block
        return (0.5 * (row_lse + column_lse) - diagonal).mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        s, p, scale, row_lse, column_lse, *kept = ctx.saved_tensors
        n, block = len(s), ctx.block
        grad_s, grad_p = torch.empty_like(s), torch.zeros_like(p)
        half = math.log(2 * n)
        row_shift, column_shift = row_lse + half, column_lse + half
        for k, start in enumerate(range(0, n, block)):
            rows = slice(start, start + block)
            logits = kept[k] if kept else (scale * s[rows]) @ p.T
            weights = (logits - row_shift[rows, None]).exp_()
            weights += (logits - column_shift).exp_()
            weights.diagonal(start).sub_(1 / n)
            grad_s[rows] = weights @ p
            grad_p.addmm_(weights.T, s[rows])
        grad_scale = grad * (grad_s * s).sum()
        return grad * scale * grad_s, grad * scale * grad_p, grad_scale, None, None


def plain_contrastive(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """The loss as the paper writes it, holding all of C: the reference for every faster form."""
    logits = scale * s @ p.T
    target = torch.arange(len(s), device=s.device)
    cross_entropy = nn.functional.cross_entropy
    return 0.5 * (cross_entropy(logits, target) + cross_entropy(logits.T, target))


def tiled_contrastive(
    s: Tensor, p: Tensor, scale: Tensor, block: int = BLOCK_ROWS, keep_bytes: int = KEEP_BYTES
) -> Tensor:
    """Symmetric cross-entropy over C = scale S P^T, exact, in memory linear in N.

    Args:
        s: [N, d] speech embeddings of real frames; half precision is computed in float32.
        p: [N, d] phoneme embeddings of the same frames.
        scale: Scalar tau.
        block: Rows of C visited at a time.
        keep_bytes: C is kept for backward when it is no larger than this.

    Returns:
        The scalar loss of Eq. 6, with gradients for all three tensors.
    """
    if s.shape != p.shape or s.dim() != 2:
        raise ValueError(
            f"expected two [N, d] matrices of one shape, got {tuple(s.shape)} and {tuple(p.shape)}"
        )
    with torch.autocast(s.device.type, enabled=False):
        if s.dtype in (torch.float16, torch.bfloat16):
            s, p = s.float(), p.float()
        return _TiledSymmetricCrossEntropy.apply(s, p, scale.to(s.dtype), block, keep_bytes)


@dataclass
class ContrastiveConfig:
    """Choices of the contrastive loss.

    Args:
        kind: tiled (exact, memory linear in the frames) or plain (holds all of C).
        gather: Take negatives from all processes' batches instead of this process's own.
    """

    kind: Literal["tiled", "plain"] = "tiled"
    gather: bool = False


class ContrastiveLoss(nn.Module):
    """Eq. 5-6 over the real frames of a batch."""

    def __init__(self, config: ContrastiveConfig) -> None:
        super().__init__()
        self.config = config
        self.function = {"tiled": tiled_contrastive, "plain": plain_contrastive}[config.kind]

    def forward(self, s: Tensor, p: Tensor, mask: Tensor, scale: Tensor) -> Tensor:
        """Loss of S and P [B, T, d] over the real frames (``mask`` [B, T]) at temperature ``scale``."""
        s, p = s[mask].float(), p[mask].float()
        # validation shares batches out unevenly: a process must not wait there for one that has none
        if self.config.gather and self.training and dist.is_available() and dist.is_initialized():
            s, p = gather_rows(s), gather_rows(p)
        return self.function(s, p, scale)


def gather_rows(x: Tensor) -> Tensor:
    """Join ``x`` [N_r, d] of all processes, N_r of any size, with gradients back to every process."""
    sizes = [torch.zeros(1, dtype=torch.long, device=x.device) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, torch.tensor([len(x)], device=x.device))
    most = int(max(sizes))
    padded = nn.functional.pad(x, (0, 0, 0, most - len(x)))
    parts = all_gather(padded)
    return torch.cat([part[: int(size)] for part, size in zip(parts, sizes, strict=True)])
