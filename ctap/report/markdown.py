"""RESULTS.md: the tables of all experiments, with pictures, commands, and what could not be shown."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ctap.errors import UserError
from ctap.metrics.results import Metric
from ctap.report.collect import Collection, Experiment, Picture

__all__ = [
    *("TITLES", "Results", "Section", "draw_curves", "figure", "link", "markdown", "markdown_section"),
    "markdown_table",
]

TITLES = {
    "durations": "Durations",
    "vocoder": "Vocoder: recordings through their log-mel",
    "judge": "Judge: the recogniser that error rates of generated speech come from",
    "pretrain": "Pretraining: the representation",
    "tts": "Text to speech",
    "vc": "Voice conversion",
    "asr": "Speech recognition",
}
ARROWS = {"higher": "↑", "lower": "↓", "neither": ""}
NOTE = (
    "Every figure stands beside the number of utterances behind it (n) and, where it is a mean over "
    "utterances, its 95% interval. ↑: higher is better, ↓: lower is better."
)
SIMILAR = "Similarity of every utterance to every speaker"


@dataclass(frozen=True)
class Section:
    """A table, or words, ahead of the experiments.

    Attributes:
        title: heading.
        text: a paragraph.
        rows: a table with its heading, or nothing.
        numbers: columns that stand to the right; by default all but the first.
    """

    title: str
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    numbers: Sequence[str] | None = None

    @property
    def to_the_right(self) -> list[str]:
        """Headings of the columns that stand to the right."""
        return list(self.rows[0][1:] if self.numbers is None else self.numbers) if self.rows else []


@dataclass(frozen=True)
class Results:
    """What a page of results shows.

    Attributes:
        collection: what was found (:func:`ctap.report.collect.collect`).
        command: how the page was made.
        lead: what stands before the experiments.
    """

    collection: Collection
    command: str = ""
    lead: Sequence[Section] = ()


def title(task: str) -> str:
    """Heading of a task; unknown tasks get their name."""
    return TITLES.get(task, task.replace("_", " "))


def figure(value: float) -> str:
    """A figure with the digits that a reader can use."""
    if math.isnan(value):
        return "undefined"
    size = abs(value)
    if size >= 1000:
        return f"{value:.0f}"
    if size >= 100:
        return f"{value:.1f}"
    if size >= 10:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.01 or value == 0 else f"{value:.2g}"


def interval(metric: Metric) -> str:
    """``low to high``, or nothing."""
    return "" if metric.interval is None else f"{figure(metric.interval[0])} to {figure(metric.interval[1])}"


def against(metric: Metric) -> str:
    """Floors and ceilings in one line."""
    return ", ".join(f"{label} {figure(value)}" for label, value in metric.against.items())


def link(path: Path, out: Path) -> str:
    """Relative address of ``path`` for a page at ``out``, fit for Markdown and HTML."""
    return quote(Path(os.path.relpath(path.resolve(), out.resolve().parent)).as_posix())


def configuration(config: Any) -> str:
    """The configuration in one readable piece."""
    if isinstance(config, Mapping):
        return json.dumps(config, ensure_ascii=False, sort_keys=True, default=str)
    return str(config)


def provenance(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Seed, commit and the rest, as label and text."""
    commit = str(meta["commit"])
    if re.fullmatch("[0-9a-f]{40}", commit):
        commit = commit[:12]
    if meta.get("dirty"):
        commit += " with local changes"
    versions = ", ".join(f"{name} {version}" for name, version in (meta.get("versions") or {}).items())
    rows = [("seed", str(meta["seed"])), ("commit", commit), ("configuration", configuration(meta["config"]))]
    rows += [(key, str(meta[key])) for key in ("date", "command") if meta.get(key)]
    return rows + ([("versions", versions)] if versions else [])


def metrics(experiment: Experiment) -> dict[str, Metric]:
    """All figures of an experiment; of a key that occurs twice, both (the second with its place)."""
    found: dict[str, Metric] = {}
    for scores in experiment.scores:
        for key, metric in scores.metrics.items():
            name, number = key, 2
            while name in found:
                name, number = f"{key} ({number})", number + 1
            found[name] = metric
    return found


def overview(experiments: Sequence[Experiment]) -> list[list[str]]:
    """Figures of several experiments side by side: a row for each figure that two or more have."""
    tables = {experiment.name: metrics(experiment) for experiment in experiments if experiment.scores}
    keys = list(dict.fromkeys(key for table in tables.values() for key in table))
    shared = [key for key in keys if sum(key in table for table in tables.values()) > 1]
    if len(tables) < 2 or not shared:
        return []
    rows = [["figure", *tables]]
    for key in shared:
        first = next(table[key] for table in tables.values() if key in table)
        found = [table.get(key) for table in tables.values()]
        cells = [f"{figure(metric.value)} (n = {metric.n})" if metric else "" for metric in found]
        rows.append([label(key, first), *cells])
    return rows


def label(key: str, metric: Metric) -> str:
    """Name, unit and direction of a figure."""
    unit = f" ({metric.unit})" if metric.unit else ""
    return f"{key}{unit} {ARROWS[metric.better]}".strip()


def rows(experiment: Experiment) -> list[list[str]]:
    """The table of one experiment, with its heading."""
    table = metrics(experiment)
    head = ["figure", "value", "95% interval", "n", "for comparison", "note"]
    body = [
        [label(key, m), figure(m.value), interval(m), str(m.n), against(m), m.note]
        for key, m in table.items()
    ]
    used = [i for i in range(len(head)) if i in (0, 1, 3) or any(row[i] for row in body)]
    return [[row[i] for i in used] for row in [head, *body]]


def draw_curves(collection: Collection, folder: Path) -> None:
    """Draw the training logs of every experiment into ``folder`` and add them to its pictures."""
    from ctap.report.plots import plot_curves, save_figure

    taken: set[str] = set()
    for experiment in collection.experiments:
        for log in experiment.logs:
            safe = re.sub(r"[^\w.-]+", "_", experiment.name)
            names = (f"{safe}{'' if k == 1 else f'_{k}'}_curves.png" for k in itertools.count(1))
            try:
                drawn = plot_curves(log, title=f"{experiment.name}: training")
            except UserError as error:
                collection.problems.append(str(error))
                continue
            taken.add(name := next(name for name in names if name not in taken))
            path = save_figure(drawn, folder / name)
            where = f" ({log.parent.name})" if len(experiment.logs) > 1 else ""
            experiment.pictures.append(Picture(path, f"Training and validation curves{where}"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def markdown_table(lines: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines of a Markdown table; the first is its heading, columns ``right`` stand to the right."""
    head, *body = lines
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    return ["| " + " | ".join(_cell(c) for c in row) + " |" for row in (head, rule, *body)] + [""]


def markdown_section(section: Section) -> list[str]:
    """Lines of a section."""
    text = [f"## {section.title}", ""]
    if section.text:
        text += [section.text, ""]
    if section.rows:
        right = [i for i, name in enumerate(section.rows[0]) if name in section.to_the_right]
        text += markdown_table(section.rows, right=right)
    return text


def markdown(results: Results, out: Path, html: Path | None = None) -> str:
    """The text of RESULTS.md.

    Args:
        results: what it shows.
        out: where the text will lie (links are relative to it).
        html: the page with sounds, if there is one.
    """
    collection, command = results.collection, results.command
    text = ["# Results", "", NOTE, ""]
    for section in results.lead:
        text += markdown_section(section)
    if html is not None:
        text += [f"Listen and look: [{html.name}]({link(html, out)}), in any browser, without a network.", ""]
    if command:
        text += [f"Written by `{command}`; run it again rather than edit this file.", ""]
    if not collection.experiments:
        text += ["No scores yet.", ""]
    for task, experiments in collection.by_task().items():
        text += [f"## {title(task)}", ""]
        compared = overview(experiments)
        if compared:
            text += markdown_table(compared, right=range(1, len(compared[0])))
        for experiment in experiments:
            text += _experiment(experiment, out)
    if collection.problems:
        text += ["## Left out", "", *(f"- {problem}" for problem in collection.problems), ""]
    return "\n".join(text).rstrip() + "\n"


def _experiment(experiment: Experiment, out: Path) -> list[str]:
    text = [f"### {experiment.name}", ""]
    if experiment.scores:
        table = rows(experiment)
        right = [i for i, name in enumerate(table[0]) if name in ("value", "n")]
        text += markdown_table(table, right=right)
    for path in experiment.similarities:
        text += [f"{SIMILAR}: [{path.name}]({link(path, out)})", ""]
    seen = []
    for scores in experiment.scores:
        lines = [f"- {name}: `{value}`" for name, value in provenance(scores.meta)]
        if lines not in seen:
            seen.append(lines)
            text += [*lines, ""]
    for picture in experiment.pictures:
        caption = picture.caption.replace("[", "(").replace("]", ")")
        text += [f"![{caption}]({link(picture.path, out)})", "", f"*{caption}*", ""]
    if experiment.samples:
        utterances = len({sample.utt for sample in experiment.samples})
        text += [f"{len(experiment.samples)} sounds of {utterances} utterances:", ""]
        lines = [["utterance", "text", "sound"]]
        for sample in experiment.samples:
            role = f"{sample.role} {sample.speaker}".strip()
            lines.append([sample.utt, sample.text, f"[{role}]({link(sample.wav, out)})"])
        text += markdown_table(lines)
    return text
