#!/usr/bin/env python3
"""Attention in training, forward and backward: product by product against PyTorch's kernel.

    python tools/bench/attention.py --threads 1 --lengths 150 300 800

A batch of 2400 positions of 2 heads of 64 (the small preset's; with ``fold: 2`` it has 150 of them where an
utterance has 300 frames), a tenth of each utterance padded. Medians of alternating turns, in milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.errors import cli
from ctap.nn.transformer import plain_attention

POSITIONS, HEADS, DIM = 2400, 2, 64


def kernel(q: Tensor, k: Tensor, v: Tensor, keys: Tensor) -> Tensor:
    """PyTorch's own."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=keys)


def there_and_back(attention: Callable[..., Tensor], inputs: list[Tensor], keys: Tensor) -> float:
    """Milliseconds of one pass."""
    start = time.perf_counter()
    attention(*inputs, keys).float().square().mean().backward()
    return 1e3 * (time.perf_counter() - start)


@cli
def main() -> None:
    """Print a line for each type and length."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lengths", type=int, nargs="+", default=[150, 300, 800])
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{'type':10} {'length':>7} {'kernel':>8} {'products':>9} {'kernel / products':>18}")
    for dtype in (torch.bfloat16, torch.float32):
        for length in options.lengths:
            shape = (max(1, POSITIONS // length), HEADS, length, DIM)
            inputs = [torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(3)]
            keys = torch.ones(shape[0], 1, 1, length, dtype=torch.bool)
            keys[..., length - length // 10 :] = False
            taken: dict[Callable[..., Tensor], list[float]] = {kernel: [], plain_attention: []}
            for _ in range(options.turns + 2):
                for attention, times in taken.items():
                    times.append(there_and_back(attention, inputs, keys))
            theirs, ours = (statistics.median(times[2:]) for times in taken.values())
            name = str(dtype).removeprefix("torch.")
            print(f"{name:10} {length:7} {theirs:8.1f} {ours:9.1f} {theirs / ours:18.2f}")


if __name__ == "__main__":
    main()
