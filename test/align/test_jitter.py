"""Disturbed durations: what must stay, how far boundaries go, and that the seed decides."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctap.align.durations import read_durations, write_durations
from ctap.align.jitter import disturb, disturb_all
from ctap.bin.disturb_durations import disturb_durations
from ctap.errors import UserError
from ctap.text.rules import TextRules


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30), st.integers(0, 5), st.integers(0, 9))
def test_sum_and_least_frame_stay_and_no_boundary_goes_further(durations, frames, seed):
    after = disturb(durations, frames, np.random.default_rng(seed))
    assert len(after) == len(durations)
    assert sum(after) == sum(durations)
    assert min(after) >= 1
    pairs = zip(accumulate(durations), accumulate(after), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= frames


def test_with_room_every_boundary_moves_by_just_as_much_both_ways():
    after = disturb([20] * 1001, 3, np.random.default_rng(0))
    moves = np.array(list(accumulate(after)))[:-1] - 20 * np.arange(1, 1001)
    assert set(moves) == {-3, 3}
    assert abs(moves.mean()) < 0.4  # 4 standard errors


def test_an_utterance_does_not_depend_on_the_others_but_on_the_seed():
    both = {name: (["sil", "a1", "sil"] * 9, [9] * 27) for name in ("A01", "A02")}
    one = disturb_all({"A02": both["A02"]}, 2, seed=5)
    assert disturb_all(both, 2, seed=5)["A02"] == one["A02"]
    assert disturb_all(both, 2, seed=5)["A01"] != one["A02"]
    assert disturb_all(both, 2, seed=6)["A02"] != one["A02"]


def test_the_command(tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    write_durations(data, {"A01": (["sil", "n", "i3", "sil"], [9, 9, 9, 9])})
    disturb_durations(data, out, frames=2)
    (phones, frames) = read_durations(out)["A01"]
    assert phones == ["sil", "n", "i3", "sil"]
    assert sum(frames) == 36
    assert frames != [9, 9, 9, 9]
    assert "3 boundaries moved by 2.00 frames" in capsys.readouterr().out
    disturb_durations(data, out, frames=0)
    assert read_durations(out) == read_durations(data)


def test_the_command_in_another_language(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    TextRules("english").save(data)
    write_durations(data, {"A01": (["sil", "HH", "AY1"], [9, 9, 9])})
    disturb_durations(data, out, frames=2)
    assert read_durations(out)["A01"][0] == ["sil", "HH", "AY1"]


@pytest.mark.parametrize(
    ("frames", "out", "says"), [(-1, "out", "0 or more"), (1, ".", "is read, and would be overwritten")]
)
def test_mistakes_are_named(tmp_path, frames, out, says):
    write_durations(tmp_path, {"A01": (["sil", "a1"], [9, 9])})
    with pytest.raises(UserError, match=says):
        disturb_durations(tmp_path, tmp_path / out, frames=frames)
