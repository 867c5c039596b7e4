"""Batches: every utterance once, like lengths together, the same stream from any step on."""

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.data.batching import PIECES, BatchStream, FixedBatches, plan_in_buffers, plan_pass

LENGTHS = st.lists(st.integers(1, 900), min_size=1, max_size=80).map(np.array)


@settings(max_examples=80, deadline=None)
@given(LENGTHS, st.integers(100, 3000), st.one_of(st.none(), st.integers(1, 9)), st.integers(0, 99))
def test_a_pass_takes_every_utterance_once_within_the_limits(lengths, batch_frames, batch_size, seed):
    batches = plan_pass(lengths, batch_frames, batch_size, np.random.default_rng(seed))
    assert sorted(i for b in batches for i in b) == list(range(len(lengths)))
    for batch in batches:
        padded = lengths[list(batch)].max() * len(batch)
        assert padded <= batch_frames or len(batch) == 1
        assert len(batch) <= (batch_size or len(lengths))


@settings(max_examples=80, deadline=None)
@given(LENGTHS, st.integers(1, 3000), st.one_of(st.none(), st.integers(1, 9)))
def test_a_batch_ends_where_the_next_utterance_does_not_fit(lengths, batch_frames, batch_size):
    for batch, after in pairwise(plan_pass(lengths, batch_frames, batch_size, None)):
        grown = [*batch, after[0]]
        assert lengths[grown].max() * len(grown) > batch_frames or len(batch) == batch_size


@settings(max_examples=80, deadline=None)
@given(LENGTHS, st.integers(100, 30_000), st.integers(100, 3000), st.integers(0, 99))
def test_a_pass_in_buffers_takes_every_utterance_once_within_the_limits(
    lengths, buffer_frames, batch_frames, seed
):
    plan = plan_in_buffers(lengths, buffer_frames, batch_frames, None, np.random.default_rng(seed))
    assert sorted(i for b in plan for i in b) == list(range(len(lengths)))
    assert all(lengths[list(b)].max() * len(b) <= batch_frames or len(b) == 1 for b in plan)


def test_a_buffer_is_pieces_from_random_places_and_as_large_as_asked():
    lengths = np.random.default_rng(0).integers(50, 500, 4000)
    plan = plan_in_buffers(lengths, 80_000, 1500, None, np.random.default_rng(1))
    held = [plan.ahead(i, False) for i in range(len(plan))]
    buffers = [stretches for stretches in held if stretches]
    assert len(buffers[1]) == PIECES
    assert abs(sum(lengths[a:b].sum() for a, b in buffers[1]) / 80_000 - 1) < 0.1
    assert len(plan.ahead(0, True)) == 2 * PIECES  # its own, and the next
    starts = np.array([a for a, _ in buffers[1]])
    assert starts.max() - starts.min() > len(lengths) / 2
    assert (np.diff(starts) < 0).any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(300, 9000), st.integers(1, 2))
def test_what_a_batch_needs_has_been_read_ahead(start, buffer_frames, world):
    """From any step on, through several passes, in every process."""
    for rank in range(world):
        ahead = set()
        for request in stream(position=start, steps=200, buffer_frames=buffer_frames, world=world, rank=rank):
            ahead |= {i for first, after in request.ahead for i in range(first, after)}
            assert ahead >= set(request.indices)


def test_nothing_is_read_ahead_without_buffers():
    assert not any(request.ahead for request in stream(steps=40))


def test_buckets_leave_little_padding():
    """Lengths of a corpus like AISHELL-3: under 5% of the frames are padding, a third in random batches."""
    lengths = np.random.default_rng(0).gamma(6.0, 60.0, 2000).astype(int) + 80
    rng = np.random.default_rng(1)
    batches = plan_pass(lengths, 8000, None, rng)
    padded = sum(lengths[list(b)].max() * len(b) for b in batches)
    assert 1 - lengths.sum() / padded < 0.05
    shuffled = rng.permutation(len(lengths))[: 8 * 250].reshape(250, 8)
    assert 1 - lengths[shuffled].sum() / (lengths[shuffled].max(axis=1) * 8).sum() > 0.2


def test_every_pass_puts_others_together():
    plans = (plan_pass(np.arange(100, 500), 4000, None, np.random.default_rng(seed)) for seed in (0, 1))
    first, second = ({frozenset(batch) for batch in plan} for plan in plans)
    assert len(first & second) < len(first) / 2


def stream(position=0, seed=1, rank=0, world=1, steps=20, last=10_000, accumulate=1, buffer_frames=None):
    lengths = np.random.default_rng(0).integers(50, 500, 37)
    return BatchStream(
        lengths,
        batch_frames=1500,
        batch_size=None,
        epoch_steps=steps,
        max_steps=last,
        position=lambda: position,
        seed=seed,
        buffer_frames=buffer_frames,
        accumulate=accumulate,
        rank=rank,
        world=world,
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.sampled_from([None, 2000]))
def test_a_resumed_stream_goes_on_where_it_was(start, buffer_frames):
    whole = list(islice(iter(stream(steps=100, buffer_frames=buffer_frames)), 100))
    rest = list(stream(position=start, steps=20, buffer_frames=buffer_frames))
    assert len(rest) == 20 - start % 20
    expected = whole[start : start + len(rest)]
    assert [(r.indices, r.number) for r in rest] == [(r.indices, r.number) for r in expected]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.integers(1, 60), st.integers(0, 59))
def test_epochs_end_at_their_multiples_and_at_the_last_step(steps, last, killed):
    """However often a training starts again, its epochs end at the same steps, and none is left out."""
    ends, position = [], min(killed, last - 1)
    while position < last:
        position += len(stream(position, steps=steps, last=last))
        ends.append(position)
    assert ends == [e for e in [*range(steps, last, steps), last] if e > min(killed, last - 1)]


def test_accumulated_batches_are_those_of_the_stream():
    """Two batches a step: an epoch of 5 steps has 10, from the tenth step on those from number 20 on."""
    whole = list(stream(steps=40))
    assert list(stream(steps=5, accumulate=2)) == whole[:10]
    assert list(stream(position=10, steps=5, accumulate=2)) == whole[20:30]
    pairs = [list(stream(steps=5, accumulate=2, rank=rank, world=2)) for rank in (0, 1)]
    joined = [r.indices for pair in zip(*pairs, strict=True) for r in pair]
    assert joined == [r.indices for r in whole[:20]]


def test_seeds_differ_and_repeat():
    assert list(stream(seed=1)) == list(stream(seed=1))
    assert list(stream(seed=1)) != list(stream(seed=2))


def test_processes_share_the_stream_of_one():
    """Step k of two processes takes batches 2k and 2k + 1 of one process's stream."""
    one = [r.indices for r in stream(steps=40)]
    two = [[r.indices for r in stream(rank=r, world=2)] for r in (0, 1)]
    assert [b for pair in zip(*two, strict=True) for b in pair] == one
    rest = [[r.indices for r in stream(position=3, rank=r, world=2)] for r in (0, 1)]  # resumed
    assert [b for pair in zip(*rest, strict=True) for b in pair] == one[6:]


def test_validation_takes_every_utterance_once_over_all_processes():
    lengths = np.random.default_rng(0).integers(50, 500, 23)
    requests = [
        r
        for rank in (0, 1)
        for r in FixedBatches(lengths, batch_frames=900, batch_size=4, rank=rank, world=2)
    ]
    assert sorted(i for r in requests for i in r.indices) == list(range(23))
    assert all(r.number is None for r in requests)


@pytest.mark.parametrize("most", [1, 2, 5, 100])
def test_fewer_batches_are_taken_evenly(most):
    lengths = np.arange(50, 500, 10)
    size = {"batch_frames": 900, "batch_size": 4}
    whole = [r.indices for r in FixedBatches(lengths, **size)]
    some = [r.indices for r in FixedBatches(lengths, **size, most=most)]
    at = [whole.index(indices) for indices in some]
    assert len(at) == min(most, len(whole)) and at[0] == 0
    assert max(np.diff([*at, len(whole)])) - min(np.diff([*at, len(whole)])) <= 1


def test_no_process_is_without_validation():
    lengths = np.array([90, 100])
    for rank in range(3):
        batches = FixedBatches(lengths, batch_frames=900, batch_size=4, rank=rank, world=3)
        assert len(batches) == 1
