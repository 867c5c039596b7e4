"""Paired comparison: differences by hand, p-values against enumeration and scipy, coverage in simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.metrics.compare import Comparison, compare


def means(values):
    """Items of a figure that is a mean."""
    return {f"u{i:03d}": (float(x), 1.0) for i, x in enumerate(values)}


def ratio_difference(a, b):
    a, b = np.array(a), np.array(b)
    return a[:, 0].sum() / a[:, 1].sum() - b[:, 0].sum() / b[:, 1].sum()


def test_difference_of_means_by_hand():
    found = compare(means([1, 2, 6]), means([0, 2, 1]))
    assert (found.a, found.b) == (3, 1)
    assert found.difference.value == 2 and found.difference.n == 3 and found.speakers == 0
    # of the 8 ways to swap, those that leave all of 1, 0 and 5 on one side are as large: 2 x 2
    assert found.p_value == 0.5


def test_error_rates_weigh_utterances_by_their_length():
    a = {"x": (1.0, 10.0), "y": (8.0, 80.0)}
    b = {"x": (5.0, 10.0), "y": (4.0, 80.0)}
    found = compare(a, b)
    assert found.a == pytest.approx(0.1) and found.b == pytest.approx(0.1)
    assert found.difference.value == pytest.approx(0) and found.p_value == 1


def test_speakers_count_alike_however_much_they_say():
    a, b = means([1, 1, 1, 1, 9]), means([0, 0, 0, 0, 0])
    speakers = {"u000": "A", "u001": "A", "u002": "A", "u003": "A", "u004": "B"}
    found = compare(a, b, speakers=speakers)
    assert found.a == 5 and found.difference.value == 5 and found.speakers == 2
    # both draws of one speaker, either one, or one of each
    assert (found.difference.low, found.difference.high) == (1, 9)
    assert compare(a, b).a == pytest.approx(13 / 5)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 9), st.integers(1, 9)] * 2), min_size=1, max_size=8))
def test_exact_p_value_is_that_of_all_swaps(rows):
    """Errors and lengths of both systems: the share of swaps, written out, that go as far."""
    a = {f"u{i}": row[:2] for i, row in enumerate(rows)}
    b = {f"u{i}": row[2:] for i, row in enumerate(rows)}
    observed = abs(ratio_difference(list(a.values()), list(b.values())))
    far = []
    for swaps in product([False, True], repeat=len(rows)):
        left = [row[2:] if swap else row[:2] for row, swap in zip(rows, swaps, strict=True)]
        right = [row[:2] if swap else row[2:] for row, swap in zip(rows, swaps, strict=True)]
        far.append(abs(ratio_difference(left, right)) >= observed - 1e-9)
    assert compare(a, b).p_value == pytest.approx(np.mean(far))


def test_sampled_p_value_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.25, 1, 40), rng.normal(0, 1, 40)
    other = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=20000,
        rng=np.random.default_rng(1),
    )
    assert compare(means(a), means(b), resamples=20000).p_value == pytest.approx(other.pvalue, abs=0.015)


def test_no_sampled_p_value_is_0():
    """What was observed is one of the swaps, and counts as such."""
    found = compare(means(range(10, 50)), means([0] * 40), resamples=99)
    assert found.p_value == pytest.approx(0.01)


def test_interval_is_that_of_numpy():
    """The paired bootstrap of a mean difference is the bootstrap of the differences."""
    rng = np.random.default_rng(3)
    a, b = rng.gamma(2, 1, 50), rng.gamma(2, 1, 50)
    found = compare(means(a), means(b), resamples=20000).difference
    drawn = (a - b)[np.random.default_rng(4).integers(0, 50, (20000, 50))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.value == pytest.approx((a - b).mean())
    assert [found.low, found.high] == pytest.approx([low, high], abs=0.03 * (high - low))


def test_a_single_utterance_gives_no_interval():
    found = compare(means([3.0]), means([1.0]))
    assert found.difference.value == 2 and found.p_value == 1
    assert np.isnan([found.difference.low, found.difference.high]).all()


def test_pairing_finds_what_the_spread_of_utterances_hides():
    rng = np.random.default_rng(5)
    hard = rng.normal(0, 10, 60)
    found = compare(means(hard + rng.normal(0.5, 0.5, 60)), means(hard))
    assert found.p_value < 0.001 and 0 < found.difference.low < 0.5 < found.difference.high < 1


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(6)
    hits = 0
    for trial in range(200):
        hard = rng.normal(0, 3, 40)
        a, b = hard + rng.normal(0.3, 1, 40), hard + rng.normal(0, 1, 40)
        found = compare(means(a), means(b), resamples=400, seed=trial).difference
        hits += found.low <= 0.3 <= found.high
    assert 0.89 <= hits / 200 <= 0.99


def test_interval_over_speakers_covers_the_truth_where_utterances_alone_do_not():
    """Speakers differ in what the change does to them: utterances of one are no independent draws."""
    rng = np.random.default_rng(7)
    hits = {"speakers": 0, "pooled": 0}
    utt2spk = {f"u{i:03d}": str(i // 8) for i in range(160)}
    for trial in range(150):
        effect = np.repeat(rng.normal(0.3, 1, 20), 8)
        a, b = means(effect + rng.normal(0, 1, 160)), means(rng.normal(0, 1, 160))
        for name, speakers in (("speakers", utt2spk), ("pooled", None)):
            found = compare(a, b, speakers=speakers, resamples=400, seed=trial).difference
            hits[name] += found.low <= 0.3 <= found.high
    assert 0.88 <= hits["speakers"] / 150 <= 0.995
    assert hits["pooled"] / 150 < 0.8


def test_chance_is_called_real_about_as_often_as_the_level_says():
    rng = np.random.default_rng(8)
    p = [
        compare(means(rng.normal(size=25)), means(rng.normal(size=25)), resamples=400, seed=i).p_value
        for i in range(300)
    ]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09


def test_a_system_against_itself():
    found = compare(means(range(30)), means(range(30)))
    assert found.difference[:3] == (0, 0, 0) and found.p_value == 1
    assert found.verdict("higher") == "neither"


@pytest.mark.parametrize(
    ("better", "difference", "p", "expected"),
    [
        ("higher", 1.0, 0.01, "A"),
        ("higher", -1.0, 0.01, "B"),
        ("lower", 1.0, 0.01, "B"),
        ("lower", -1.0, 0.01, "A"),
        ("lower", -1.0, 0.06, "neither"),
        ("neither", -1.0, 0.01, "neither"),
        ("higher", float("nan"), float("nan"), "neither"),
    ],
)
def test_verdicts(better, difference, p, expected):
    from ctap.metrics.intervals import Interval

    assert Comparison(0, 0, Interval(difference, 0, 0, 9), p).verdict(better) == expected


def test_only_shared_and_defined_utterances_count():
    a = {"x": (1.0, 1.0), "y": (float("nan"), 1.0), "z": (3.0, 1.0), "w": (7.0, 1.0)}
    b = {"x": (0.0, 1.0), "y": (2.0, 1.0), "z": (0.0, 1.0), "v": (7.0, 1.0)}
    found = compare(a, b)
    assert found.difference.n == 2 and found.a == 2
    with pytest.raises(UserError, match=r"no scored utterance in common \(for example x and q"):
        compare({"x": (1, 1)}, {"q": (1, 1)})
    with pytest.raises(UserError, match="utterance z has no speaker"):
        compare(a, b, speakers={"x": "s"})
    with pytest.raises(ValueError, match="resamples 0: expected 1 or more"):
        compare(a, b, resamples=0)


def test_empty_references_make_no_figure():
    found = compare({"x": (1.0, 0.0)}, {"x": (0.0, 0.0)})
    assert np.isnan(found.difference.value) and np.isnan(found.p_value)
