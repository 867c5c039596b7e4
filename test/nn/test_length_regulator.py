"""The length regulator against torch.repeat_interleave."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.nn.length_regulator import frame_to_phone, places, regulate


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=8), min_size=1, max_size=4))
def test_repeats_each_phone_its_duration(spans):
    longest = max(map(len, spans))
    durations = torch.tensor([s + [0] * (longest - len(s)) for s in spans])
    x = torch.randn(len(spans), longest, 3)
    size = int(durations.sum(dim=1).max())
    frames = regulate(x, durations, size)
    for row, own, out in zip(x, spans, frames, strict=True):
        expected = row[: len(own)].repeat_interleave(torch.tensor(own), dim=0)
        torch.testing.assert_close(out[: sum(own)], expected)


def test_index_of_each_frame():
    index = frame_to_phone(torch.tensor([[2, 1, 3], [1, 1, 0]]), 6)
    assert index[0].tolist() == [0, 0, 1, 2, 2, 2]
    assert index[1, :2].tolist() == [0, 1]


def test_places_of_each_frame():
    given = torch.tensor([[2, 1], [3, 0]])
    share, since, until, length = places(given, 3).unbind(-1)
    torch.testing.assert_close(share, torch.tensor([[0.25, 0.75, 0.5], [1 / 6, 0.5, 5 / 6]]))
    torch.testing.assert_close(since.expm1(), torch.tensor([[0.0, 1, 0], [0, 1, 2]]))
    torch.testing.assert_close(until.expm1(), torch.tensor([[1.0, 0, 0], [2, 1, 0]]))
    torch.testing.assert_close(length.expm1(), torch.tensor([[2.0, 2, 1], [3, 3, 3]]))
