"""Which utterances make up which batch: length buckets, one endless seeded stream, exact resume.

The stream of batches is a function of the seed alone, so a run that was stopped after k steps goes on with
batch k: nothing about the data needs to be saved.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from torch.utils.data import Sampler

from ctap.files.lists import spread

PIECES = 16
"""Pieces of the corpus, from places drawn at random, that make a buffer."""

Stretch = tuple[int, int]
"""The first of some utterances that follow each other, and the one after the last."""


@dataclass(frozen=True)
class BatchRequest:
    """Utterances of one batch.

    Attributes:
        indices: the utterances.
        number: seeds what is random in the batch (None: nothing is).
        ahead: utterances of later batches, to be read from the disk in order from now on.
    """

    indices: tuple[int, ...]
    number: int | None
    ahead: tuple[Stretch, ...] = ()


class Plan(Sequence[tuple[int, ...]]):
    """The batches of one pass, as two arrays: tuples of ten million utterances would take a gigabyte.

    Args:
        order: [N] utterances, batch after batch.
        ends: [B] where each batch ends in ``order``.
        turns: [B] the batches in the order in which they come.
        buffers: The batch with which each buffer begins, and the utterances in it (:func:`plan_in_buffers`).
    """

    def __init__(
        self,
        order: np.ndarray,
        ends: np.ndarray,
        turns: np.ndarray,
        buffers: Sequence[tuple[int, tuple[Stretch, ...]]] = (),
    ) -> None:
        self.order, self.ends, self.turns = order, ends, turns
        self._starts, self._held = [start for start, _ in buffers], [held for _, held in buffers]

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

    def ahead(self, index: int, first: bool) -> tuple[Stretch, ...]:
        """What to read from the disk from batch ``index`` on: where a buffer begins, the one after it.

        Nothing of it has been read if this is the ``first`` batch of all: then its own buffer as well.
        """
        here = bisect_right(self._starts, index) - 1
        if here < 0 or not (first or self._starts[here] == index):
            return ()
        wanted = self._held[here if first or here == 0 else here + 1 : here + 2]
        return tuple(stretch for held in wanted for stretch in held)


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


def plan_in_buffers(
    lengths: np.ndarray,
    buffer_frames: int,
    batch_frames: int,
    batch_size: int | None,
    rng: np.random.Generator,
) -> Plan:
    """As :func:`plan_pass`, with each batch out of one buffer, so that a disk is read in long stretches.

    The corpus is cut into pieces, as it lies on the disk; a buffer is :data:`PIECES` of them, at random.

    Args:
        lengths: [N] frames of each utterance, in the order in which they lie on the disk.
        buffer_frames: Frames of a buffer.
        batch_frames: As there.
        batch_size: As there.
        rng: Also draws the pieces.
    """
    piece = np.cumsum(lengths, dtype=np.int64) * PIECES // buffer_frames
    starts = np.flatnonzero(np.diff(piece, prepend=-1)).tolist()
    pieces: list[Stretch] = list(zip(starts, [*starts[1:], len(lengths)], strict=True))
    drawn = rng.permutation(len(pieces)).tolist()
    order, ends, turns, buffers = [], [], [], []
    taken = batches = 0
    for first in range(0, len(drawn), PIECES):
        held = tuple(pieces[i] for i in drawn[first : first + PIECES])
        members = np.concatenate([np.arange(*stretch) for stretch in held])
        part = plan_pass(lengths[members], batch_frames, batch_size, rng)
        order.append(members[part.order])
        ends.append(part.ends + taken)
        turns.append(part.turns + batches)
        buffers.append((batches, held))
        taken, batches = taken + len(members), batches + len(part)
    return Plan(*map(np.concatenate, (order, ends, turns)), buffers)


def _cut(lengths: np.ndarray, batch_frames: int, batch_size: int) -> np.ndarray:
    """Where batches ``[K]`` end, if utterances of ``lengths`` [N] are taken in turn while there is room."""
    ends: list[int] = []
    start, count = 0, len(lengths)
    while start < count:
        # more than so many as long as the first one do not fit
        room = min(batch_size, max(1, batch_frames // max(1, int(lengths[start]))))
        longest = np.maximum.accumulate(lengths[start : start + room])
        fits = longest * np.arange(1, len(longest) + 1) <= batch_frames
        start += max(1, int(np.count_nonzero(fits)))
        ends.append(start)
    return np.array(ends, dtype=np.int64)


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
        buffer_frames: Frames of the corpus that batches are drawn from at a time; None: of all of it.
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
        buffer_frames: int | None = None,
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
        self.buffer_frames = buffer_frames
        self.accumulate = accumulate
        self.rank = rank
        self.world = world
        self._sizes: list[int] = []  # batches of the passes so far
        self._plan: tuple[int, Plan] | None = None  # the last pass that was planned

    def __len__(self) -> int:
        start = self.position()
        steps = min(self.epoch_steps - start % self.epoch_steps, self.max_steps - start)
        return max(1, steps) * self.accumulate

    def batches(self, first: int) -> Iterator[tuple[tuple[int, ...], tuple[Stretch, ...]]]:
        """The stream from batch ``first`` on, without end: utterances, and those to be read ahead."""
        number, begins = 0, True
        while number < len(self._sizes) and first >= self._sizes[number]:
            first -= self._sizes[number]
            number += 1
        while True:
            plan = self._pass(number)
            for index in range(first, len(plan)):
                yield plan[index], plan.ahead(index, begins)
                begins = False
            first = max(0, first - len(plan))
            number += 1

    def _pass(self, number: int) -> Plan:
        """The plan of a pass; each epoch of a long one asks for the same."""
        if self._plan is None or self._plan[0] != number:
            rng = np.random.default_rng([self.seed, number])
            limits = self.batch_frames, self.batch_size, rng
            if self.buffer_frames is None:
                plan = plan_pass(self.lengths, *limits)
            else:
                plan = plan_in_buffers(self.lengths, self.buffer_frames, *limits)
            self._plan = number, plan
            if number == len(self._sizes):
                self._sizes.append(len(plan))
        return self._plan[1]

    def __iter__(self) -> Iterator[BatchRequest]:
        start = self.position() * self.accumulate
        stream = self.batches(start * self.world)
        for number in range(start, start + len(self)):
            group = [next(stream) for _ in range(self.world)]
            ahead = tuple(stretch for _, stretches in group for stretch in stretches)
            yield BatchRequest(group[self.rank][0], number, ahead)


class FixedBatches(Sampler[BatchRequest]):
    """Every utterance once, sorted by length, nothing random: validation. Shared out over the processes.

    Or no more than ``most`` batches, evenly from all.

    Where there are more processes than batches, some batches are validated twice: none may be without.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        *,
        batch_frames: int,
        batch_size: int | None,
        rank: int = 0,
        world: int = 1,
        most: int | None = None,
    ) -> None:
        plan = plan_pass(lengths, batch_frames, batch_size, None)
        own = plan[rank::world] or [plan[rank % len(plan)]]
        own = own if most is None else spread(own, most)
        self.requests = [BatchRequest(indices, None) for indices in own]

    def __len__(self) -> int:
        return len(self.requests)

    def __iter__(self) -> Iterator[BatchRequest]:
        return iter(self.requests)
