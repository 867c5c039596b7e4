"""The cross-entropy over C = tau S P^T as a Triton kernel: no tile of C ever leaves the chip.

A program holds a block of rows and walks over all columns, as attention kernels do. What is done for rows is
done for columns by the same kernel with S and P changed over, so nothing is added up across programs and
results are the same on every run; six products instead of the four that the plain PyTorch tiles need.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ctap.loss.contrastive_tiled import full_precision

HEIGHT = 64  # rows of a program's block; with them all of d = 256, the most that is let in, fits a GPU


@triton.jit
def _tile(a, b, phones, i, j, n, SKIP: tl.constexpr, PRECISION: tl.constexpr):
    """Logits of rows ``i`` and columns ``j``: -inf where there is no column or the pair is left out."""
    logits = tl.dot(a, tl.trans(b), input_precision=PRECISION)
    live = (j < n)[None, :]
    if SKIP:
        x = tl.load(phones + i, mask=i < n, other=-1)
        y = tl.load(phones + j, mask=j < n, other=-1)
        live = live & ((x[:, None] != y[None, :]) | (i[:, None] == j[None, :]))
    return tl.where(live, logits, float("-inf"))


@triton.jit
def _rows(x, i, n, d, WIDTH: tl.constexpr):
    """Rows ``i`` of ``x`` [n, d], with zeros up to WIDTH columns and past the last row."""
    k = tl.arange(0, WIDTH)
    inside = (i < n)[:, None] & (k < d)[None, :]
    return tl.load(x + i.to(tl.int64)[:, None] * d + k[None, :], mask=inside, other=0.0)


@triton.jit
def _log_sum_exp(
    a, b, phones, out, n, d,
    HEIGHT: tl.constexpr, COLUMNS: tl.constexpr, WIDTH: tl.constexpr,
    SKIP: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """``out`` [n]: log-sum-exp of each row of A B^T."""
    i = tl.program_id(0) * HEIGHT + tl.arange(0, HEIGHT)
    own = _rows(a, i, n, d, WIDTH)
    highest = tl.full((HEIGHT,), float("-inf"), tl.float32)
    total = tl.zeros((HEIGHT,), tl.float32)
    for start in range(0, n, COLUMNS):
        j = start + tl.arange(0, COLUMNS)
        logits = _tile(own, _rows(b, j, n, d, WIDTH), phones, i, j, n, SKIP, PRECISION)
        new = tl.maximum(highest, tl.max(logits, axis=1))
        finite = tl.where(new == float("-inf"), 0.0, new)
        total = total * tl.exp(highest - finite) + tl.sum(tl.exp(logits - finite[:, None]), axis=1)
        highest = new
    tl.store(out + i, highest + tl.log(total), mask=i < n)


@triton.jit
def _weighted(
    a, b, phones, lse_a, lse_b, out, n, d,
    HEIGHT: tl.constexpr, COLUMNS: tl.constexpr, WIDTH: tl.constexpr,
    SKIP: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """``out`` [n, d]: (softmax of A B^T along rows plus that along columns) times B."""
    i = tl.program_id(0) * HEIGHT + tl.arange(0, HEIGHT)
    own = _rows(a, i, n, d, WIDTH)
    row = tl.load(lse_a + i, mask=i < n, other=0.0)
    total = tl.zeros((HEIGHT, WIDTH), tl.float32)
    for start in range(0, n, COLUMNS):
        j = start + tl.arange(0, COLUMNS)
        other = _rows(b, j, n, d, WIDTH)
        column = tl.load(lse_b + j, mask=j < n, other=0.0)
        logits = _tile(own, other, phones, i, j, n, SKIP, PRECISION)
        weights = tl.exp(logits - row[:, None]) + tl.exp(logits - column[None, :])
        total += tl.dot(weights, other, input_precision=PRECISION)
    k = tl.arange(0, WIDTH)
    inside = (i < n)[:, None] & (k < d)[None, :]
    tl.store(out + i.to(tl.int64)[:, None] * d + k[None, :], total, mask=inside)


def _launch(kernel: Any, a: Tensor, b: Tensor, phones: Tensor | None, *more: Tensor) -> None:
    """Run ``kernel`` over blocks of rows of ``a`` [N, d]."""
    n, d = a.shape
    width = max(16, triton.next_power_of_2(d))
    # three products in TF32 come to about float32; one alone where the user allows it
    precision = "tf32x3" if torch.get_float32_matmul_precision() == "highest" else "tf32"
    kernel[(triton.cdiv(n, HEIGHT),)](
        a, b, a if phones is None else phones, *more, n, d,
        HEIGHT=HEIGHT, COLUMNS=32, WIDTH=width, SKIP=phones is not None, PRECISION=precision,
        num_warps=8 if width >= 256 else 4, num_stages=2,
    )  # fmt: skip


class _MeanLogSumExp(torch.autograd.Function):
    """As in :mod:`ctap.loss.contrastive_tiled`."""

    @staticmethod
    def forward(
        ctx: Any, s: Tensor, p: Tensor, target: Tensor, scale: Tensor, phones: Tensor | None
    ) -> Tensor:
        scaled = s * scale
        row_lse, column_lse = (s.new_empty(len(s)) for _ in range(2))
        _launch(_log_sum_exp, scaled, p, phones, row_lse)
        _launch(_log_sum_exp, p, scaled, phones, column_lse)
        ctx.save_for_backward(s, p, target, scale, phones, row_lse, column_lse)
        return (0.5 * (row_lse + column_lse) - (scaled * target).sum(dim=1)).mean()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        s, p, target, scale, phones, row_lse, column_lse = ctx.saved_tensors
        n, scaled = len(s), s * scale
        grad_s, grad_p = torch.empty_like(s), torch.empty_like(p)
        _launch(_weighted, scaled, p, phones, row_lse, column_lse, grad_s)
        _launch(_weighted, p, scaled, phones, column_lse, row_lse, grad_p)
        grad_s = (0.5 * grad_s - target) / n
        grad_scale = grad * (grad_s * s).sum()
        grad_target = s * (grad * scale / -n)
        return grad * scale * grad_s, grad * grad_p / (2 * n), grad_target, grad_scale, None


@torch.compiler.disable
def triton_contrastive(
    s: Tensor, p: Tensor, scale: Tensor, target: Tensor | None = None, phones: Tensor | None = None
) -> Tensor:
    """:func:`ctap.loss.contrastive_tiled.tiled_contrastive` for float32 tensors on a GPU."""
    with torch.autocast(s.device.type, enabled=False):
        s, p = (x.float().contiguous() for x in full_precision(s, p))
        target = p if target is None else target.float()
        return _MeanLogSumExp.apply(s, p, target, scale.float(), phones)
