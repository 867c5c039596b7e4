"""The best sequence of labels when changes have a price."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.models.recognition import Recognition, sticky_path


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 7), st.integers(1, 4), st.floats(0.0, 5.0), st.integers(0, 99))
def test_sticky_path_is_the_best_of_all_paths(frames, labels, penalty, seed):
    scores = torch.randn(frames, labels, generator=torch.Generator().manual_seed(seed))

    def worth(path):
        changes = sum(a != b for a, b in pairwise(path))
        return sum(scores[t, v].item() for t, v in enumerate(path)) - penalty * changes

    found = sticky_path(scores, penalty).tolist()
    assert worth(found) == pytest.approx(max(map(worth, product(range(labels), repeat=frames))), abs=1e-4)


def by_the_book(scores, penalty):
    """Viterbi in torch; of equal labels the first, and none is left for one that is no better."""
    best, before = scores[0].double(), []
    for frame in scores[1:]:
        value, top = best.max(dim=0)
        moved = best < value - penalty
        before.append(torch.where(moved, top, torch.arange(len(best))))
        best = torch.where(moved, value - penalty, best) + frame
    path = [int(best.argmax())]
    for source in reversed(before):
        path.append(int(source[path[-1]]))
    return path[::-1]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from([0, 0.0, 0.5, 1, 4.0, float("inf")]),
    st.sampled_from(["real", "whole", "impossible"]),
    st.integers(0, 99),
)
def test_of_paths_that_are_worth_the_same_it_is_always_the_same(frames, labels, penalty, kind, seed):
    scores = torch.randn(frames, labels, generator=torch.Generator().manual_seed(seed))
    if kind == "whole":
        scores = scores.round()
    if kind == "impossible":
        scores[scores > 1] = -torch.inf
    found = sticky_path(scores, penalty)
    assert found.dtype == torch.long and found.tolist() == by_the_book(scores, penalty)
    assert sticky_path(scores.T.contiguous().T, penalty).equal(found)


def test_an_hour_is_as_exact_as_a_second():
    scores = torch.randn(20000, 6, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    assert sticky_path(scores, 4.0).equal(sticky_path(scores.double(), 4.0))
    late = torch.full((4000, 2), -100.0)
    late[2000:, 0] -= 4e-3  # 8 nats in all, each lost beside what has been summed up by then
    assert sticky_path(late, 4.0).all()


def test_runs_are_phones_with_their_frames():
    heard = Recognition(["sil", "sil", "n", "i3", "i3", "i3", "sp", "i3"], ["n", "i3", "i3"], None)
    assert heard.runs() == (["sil", "n", "i3", "sp", "i3"], [2, 1, 3, 1, 1])
