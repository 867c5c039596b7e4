"""The outcome of a listening test as JSON and as tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ctap.errors import UserError
from ctap.files.atomic import json_number
from ctap.listening.answers import Answers
from ctap.listening.plan import Plan
from ctap.listening.scores import Ratings, clustered_difference, clustered_mean, ratings
from ctap.listening.screening import Limits, Record, screen

__all__ = ["FORMAT", "markdown", "summary"]

FORMAT = "ctap-listening-scores-1"
TITLES = {"quality": "Speech quality", "prosody": "Prosody similarity", "speaker": "Speaker similarity"}
INTERVAL = (
    "95% interval: t-interval with standard errors clustered by listener; plain: t-interval over all scores, "
    "as if they were independent."
)


def _pair(low: float, high: float) -> list[float] | None:
    return [low, high] if math.isfinite(low) and math.isfinite(high) else None


def _left_out(asked: Sequence[str], answers: Answers, records: Sequence[Record]) -> dict[str, str]:
    """Listeners to leave out, and why: ``flagged``, ids (or their beginnings), or names."""
    found: dict[str, str] = {}
    for word in asked:
        if word == "flagged":
            found |= {r.listener: "; ".join(r.remarks) for r in records if r.remarks}
            continue
        match = [l.id for l in answers.listeners.values() if l.name == word or l.id.startswith(word)]  # noqa: E741
        if len(match) != 1:
            raise UserError(
                f"--leave_out {word}: {len(match)} listeners are called so; give the beginning of an id"
            )
        found[match[0]] = "asked for"
    return found


def _systems(held: Ratings, plan: Plan, against: str | None) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for question in plan.sequence:
        of_question = held.where(held.question == question)
        base = of_question.where(of_question.system == against)
        rows = {}
        for system in plan.systems:
            part = of_question.where(of_question.system == system)
            mean = clustered_mean(part.score, part.listener)
            rows[system] = {
                "mean": json_number(mean.value),
                "interval": _pair(mean.low, mean.high),
                "plain_interval": _pair(mean.plain_low, mean.plain_high),
                "n": mean.n,
                "listeners": mean.listeners,
            }
            if against is not None and system != against:
                difference = clustered_difference(part.score, part.listener, base.score, base.listener)
                rows[system]["difference"] = {
                    "against": against,
                    "value": json_number(difference.value),
                    "interval": _pair(difference.low, difference.high),
                }
        out[question] = rows
    return out


def summary(
    answers: Answers,
    plan: Plan,
    *,
    leave_out: Sequence[str] = (),
    against: str | None = None,
    limits: Limits | None = None,
    meta: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All figures, as JSON values.

    Args:
        answers: of all listeners.
        plan: what they answered to.
        leave_out: ``flagged``, ids or names of listeners whose scores do not count.
        against: system that the others are compared with, listener by listener.
        limits: of the checks of listeners, which always hear of all of them.
        meta: what goes with the result.

    Raises:
        UserError: no answer is left, or a name is unknown.
    """
    if against is not None and against not in plan.systems:
        raise UserError(f"--against {against}: no such system; there are {', '.join(plan.systems)}")
    every = ratings(answers, plan)
    records = screen(every, plan.anchors, limits)
    gone = _left_out(leave_out, answers, records)
    held = every.where(~_among(every.listener, gone))
    if not len(held):
        raise UserError("no answer to score" + (": every listener is left out" if len(every) else " yet"))
    given = Counter(held.trial)
    return {
        "format": FORMAT,
        "test": plan.id,
        "title": plan.title,
        "interval": INTERVAL,
        "n": len(held),
        "replaced": answers.replaced,
        "ratings_per_trial": [min(given.get(t, 0) for t in plan.trials), max(given.values())],
        "systems": _systems(held, plan, against),
        "anchors": dict(plan.anchors),
        "listeners": [
            {
                "id": r.listener,
                "name": answers.listeners[r.listener].name,
                "n": r.n,
                "asked": sum(plan.take.values()),
                "mean": r.mean,
                "interval": _pair(r.low, r.high),
                "means": r.means,
                "recording": json_number(r.recording),
                "same": r.same,
                "correlation": json_number(r.correlation),
                "remarks": r.remarks,
                "left_out": gone.get(r.listener),
            }
            for r in records
        ],
        "meta": dict(meta or {}),
    }


def _among(column: Any, names: Mapping[str, str]) -> Any:
    import numpy as np

    return np.array([value in names for value in column], dtype=bool)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _interval(pair: Sequence[float] | None) -> str:
    return "–" if pair is None else f"{pair[0]:.2f} to {pair[1]:.2f}"


def _with_half(row: Mapping[str, Any]) -> str:
    pair = row["interval"]
    return _figure(row["mean"]) + (f" ± {(pair[1] - pair[0]) / 2:.2f}" if pair else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: int) -> str:
    """Markdown, in columns for the eye; all but the first ``right`` columns stand to the right."""
    cells = [[str(c).replace("|", "\\|") for c in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = []
    for number, row in enumerate(cells):
        padded = [
            c.ljust(w) if i < right else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(padded)} |")
        if number == 0:
            rules = ["-" * w if i < right else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
            lines.append(f"| {' | '.join(rules)} |")
    return "\n".join(lines)


def markdown(result: Mapping[str, Any]) -> str:
    """Tables of what :func:`summary` gave."""
    people = result["listeners"]
    counted = [person for person in people if person["left_out"] is None]
    least, most = result["ratings_per_trial"]
    parts = [
        f"# {result['title']}",
        f"{result['n']} scores of {len(counted)} listeners; {least} to {most} for each sound and question. "
        f"Test {result['test']}. {result['interval']}",
    ]
    for question, rows in result["systems"].items():
        difference = next(
            (row["difference"]["against"] for row in rows.values() if "difference" in row), None
        )
        head = ["system", "MOS", "95% interval", "plain", "scores", "listeners"]
        head += [f"less {difference}"] if difference else []
        body = []
        for system, row in rows.items():
            cells = [system, _with_half(row), _interval(row["interval"]), _interval(row["plain_interval"])]
            cells += [str(row["n"]), str(row["listeners"])]
            if difference:
                other = row.get("difference")
                cells.append(f"{_figure(other['value'])} ({_interval(other['interval'])})" if other else "")
            body.append(cells)
        parts += [f"## {TITLES[question]}", _table(head, body, 1)]
    body = [
        [
            person["name"] or "–",
            person["id"][:8],
            f"{person['n']} of {person['asked']}",
            _figure(person["mean"]),
            _interval(person["interval"]),
            _figure(person["recording"]),
            f"{person['same']:.0%}",
            _figure(person["correlation"]),
            "; ".join(person["remarks"]) + (" (left out)" if person["left_out"] is not None else ""),
        ]
        for person in people
    ]
    head = ["listener", "id", "scores", "mean", "95% interval", "recording", "same", "correlation", "remarks"]
    parts += ["## Listeners", _table(head, body, 2)]
    anchors = ", ".join(f"{TITLES[q].lower()}: {s}" for q, s in result["anchors"].items())
    parts.append(
        f"recording: mean score of the recordings among the sounds ({anchors or 'there were none'}); same: "
        "share of the commonest score; correlation: with the others' means of the same sounds."
    )
    if counted and len(counted) < 2:
        parts.append(
            "One listener: how much listeners differ can't be told, so there is only the plain interval."
        )
    return "\n\n".join(parts) + "\n"
