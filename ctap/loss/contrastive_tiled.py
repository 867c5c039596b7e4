"""The contrastive losses in tiles: exact, and no N x N matrix is ever held.

Every objective that is a cross-entropy over C = tau S P^T needs two things of C: the logarithm of the sum
of exponentials of each row and column, and C's product with the targets. The latter is cheap for every
target offered (see :mod:`ctap.loss.targets`), the former is done here. C is visited in tiles that fit the
cache, once forward and once backward, where it is computed again: four matrix products instead of three, and
no traffic with main memory. As many tiles as fit in ``keep_bytes`` are kept and need no second product.

All rows and columns hold their own pair, so the diagonal bounds each sum from below, and the norms of S and
P bound each logit from above. If these bounds lie within what a float can hold (they do at CLIP's
temperatures), one exponential of every logit serves row and column; otherwise both are carried from tile to
tile with their own running maximum (online log-sum-exp, Milakov and Gimelshein 2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

TILE = (512, 2048)  # rows and columns; 4 MiB in float32, for a processor's cache
KEEP_BYTES = 88 * 2**20
GPU_TILE = (8192, 8192)  # 256 MiB: a GPU wants few large products
GPU_KEEP_BYTES = 1 << 30


class _Tiles:
    """C = scale S P^T, a tile at a time; pairs of one phone may be left out of it."""

    def __init__(self, s: Tensor, p: Tensor, scale: Tensor, phones: Tensor | None, tile: tuple[int, int]):
        self.s, self.p, self.scale, self.phones = s * scale, p, scale, phones
        self.tile = (min(tile[0], len(s)), min(tile[1], len(p)))
        self.buffer = s.new_empty(self.tile[0] * self.tile[1])

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of each tile."""
        n, (height, width) = len(self.s), self.tile
        for top in range(0, n, height):
            for left in range(0, n, width):
                yield slice(top, min(n, top + height)), slice(left, min(n, left + width))

    def logits(self, rows: slice, columns: slice, *, lasting: bool = False) -> Tensor:
        """One tile [h, w]; unless it is to be lasting, the next call overwrites it."""
        s, p = self.s[rows], self.p[columns]
        if lasting:
            tile = s @ p.T
        else:
            tile = self.buffer[: len(s) * len(p)].view(len(s), len(p))
            torch.mm(s, p.T, out=tile)
        if self.phones is not None:
            other = self.phones[rows, None] == self.phones[columns]
            if rows.start < columns.stop and columns.start < rows.stop:
                other.diagonal(rows.start - columns.start).fill_(False)
            tile.masked_fill_(other, -math.inf)
        return tile


def _common_shift(s: Tensor, p: Tensor, scale: Tensor) -> float | None:
    """What to take from all logits so that no sum of exponentials over- or underflows, if there is such."""
    limit = math.log(torch.finfo(s.dtype).max) - math.log(len(s)) - 8
    lowest = (scale * (s * p).sum(dim=1)).min()
    highest = scale.abs() * s.norm(dim=1).max() * p.norm(dim=1).max()
    low, high = torch.stack([lowest, highest]).tolist()
    # terms of 4e-11 of the smallest sum are still held in full
    half = min(limit, -math.log(torch.finfo(s.dtype).tiny) - 24)
    return 0.5 * (low + high) if high - low < 2 * half else None


class _MeanLogSumExp(torch.autograd.Function):
    """Mean over i of (lse_row_i + lse_col_i) / 2 - tau s_i . t_i, where t is the target of row i."""

    @staticmethod
    def forward(
        ctx: Any,
        s: Tensor,
        p: Tensor,
        target: Tensor,
        scale: Tensor,
        phones: Tensor | None,
        tile: tuple[int, int],
        keep_bytes: int,
    ) -> Tensor:
        n = len(s)
        tiles = _Tiles(s, p, scale, phones, tile)
        shift = _common_shift(s, p, scale)
        kept: list[Tensor] = []
        room = keep_bytes // s.element_size() if any(ctx.needs_input_grad) else 0
        if shift is None:
            row_lse, column_lse = _online_log_sums(tiles, n)
        else:
            row_sum, column_sum = s.new_zeros(n), s.new_zeros(n)
            for rows, columns in tiles:
                room -= (rows.stop - rows.start) * (columns.stop - columns.start)
                e = tiles.logits(rows, columns, lasting=room >= 0).sub_(shift).exp_()
                row_sum[rows] += e.sum(dim=1)
                column_sum[columns] += e.sum(dim=0)
                if room >= 0:
                    kept.append(e)
            row_lse, column_lse = row_sum.log() + shift, column_sum.log() + shift
        ctx.save_for_backward(s, p, target, scale, row_lse, column_lse, phones, *kept)
        ctx.tile, ctx.shift = tile, shift
        return (0.5 * (row_lse + column_lse) - scale * (s * target).sum(dim=1)).mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        s, p, target, scale, row_lse, column_lse, phones, *kept = ctx.saved_tensors
        n, shift = len(s), ctx.shift
        tiles = _Tiles(s, p, scale, phones, ctx.tile)
        grad_s, grad_p = target / -n, torch.zeros_like(p)
        half = math.log(2 * n)
        row, column = row_lse + half, column_lse + half
        if shift is not None:
            row, column = (shift - row).exp(), (shift - column).exp()
        for k, (rows, columns) in enumerate(tiles):
            if shift is None:
                logits = tiles.logits(rows, columns)
                weights = (logits - row[rows, None]).exp_()
                weights += logits.sub_(column[columns]).exp_()
            elif k < len(kept):
                weights = (row[rows, None] + column[columns]).mul_(kept[k])
            else:
                weights = tiles.logits(rows, columns).sub_(shift).exp_()
                weights *= row[rows, None] + column[columns]
            grad_s[rows].addmm_(weights, p[columns])
            grad_p[columns].addmm_(weights.T, s[rows])
        del tiles, weights  # room for what follows
        grad_scale = grad * (grad_s * s).sum()
        grad_target = s * (grad * scale / -n)
        grad = grad * scale
        return grad_s.mul_(grad), grad_p.mul_(grad), grad_target, grad_scale, None, None, None


def _online_log_sums(tiles: _Tiles, n: int) -> tuple[Tensor, Tensor]:
    """Log-sum-exp of rows and columns [N] each, whatever the size of the logits."""
    row_max, column_max = (tiles.p.new_full((n,), -math.inf) for _ in range(2))
    row_sum, column_sum = tiles.p.new_zeros(n), tiles.p.new_zeros(n)
    for rows, columns in tiles:
        logits = tiles.logits(rows, columns)
        for highest, total, part, dim in (
            (row_max, row_sum, rows, 1),
            (column_max, column_sum, columns, 0),
        ):
            new = torch.maximum(highest[part], logits.amax(dim=dim))
            finite = new.clamp(min=torch.finfo(new.dtype).min)  # all left out so far: -inf less -inf
            total[part] *= (highest[part] - finite).exp()
            total[part] += (logits - finite.unsqueeze(dim)).exp_().sum(dim=dim)
            highest[part] = new
    return row_max + row_sum.log(), column_max + column_sum.log()


class _Sigmoid(torch.autograd.Function):
    """Mean over i of sum_j log(1 + exp(-z_ij (C_ij + b))), z = 1 on the diagonal and -1 elsewhere.

    No sum has to be known before the gradient is, so one pass does both: three products.
    """

    @staticmethod
    def forward(ctx: Any, s: Tensor, p: Tensor, scale: Tensor, bias: Tensor, tile: tuple[int, int]) -> Tensor:
        n = len(s)
        tiles = _Tiles(s, p, scale, None, tile)
        wanted = any(ctx.needs_input_grad)
        grad_s, grad_p = (-p / n, -s / n) if wanted else (None, None)
        grad_bias, total = -torch.ones_like(bias), torch.zeros_like(bias)
        for rows, columns in tiles:
            logits = tiles.logits(rows, columns).add_(bias)
            total += F.softplus(logits).sum()
            if wanted:
                weights = logits.sigmoid_().div_(n)
                grad_bias += weights.sum()
                grad_s[rows].addmm_(weights, p[columns])
                grad_p[columns].addmm_(weights.T, s[rows])
        if wanted:
            ctx.save_for_backward(grad_s * scale, grad_p * scale, (grad_s * s).sum(), grad_bias)
        return total / n - (scale * (s * p).sum(dim=1) + bias).mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return (*(grad * saved for saved in ctx.saved_tensors), None)


def _tile(s: Tensor) -> tuple[int, int]:
    return GPU_TILE if s.is_cuda else TILE


def full_precision(s: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    """S and P [N, d], each in float32 if it is in half precision.

    Raises:
        ValueError: They are no matrices of one shape.
    """
    if s.shape != p.shape or s.dim() != 2:
        raise ValueError(
            f"expected two [N, d] matrices of one shape, got {tuple(s.shape)} and {tuple(p.shape)}"
        )
    s, p = (x.float() if x.dtype in (torch.float16, torch.bfloat16) else x for x in (s, p))
    return s, p


@torch.compiler.disable  # looks at the values to choose how to add up
def tiled_contrastive(
    s: Tensor,
    p: Tensor,
    scale: Tensor,
    target: Tensor | None = None,
    phones: Tensor | None = None,
    *,
    tile: tuple[int, int] | None = None,
    keep_bytes: int | None = None,
) -> Tensor:
    """Symmetric cross-entropy over C = scale S P^T, exact, in memory linear in N.

    Args:
        s: [N, d] speech embeddings of real frames; half precision is computed in float32.
        p: [N, d] phoneme embeddings of the same frames.
        scale: Scalar tau.
        target: [N, d] what S is drawn to, mean of ``p`` under each row's targets; ``p`` itself if not given.
        phones: [N] phone of each frame: pairs of one phone are left out of C, but for a frame's own. None
            keeps all.
        tile: Rows and columns of C visited at a time; TILE or, on a GPU, GPU_TILE if not given.
        keep_bytes: So much of C is kept for backward; KEEP_BYTES or GPU_KEEP_BYTES if not given.

    Returns:
        The scalar loss of Eq. 6, with gradients for the four tensors.
    """
    with torch.autocast(s.device.type, enabled=False):
        s, p = full_precision(s, p)
        target = p if target is None else target.to(p.dtype)
        if keep_bytes is None:
            keep_bytes = GPU_KEEP_BYTES if s.is_cuda else KEEP_BYTES
        return _MeanLogSumExp.apply(s, p, target, scale.to(s.dtype), phones, tile or _tile(s), keep_bytes)


@torch.compiler.disable
def tiled_sigmoid(s: Tensor, p: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Pairwise sigmoid loss (Zhai et al., "Sigmoid loss for language image pre-training", 2023), in tiles.

    Args:
        s: [N, d] speech embeddings of real frames; half precision is computed in float32.
        p: [N, d] phoneme embeddings of the same frames.
        scale: Scalar tau.
        bias: Scalar b, added to every logit.

    Returns:
        The scalar loss: the sum over all pairs divided by N.
    """
    with torch.autocast(s.device.type, enabled=False):
        s, p = full_precision(s, p)
        return _Sigmoid.apply(s, p, scale.to(s.dtype), bias.to(s.dtype), _tile(s))
