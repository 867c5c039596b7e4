"""Durations made worse on purpose, to learn how good they have to be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from zlib import crc32

import numpy as np

from ctap.align.durations import Durations


def disturb(durations: Sequence[int], frames: int, rng: np.random.Generator) -> list[int]:
    """Move every boundary by ``frames``, earlier or later with equal chance, where there is room.

    Args:
        durations: frames of each phone, each at least 1.
        frames: how far; where a phone would be left with no frame the boundary moves less.
        rng: decides on the directions.

    Returns:
        As many durations, each at least 1, with the same sum; no boundary is further off than ``frames``.
    """
    edges = list(accumulate(durations))
    total, last = edges.pop(), 0
    moved = []
    for i, (edge, up) in enumerate(zip(edges, rng.integers(0, 2, len(edges)), strict=True)):
        # A boundary that may not pass its left neighbour is pushed on, but never further than that was.
        wanted = edge + frames if up else edge - frames
        last = min(max(wanted, last + 1), total - (len(edges) - i))
        moved.append(last)
    return [b - a for a, b in pairwise([0, *moved, total])]


def disturb_all(alignments: Durations, frames: int, seed: int) -> Durations:
    """Disturb every utterance; what becomes of one depends on its name and the seed, not on the others."""
    result = {}
    for utterance, (phones, counts) in alignments.items():
        rng = np.random.default_rng([seed, crc32(utterance.encode())])
        result[utterance] = (list(phones), disturb(counts, frames, rng))
    return result
