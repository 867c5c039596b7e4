"""Which utterances make up which batch: length buckets, one endless seeded stream, exact resume.

The stream of batches is a function of the seed alone, so a run that was stopped after k steps goes on with
batch k: nothing about the data needs to be saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from torch.utils.data import Sampler


@dataclass(frozen=True)
class BatchRequest:
    """Utterances of one batch, and the number that seeds what is random in it (None: nothing is)."""

    indices: tuple[int, ...]
    number: int | None


class Plan(Sequence[tuple[int, ...]]):
    """The batches of one pass, as two arrays: tuples of ten million utterances would take a gigabyte.

    Args:
        order: [N] utterances, batch after batch.
        ends: [B] where each batch ends in ``order``.
        turns: [B] the batches in the order in which they come.
    """

    def __init__(self, order: np.ndarray, ends: np.ndarray, turns: np.ndarray) -> None:
        self.order, self.ends, self.turns = order, ends, turns

    def __len__(self) -> int:
        return len(self.turns)

    @overload
    def __getitem__(self, index: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[int, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, ...] | list[tuple[int, ...]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        turn = self.turns[index]
        start = self.ends[turn - 1] if turn else 0
        return tuple(self.order[start : self.ends[turn]].tolist())


def plan_pass(
    lengths: np.ndarray, batch_frames: int, batch_size: int | None, rng: np.random.Generator | None
) -> Plan:
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
    order = np.argsort(blurred, kind="stable")
    ends = _cut(np.asarray(lengths, np.int64)[order], batch_frames, batch_size or len(lengths))
    turns = np.arange(len(ends)) if rng is None else rng.permutation(len(ends))
    return Plan(order, ends, turns)


def _cut(lengths: np.ndarray, batch_frames: int, batch_size: int) -> np.ndarray:
    """Where batches end, if utterances are taken one after another while there is room."""
    from ctap.data.cutting import cut

    ends = np.empty(len(lengths), np.int64)
    return ends[: cut(lengths, batch_frames, batch_size, ends)].copy()


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
        self._sizes: list[int] = []  # batches of the passes so far
        self._plan: tuple[int, Plan] | None = None  # the last pass that was planned

    def __len__(self) -> int:
        start = self.position()
        steps = min(self.epoch_steps - start % self.epoch_steps, self.max_steps - start)
        return max(1, steps) * self.accumulate

    def batches(self, first: int) -> Iterator[tuple[int, ...]]:
        """The stream from batch ``first`` on, without end."""
        number = 0
        while number < len(self._sizes) and first >= self._sizes[number]:
            first -= self._sizes[number]
            number += 1
        while True:
            plan = self._pass(number)
            for index in range(first, len(plan)):
                yield plan[index]
            first = max(0, first - len(plan))
            number += 1

    def _pass(self, number: int) -> Plan:
        """The plan of a pass; each epoch of a long one asks for the same."""
        if self._plan is None or self._plan[0] != number:
            rng = np.random.default_rng([self.seed, number])
            plan = plan_pass(self.lengths, self.batch_frames, self.batch_size, rng)
            self._plan = number, plan
            if number == len(self._sizes):
                self._sizes.append(len(plan))
        return self._plan[1]

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
