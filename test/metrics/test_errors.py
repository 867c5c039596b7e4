"""Error rates against an edit distance written here and figures by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.metrics.errors import collapse, error_rate, frame_accuracy
from ctap.text.counting import characters

sequences = st.lists(st.sampled_from(["n", "i3", "h", "ao3"]), max_size=8)


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, last = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y)))
    return row[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(sequences, sequences), min_size=1, max_size=5))
def test_equals_the_edit_distance(pairs):
    refs, hyps = [list(p) for p in zip(*pairs, strict=True)]
    result = error_rate(refs, hyps)
    distances = [edit_distance(r, h) for r, h in pairs]
    assert result.per_utterance[:, 0].tolist() == distances
    assert result.per_utterance[:, 1].tolist() == [len(ref) for ref in refs]
    assert result.utterances == len(pairs)
    if any(refs):
        assert result.rate == pytest.approx(sum(distances) / sum(map(len, refs)))
        assert result.interval().value == pytest.approx(result.rate)
    else:
        assert math.isnan(result.rate)


def test_counts_by_hand():
    result = error_rate([["n", "i3", "h", "ao3"], ["m", "a1"]], [["n", "i2", "ao3"], ["m", "a1", "l"]])
    assert result.per_utterance.tolist() == [[2, 4], [1, 2]]
    assert result.rate == 0.5
    assert "per_utterance" not in repr(result)


def test_characters_are_given_as_strings_and_punctuation_does_not_count():
    result = error_rate([characters("你好，世界！")], [characters("你好 时界")])
    assert result.rate == 0.25


@pytest.mark.parametrize(
    ("refs", "hyps", "match"),
    [
        ([["a"]], [], "1 references but 0"),
        ([["a b"]], [["a"]], "reference 0: token 'a b'"),
        ([["a"]], [[""]], "hyp"),
    ],
)
def test_what_can_not_be_compared(refs, hyps, match):
    with pytest.raises(ValueError, match=match):
        error_rate(refs, hyps)


def test_collapse_merges_before_it_drops():
    frames = ["sil", "sil", "n", "n", "i3", "i3", "sp", "i3", "h", "sil"]
    assert collapse(frames) == ["n", "i3", "i3", "h"]
    assert collapse([]) == []


def test_frame_accuracy_counts_frames():
    assert frame_accuracy(["sil", "a1", "a1", "b"], ["a1", "a1", "b", "b"]) == (2, 4)
    assert frame_accuracy(np.array([0, 1, 2]), np.array([0, 1, 1])) == (2, 3)
    with pytest.raises(ValueError, match=r"\[T\]"):
        frame_accuracy([1, 2], [1])


def test_named_utterances_keep_their_errors_and_lengths():
    result = error_rate(["abcd", "ab"], ["abxd", "b"], ["u1", "u2"])
    assert result.items == {"u1": (1.0, 4.0), "u2": (1.0, 2.0)}
    assert error_rate(["ab"], ["a"]).items == {}
    with pytest.raises(ValueError, match="1 references but 2 names"):
        error_rate(["ab"], ["a"], ["u1", "u2"])
