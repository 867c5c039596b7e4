"""Figures of an alignment's boundaries."""

from __future__ import annotations

from typing import Any

from ctap.metrics.results import Metric

__all__ = ["metrics_of_boundaries"]


def metrics_of_boundaries(result: dict[str, Any]) -> dict[str, Metric]:
    """Figures of all boundaries: errors in ms, and shares within limits.

    Args:
        result: what :func:`ctap.align.score.score` gives, of one boundary at least.
    """
    found = result["boundaries"]["all"]
    note = f"{found['count']} boundaries of {result['kind']}"
    metrics = {
        f"boundary_error/{key}": Metric(found[key], result["utterances"], "ms", "lower", note=note)
        for key in ("median", "mean", "p90", "p99")
    }
    for key in (key for key in found if key.startswith("within_")):
        metrics[f"boundaries_{key.replace('_', '/')}_ms"] = Metric(
            found[key], result["utterances"], better="higher", note=f"share of {note}"
        )
    return metrics
