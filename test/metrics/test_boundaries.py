"""Figures of boundaries, as they stand among the scores."""

from __future__ import annotations

from ctap.metrics.boundaries import metrics_of_boundaries


def test_every_limit_is_a_share_beside_the_errors() -> None:
    found = {"count": 9, "median": 4.0, "mean": 5.0, "p90": 6.0, "p99": 7.0, "median_signed": -1.0}
    everything = found | {"within_10": 0.5, "within_50": 1.0}
    result = {"boundaries": {"all": everything}, "kind": "phonemes", "utterances": 3}
    metrics = metrics_of_boundaries(result)
    errors = [f"boundary_error/{name}" for name in ("median", "mean", "p90", "p99")]
    assert list(metrics) == [*errors, "boundaries_within/10_ms", "boundaries_within/50_ms"]
    assert (metrics[errors[0]].value, metrics[errors[0]].unit, metrics[errors[0]].n) == (4.0, "ms", 3)
    near = metrics["boundaries_within/10_ms"]
    assert (near.value, near.better, near.note) == (0.5, "higher", "share of 9 boundaries of phonemes")
