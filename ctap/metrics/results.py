"""One schema for results: ``scores.json``, one or more per experiment directory.

    {"name": "tts_SSB9003", "task": "tts",
     "metrics": {"msep": {"value": 98.2, "interval": [80.1, 117.0], "n": 40, "unit": "Hz^2",
                          "better": "lower", "against": {"vocoded recording": 41.0}}},
     "meta": {"seed": 0, "commit": "...", "dirty": false, "config": "conf/tts.yaml",
              "date": "...", "versions": {...}, "command": "..."}}

Beside it, ``scores.tsv`` holds what each utterance contributes to its figures, for paired comparisons
(:mod:`ctap.metrics.compare`): a line ``figure utterance numerator denominator``, with tabs. Of generated
speech, ``speaker_similarity.tsv`` holds the cosine of every utterance to every speaker.

No figure goes without the number of utterances behind it, its seed, the commit and the configuration:
:func:`write_scores` and :func:`read_scores` refuse a file that lacks one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.files.atomic import atomic_write, json_number, write_json
from ctap.metrics.intervals import BOOTSTRAP

__all__ = [
    "SHARES",
    "SIMILARITIES",
    "Metric",
    "Scores",
    "guess_task",
    "items",
    "read_items",
    "read_scores",
    "write_scores",
]

BETTER = ("higher", "lower", "neither")
TASKS = ("durations", "vocoder", "judge", "pretrain", "tts", "vc", "asr")
SIMILARITIES = "speaker_similarity.tsv"
SHARES = ("target_is_nearest_speaker", "closer_to_target_than_source", "speaker_probe")
"""Figures that are the share of utterances of which something holds."""
_TASK_WORDS = {
    "ctap": "pretrain",
    "pretraining": "pretrain",
    **dict.fromkeys(("align", "aligner", "alignment", "duration"), "durations"),
}


@dataclass(frozen=True)
class Metric:
    """One figure.

    Attributes:
        value: the figure; NaN where it is not defined (say why in the log).
        n: number of utterances behind it.
        unit: e.g. ``"Hz^2"``, ``"dB"``; ``""`` for shares and rates in 0..1.
        better: ``"higher"``, ``"lower"`` or ``"neither"``.
        interval: 95% interval, if there is one.
        against: the same figure for floors and ceilings, by name (chance, untrained model, recording, ...).
        note: anything a reader must know.
        items: utterance -> its numerator and denominator; the figure is the ratio of their sums
            (:func:`items`). Kept in ``scores.tsv``; empty where utterances have no figure of their own.
    """

    value: float
    n: int
    unit: str = ""
    better: str = "neither"
    interval: tuple[float, float] | None = None
    against: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    items: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, interval: Any, **fields: Any) -> Metric:
        """From a :class:`ctap.metrics.intervals.Interval`; ``n`` may be overridden."""
        fields.setdefault("n", interval.n)
        return cls(value=interval.value, interval=(interval.low, interval.high), **fields)


def items(
    utts: Iterable[str], numerators: Iterable[float], denominators: Iterable[float] | None = None
) -> dict[str, tuple[float, float]]:
    """What utterances contribute to a figure: a ratio of sums, or with no ``denominators`` a mean."""
    names = list(utts)
    below = [1.0] * len(names) if denominators is None else denominators
    return {u: (float(a), float(b)) for u, a, b in zip(names, numerators, below, strict=True)}


@dataclass(frozen=True)
class Scores:
    """What a ``scores.json`` holds; see the module's text."""

    name: str
    task: str
    metrics: dict[str, Metric]
    meta: dict[str, Any]


def guess_task(name: str) -> str:
    """The task that an experiment's name starts with (``tts_SSB9003`` -> ``tts``), else the whole name."""
    word = name.replace("/", "_").replace("-", "_").split("_")[0].lower()
    return _TASK_WORDS.get(word, word)


def _check(scores: Scores, where: str) -> None:
    def fail(what: str) -> None:
        raise UserError(f"{where}: {what}")

    if not scores.name or not scores.task:
        fail("results need a name and a task")
    for key in ("seed", "commit", "config"):
        if scores.meta.get(key) in (None, ""):
            fail(
                f"meta lacks {key!r}; fill it with ctap.metrics.provenance.collect_meta(seed=..., config=...)"
            )
    for key, metric in scores.metrics.items():
        if isinstance(metric.n, bool) or not isinstance(metric.n, int) or metric.n < 0:
            fail(f"metric {key!r}: n must be a number of utterances, got {metric.n!r}")
        if metric.better not in BETTER:
            fail(f"metric {key!r}: better must be one of {', '.join(BETTER)}, got {metric.better!r}")
        if metric.interval is not None and len(metric.interval) != 2:
            fail(f"metric {key!r}: interval must be [low, high], got {metric.interval!r}")


def write_scores(
    path: str | Path,
    name: str,
    metrics: Mapping[str, Metric],
    meta: Mapping[str, Any],
    *,
    task: str | None = None,
) -> Scores:
    """Write ``scores.json`` whole or not at all, and before it the utterances' table.

    Args:
        path: the file.
        name: of the experiment; files of the same name are shown as one.
        metrics: key -> figure.
        meta: from :func:`ctap.metrics.provenance.collect_meta`; how intervals were made is noted besides.
        task: durations, judge, pretrain, tts, vc, asr or another heading; by default what ``name`` starts
            with.

    Raises:
        UserError: something is missing that no result goes without.
    """
    if any(metric.interval is not None for metric in metrics.values()):
        meta = {**meta, "bootstrap": BOOTSTRAP}
    scores = Scores(name, task or guess_task(name), dict(metrics), dict(meta))
    _check(scores, str(path))
    content: dict[str, Any] = {"name": scores.name, "task": scores.task, "metrics": {}, "meta": scores.meta}
    for key, metric in scores.metrics.items():
        entry = asdict(replace(metric, items={}))
        entry["value"] = json_number(float(metric.value))
        bounds = None if metric.interval is None else [json_number(float(x)) for x in metric.interval]
        entry["interval"] = None if bounds is None or None in bounds else bounds
        entry["against"] = {label: json_number(float(value)) for label, value in metric.against.items()}
        content["metrics"][key] = {k: v for k, v in entry.items() if k in _ALWAYS or v}
    _write_items(Path(path).with_suffix(".tsv"), metrics)
    write_json(path, content, allow_nan=False, default=str)
    return scores


_ALWAYS = ("value", "interval", "n", "unit", "better")


def _float(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _metric(entry: Mapping[str, Any]) -> Metric:
    interval: Sequence[Any] | None = entry.get("interval")
    return Metric(
        value=_float(entry["value"]),
        n=entry["n"],
        unit=str(entry.get("unit", "")),
        better=entry.get("better", "neither"),
        interval=None if interval is None else tuple(_float(x) for x in interval),
        against={str(k): _float(v) for k, v in entry.get("against", {}).items()},
        note=str(entry.get("note", "")),
    )


def read_scores(path: str | Path) -> Scores:
    """Read a ``scores.json``.

    Raises:
        UserError: no JSON of this schema, or something missing that no result goes without.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON: {error}") from None
    try:
        metrics = {key: _metric(entry) for key, entry in content["metrics"].items()}
        name = content["name"]
        scores = Scores(name, content.get("task") or guess_task(name), metrics, dict(content["meta"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{path}: not a file of scores ({type(error).__name__}: {error})") from None
    _check(scores, str(path))
    return scores


def superseded(name: str) -> bool:
    """Whether an experiment's directory was moved aside for a training that took its place (NAME.old1)."""
    return re.search(r"\.old\d+$", name) is not None


_COLUMNS = ("figure", "utterance", "numerator", "denominator")


def _write_items(path: Path, metrics: Mapping[str, Metric]) -> None:
    rows = [
        (key, utt, *(f"{x:.9g}" for x in pair))
        for key, metric in metrics.items()
        for utt, pair in sorted(metric.items.items())
    ]
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            if file.readline().rstrip("\n") != "\t".join(_COLUMNS):
                raise UserError(f"{path}: no table of scores, and would be lost: name the scores otherwise")
    if not rows:
        path.unlink(missing_ok=True)  # of an earlier run, whose figures these are not
        return
    with atomic_write(path) as file:
        file.writelines("\t".join(row) + "\n" for row in [_COLUMNS, *rows])


def read_items(path: str | Path) -> dict[str, dict[str, tuple[float, float]]]:
    """What utterances contribute to the figures of a ``scores.json``: figure -> utterance -> pair.

    Raises:
        UserError: no table beside the file, or a malformed line.
    """
    table = Path(path).with_suffix(".tsv")
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(
            f"{table}: cannot be read: {error}; the command that wrote {path} makes it, run it again"
        ) from None
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for number, line in enumerate(lines, 1):
        cells = line.split("\t")
        if number == 1:
            if tuple(cells) != _COLUMNS:
                raise UserError(f"{table}:1: expected the columns {' '.join(_COLUMNS)}, found {line!r}")
            continue
        try:
            key, utt, top, bottom = cells
            found.setdefault(key, {})[utt] = (float(top), float(bottom))
        except ValueError:
            raise UserError(
                f"{table}:{number}: expected figure, utterance and two numbers, found {line!r}"
            ) from None
    return found
