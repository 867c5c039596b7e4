"""Which utterances make up which batch: length buckets, one endless seeded stream, exact resume.

The stream of batches is a function of the seed alone, so a run that was stopped after k steps goes on with
batch k: nothing about the data needs to be saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Sampler


@dataclass(frozen=True)
class BatchRequest:
    """Utterances of one batch, and the number that seeds what is random in it (None: nothing is)."""

    indices: tuple[int, ...]
    number: int | None


def plan_pass(
    lengths: np.ndarray, batch_frames: int, batch_size: int | None, rng: np.random.Generator | None
) -> list[tuple[int, ...]]:
    """Split all utterances into batches of like length.

    Args:
        lengths: [N] frames of each utterance.
        batch_frames: Most frames of a batch, padding included; a longer utterance is a batch of its own.
        batch_size: Most utterances of a batch, or None.
        rng: Blurs the order of lengths by a few percent and shuffles the batches; None keeps both sorted.

    Returns:
        Batches of indices, every utterance in exactly one.
    """
    blurred = lengths if rng is None else lengths * rng.uniform(0.97, 1.03, len(lengths))
    batches: list[tuple[int, ...]] = []
    current: list[int] = []
    longest = 0
    for index in np.argsort(blurred, kind="stable"):
        grown = max(longest, int(lengths[index]))
        full = len(current) + 1 > (batch_size or len(lengths))
        if current and (full or grown * (len(current) + 1) > batch_frames):
            batches.append(tuple(current))
            current, grown = [], int(lengths[index])
        current.append(int(index))
        longest = grown
    if current:
        batches.append(tuple(current))
    if rng is not None:
        batches = [batches[i] for i in rng.permutation(len(batches))]
    return batches


class BatchStream(Sampler[BatchRequest]):
    """An endless stream of training batches, cut into epochs that end at multiples of ``epoch_steps``.

    Args:
        lengths: [N] frames of each utterance (after cropping).
        batch_frames: Most frames of a batch of one process, padding included.
        batch_size: Most utterances of a batch of one process, or None.
        epoch_steps: Steps of an epoch; the first after a checkpoint within one, and the last, are shorter.
        max_steps: Steps of the whole training.
        position: Tells how many steps have been taken; asked when an iterator starts.
        seed: Seed of the stream.
        accumulate: Batches a step.
        rank: This process.
        world: Number of processes; batch k of a process is number k * world + rank of the stream.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        *,
        batch_frames: int,
        batch_size: int | None,
        epoch_steps: int,
        max_steps: int,
        position: Callable[[], int],
        seed: int,
        accumulate: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.lengths = lengths
        self.batch_frames = batch_frames
        self.batch_size = batch_size
        self.epoch_steps = epoch_steps
        self.max_steps = max_steps
        self.position = position
        self.seed = seed
        self.accumulate = accumulate
        self.rank = rank
        self.world = world

    def __len__(self) -> int:
        start = self.position()
        steps = min(self.epoch_steps - start % self.epoch_steps, self.max_steps - start)
        return max(1, steps) * self.accumulate

    def batches(self, first: int) -> Iterator[tuple[int, ...]]:
        """The stream from batch ``first`` on, without end."""
        number = 0
        while True:
            rng = np.random.default_rng([self.seed, number])
            plan = plan_pass(self.lengths, self.batch_frames, self.batch_size, rng)
            yield from plan[first:]
            first = max(0, first - len(plan))
            number += 1

    def __iter__(self) -> Iterator[BatchRequest]:
        start = self.position() * self.accumulate
        stream = self.batches(start * self.world)
        for number in range(start, start + len(self)):
            group = [next(stream) for _ in range(self.world)]
            yield BatchRequest(group[self.rank], number)


class FixedBatches(Sampler[BatchRequest]):
    """Every utterance once, sorted by length, nothing random: validation. Shared out over the processes."""

    def __init__(
        self, lengths: np.ndarray, *, batch_frames: int, batch_size: int | None, rank: int = 0, world: int = 1
    ) -> None:
        plan = plan_pass(lengths, batch_frames, batch_size, None)
        own = plan[rank::world] or [plan[rank % len(plan)]]  # no process may be without
        self.requests = [BatchRequest(indices, None) for indices in own]

    def __len__(self) -> int:
        return len(self.requests)

    def __iter__(self) -> Iterator[BatchRequest]:
        return iter(self.requests)
