"""Bootstrap intervals against scipy, and their coverage of a known mean."""

from __future__ import annotations

import numpy as np
import pytest

from ctap.metrics.intervals import bootstrap_mean, bootstrap_ratio, bootstrap_strata, interval_of_share


def test_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(0).gamma(2.0, size=80)
    other = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20000, rng=np.random.default_rng(1)
    ).confidence_interval
    found = bootstrap_mean(values, resamples=20000)
    width = other.high - other.low
    assert found.value == pytest.approx(values.mean())
    assert abs(found.low - other.low) < 0.03 * width and abs(found.high - other.high) < 0.03 * width


def test_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(2)
    hits = 0
    for trial in range(200):
        found = bootstrap_mean(generator.normal(3.0, 1.0, 60), resamples=400, seed=trial)
        hits += found.low <= 3.0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_a_ratio_weighs_utterances_by_their_length():
    found = bootstrap_ratio([1, 0, 8], [10, 10, 80])
    assert found.value == pytest.approx(0.09) and found.n == 3
    assert found.low <= 0.09 <= found.high
    # drawing only the empty utterance gives no ratio at all, and no warning
    assert bootstrap_ratio([1, 1], [0, 10]).high == pytest.approx(0.2)
    assert bootstrap_ratio([2, 4], [20, 40])[:3] == pytest.approx((0.1, 0.1, 0.1))


def test_chunks_change_nothing(monkeypatch):
    from ctap.metrics import intervals

    values = np.random.default_rng(3).normal(size=50)
    whole = bootstrap_mean(values, resamples=500)
    monkeypatch.setattr(intervals, "_DRAWS", 50 * 7)
    assert bootstrap_mean(values, resamples=500) == whole
    assert bootstrap_mean(values, resamples=500, seed=1) != whole


def test_no_more_is_drawn_at_once_than_fits_in_memory(monkeypatch):
    from ctap.metrics import intervals

    strata = [list(np.random.default_rng(k).random((n, 2))) for k, n in enumerate((50, 20))]
    whole = bootstrap_strata(strata, resamples=500)
    monkeypatch.setattr(intervals, "_DRAWS", 50 * 7)
    drawn = []

    class Generator(np.random.Generator):
        def integers(self, low, high, size):
            drawn.append(np.prod(size))
            return super().integers(low, high, size)

    monkeypatch.setattr(np.random, "default_rng", lambda seed: Generator(np.random.PCG64(seed)))
    assert bootstrap_strata(strata, resamples=500) == whole
    assert max(drawn) <= 50 * 7 and sum(drawn) == 500 * 70


def test_missing_values_do_not_count():
    assert bootstrap_mean([1.0, np.nan, 3.0]).n == 2
    assert bootstrap_mean([1.0, np.nan, 3.0]).value == 2.0
    alone = bootstrap_mean([5.0])  # of one, there is no interval
    assert alone.value == 5.0 and np.isnan(alone.low) and np.isnan(alone.high)
    assert np.isnan(bootstrap_mean([]).value) and bootstrap_mean([]).n == 0


def test_a_speaker_of_one_utterance_leaves_no_interval():
    many = [(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)]
    for strata, value, n in (
        ([[(1, 5)]], 0.2, 1),
        ([many, [(1, 5)]], 0.3, 4),
        ([[(1, 5), (np.nan, 5)]], 0.2, 1),
    ):
        found = bootstrap_strata(strata)
        assert (found.value, found.n) == (pytest.approx(value), n)
        assert np.isnan(found.low) and np.isnan(found.high)
    assert bootstrap_strata([many, many]).low < 0.4 < bootstrap_strata([many, many]).high


@pytest.mark.parametrize(("ones", "n"), [(0, 9), (9, 9), (3, 10), (1, 1), (28, 40)])
def test_a_share_has_the_interval_of_scipy(ones, n):
    stats = pytest.importorskip("scipy.stats")
    other = stats.binomtest(ones, n).proportion_ci(0.95, method="wilson")
    found = interval_of_share([[True] * ones + [False] * (n - ones)])
    assert found == pytest.approx((ones / n, other.low, other.high, n), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_share_over_speakers_covers_the_truth_where_the_bootstrap_has_no_width():
    """Two speakers of 20 utterances each, of whom nearly all are right."""
    generator, truth, hits = np.random.default_rng(4), (0.95, 0.95), 0
    for _ in range(400):
        found = interval_of_share([generator.random(20) < share for share in truth])
        hits += found.low <= np.mean(truth) <= found.high
    assert hits / 400 >= 0.92  # of the bootstrap's, 0.85
    whole = interval_of_share([[1] * 10, [1] * 10])
    one = interval_of_share([[1] * 10])
    assert whole.high == 1 and one.low < whole.low < 1 and whole.n == 20
    assert np.isnan(interval_of_share([[1], []]).value) and np.isnan(interval_of_share([]).low)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="2 numerators but 1"):
        bootstrap_ratio([1, 2], [1])
