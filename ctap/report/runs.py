"""Figures of several runs of a recipe side by side: other options, or the same with other seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from ctap.metrics.results import Metric
from ctap.report.collect import Collection, Experiment
from ctap.report.headlines import HEADLINES
from ctap.report.markdown import figure, label, metrics

__all__ = ["run_rows"]


def run_rows(runs: Mapping[str, Collection], figures: Sequence[str] = ()) -> list[list[str]]:
    """A table with its heading: a row for every figure that two or more runs have.

    Experiments of one name belong together; those that are the only ones of their task in every run do so
    whatever their names, such as pretrainings with a ``--tag`` each.

    Args:
        runs: name of each run, as its column is headed, to what was found in it.
        figures: keys of figures; by default those that a page of results begins with.

    Returns:
        Experiment, figure, its value in each run (with the number of utterances where the runs differ in it),
        mean and standard deviation over the runs (that of a sample, n - 1). Nothing if no two share one.
    """
    rows, alone = [], _alone(runs)
    tables = {run: _by_name(collection, alone) for run, collection in runs.items()}
    order = list(dict.fromkeys(name for table in tables.values() for name in table))
    for name in order:
        members = {run: table[name] for run, table in tables.items() if name in table}
        task = next(iter(members.values())).task
        found = {run: metrics(experiment) for run, experiment in members.items()}
        shown = list(figures) or [headline.key for headline in HEADLINES if headline.task == task]
        for key in shown:
            cells = {run: table[key] for run, table in found.items() if key in table}
            if len(cells) > 1:
                rows.append([name, label(key, next(iter(cells.values()))), *_cells(runs, cells)])
    return [["experiment", "figure", *runs, "mean", "s.d."], *rows] if rows else []


def _alone(runs: Mapping[str, Collection]) -> set[str]:
    """Tasks of which no run has more than one experiment with scores."""
    counts: dict[str, int] = {}
    for collection in runs.values():
        for task, members in collection.by_task().items():
            counts[task] = max(counts.get(task, 0), sum(bool(member.scores) for member in members))
    return {task for task, count in counts.items() if count == 1}


def _by_name(collection: Collection, alone: set[str]) -> dict[str, Experiment]:
    return {
        experiment.task if experiment.task in alone else experiment.name: experiment
        for members in collection.by_task().values()
        for experiment in members
        if experiment.scores
    }


def _cells(runs: Mapping[str, Collection], found: Mapping[str, Metric]) -> list[str]:
    differ = len({metric.n for metric in found.values()}) > 1
    cells = []
    for run in runs:
        metric = found.get(run)
        count = f" (n = {metric.n})" if metric and differ else ""
        cells.append(f"{figure(metric.value)}{count}" if metric else "")
    values = [metric.value for metric in found.values() if not math.isnan(metric.value)]
    if len(values) < 2:
        return [*cells, "", ""]
    return [*cells, figure(statistics.fmean(values)), figure(statistics.stdev(values))]
