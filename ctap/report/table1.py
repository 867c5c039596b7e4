"""Table 1 (paper, section 3.4): systems side by side, paired comparisons, the paper's claims put to the test.

A system is a directory whose sub-directories hold ``scores*.json``: ``tts_<speaker>``, ``vc_<speaker>``,
``asr`` and the representation's. Target speakers count alike, as in the paper: a figure is the mean over
speakers of each one's own, its interval from resampled utterances of each.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctap.errors import UserError
from ctap.metrics.compare import Comparison, compare
from ctap.metrics.intervals import Interval, bootstrap_strata, interval_of_share
from ctap.metrics.results import SHARES, Metric, read_items, read_scores, superseded
from ctap.report.markdown import figure, label
from ctap.report.paper_table1 import CLAIMS, PAPER, ROWS, Claim, Contrast

__all__ = ["Column", "Figure", "System", "claim_rows", "columns", "read_system", "table_rows"]


@dataclass(frozen=True)
class Figure:
    """One figure of a system.

    Attributes:
        metric: one speaker's, for unit, direction and note.
        interval: mean over speakers, and its interval (NaN where utterances have no figure of their own).
        items: "speaker/utterance" -> numerator and denominator.
    """

    metric: Metric
    interval: Interval
    items: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        return with_bounds(self.interval)


def with_bounds(interval: Interval) -> str:
    """A figure with the ends of its interval, if it has one."""
    around = "" if math.isnan(interval.low) else f" [{figure(interval.low)}, {figure(interval.high)}]"
    return f"{figure(interval.value)}{around}"


OF_TARGETS = ("tts", "vc")  # tasks with a training for each target speaker


@dataclass(frozen=True)
class System:
    """A row: its name, and its figures by task and key."""

    name: str
    figures: dict[str, dict[str, Figure]]

    def get(self, task: str, key: str) -> Figure | None:
        """A figure, if the system has it."""
        return self.figures.get(task, {}).get(key)


def read_system(name: str, folder: Path, parts: Collection[str] = ()) -> System:
    """Read the scores of a system.

    Args:
        name: Its label.
        folder: Where its experiments lie, each in a directory.
        parts: Names of those that are its own, where others lie beside them.

    Raises:
        UserError: An unknown row, no scores in ``folder``, or one figure twice.
    """
    if name not in ROWS:
        raise UserError(f"{name}: no row of the table; there are {' '.join(ROWS)}")
    found: dict[str, dict[str, dict[str, tuple[Metric, dict]]]] = {}
    for path in sorted(folder.glob("*/scores*.json")):
        if superseded(path.parent.name) or (parts and path.parent.name not in parts):
            continue
        scores = read_scores(path)
        tables = read_items(path) if path.with_suffix(".tsv").exists() else {}
        speaker = ""
        if scores.task in OF_TARGETS:
            speaker = scores.name.rpartition("/")[2].removeprefix(scores.task).lstrip("_")
        for key, metric in scores.metrics.items():
            own = found.setdefault(scores.task, {}).setdefault(key, {})
            if speaker in own:
                raise UserError(f"{path}: {scores.name}: {key} is in another file of {folder}, too")
            own[speaker] = (metric, tables.get(key, {}))
    if not found:
        raise UserError(f"{folder}: no scores (*/scores*.json); run stage 7 of the recipe")
    figures = {task: {key: _average(key, own) for key, own in keys.items()} for task, keys in found.items()}
    return System(name, figures)


def _average(key: str, speakers: Mapping[str, tuple[Metric, dict[str, tuple[float, float]]]]) -> Figure:
    metrics = [metric for metric, _ in speakers.values()]
    tables = [table for _, table in speakers.values()]
    total = sum(metric.n for metric in metrics)
    if all(tables) and key in SHARES:
        interval = interval_of_share([[top for top, _ in table.values()] for table in tables])
    elif all(tables):
        interval = bootstrap_strata([list(table.values()) for table in tables])._replace(n=total)
    elif len(metrics) == 1 and metrics[0].interval is not None:
        interval = Interval(metrics[0].value, *metrics[0].interval, total)
    else:
        mean = sum(metric.value for metric in metrics) / len(metrics)
        interval = Interval(mean, math.nan, math.nan, total)
    items = {f"{spk}/{utt}": pair for spk, (_, table) in speakers.items() for utt, pair in table.items()}
    return Figure(metrics[0], interval, items)


@dataclass(frozen=True)
class Column:
    """A column: one figure, or one of the paper's.

    Attributes:
        title: heading.
        task: task of the figure; "" for one of the paper's.
        key: key of the figure, or the paper's column.
    """

    title: str
    task: str
    key: str


#: Tables: heading, task, the figures asked for in this order, and the paper's columns.
TABLES = (
    (
        "Minimally-supervised TTS",
        "tts",
        (
            *("msep", "voicing_error", "phone_error_rate", "syllable_error_rate"),
            *("transcribed_character_error_rate", "transcribed_syllable_error_rate"),
            *("speaker_similarity/target", "target_is_nearest_speaker"),
            *("mel_cepstral_distortion", "log_f0_rmse", "log_f0_correlation", "dnsmos/overall"),
        ),
        {
            "tts_msep": "MSEP",
            "tts_wer": "WER %",
            "tts_prosody": "prosody MOS",
            "tts_speaker": "speaker MOS",
            "tts_quality": "quality MOS",
        },
    ),
    (
        "Voice conversion",
        "vc",
        (
            *("phone_error_rate", "syllable_error_rate", "transcribed_character_error_rate"),
            *("transcribed_syllable_error_rate", "speaker_similarity/target"),
            *("speaker_similarity/target_recording", "speaker_similarity/source"),
            *("closer_to_target_than_source", "mel_cepstral_distortion", "log_f0_correlation"),
            *("dnsmos/overall",),
        ),
        {
            "vc_wer": "WER %",
            "vc_prosody": "prosody MOS",
            "vc_speaker": "speaker MOS",
            "vc_quality": "quality MOS",
        },
    ),
    ("ASR", "asr", ("frame_accuracy", "phone_error_rate"), {"acc": "ACC %"}),
    (
        "Representation",
        "pretrain",
        (
            *("phone_retrieval", "phone_retrieval_shifted", "phone_probe", "speaker_probe"),
            *("dimension", "bits_per_second"),
        ),
        {},
    ),
)


def columns(
    systems: list[System], task: str, keys: tuple[str, ...], printed: Mapping[str, str]
) -> list[Column]:
    """The columns of a table that some system fills, then the paper's."""
    found = []
    for key in keys:
        metric = next((f.metric for s in systems if (f := s.get(task, key)) is not None), None)
        if metric is not None:
            found.append(Column(label(key, metric), task, key))
    return found + [Column(f"paper: {title}", "", key) for key, title in printed.items()]


def table_rows(systems: list[System], chosen: list[Column]) -> list[list[str]]:
    """A table with its heading: a row for every system that has one of the figures; n at the end."""
    rows = [["system", *(c.title for c in chosen), "n"]]
    for system in systems:
        cells, counts = [], set()
        for column in chosen:
            if not column.task:
                value = PAPER.get(system.name, {}).get(column.key)
                cells.append("" if value is None else f"{value:g}")
                continue
            found = system.get(column.task, column.key)
            cells.append("" if found is None else str(found))
            if found is not None:
                counts.add(found.interval.n)
        if counts:
            rows.append(
                [ROWS[system.name], *cells, " to ".join(str(n) for n in sorted({min(counts), max(counts)}))]
            )
    return rows


def claim_rows(systems: list[System], claim: Claim) -> tuple[str, list[list[str]]]:
    """What became of a claim, and the comparisons behind it as a table with its heading."""
    named = {system.name: system for system in systems}
    rows = [["figure", "left", "", "right", "", "difference", "p", "verdict"]]
    verdicts = []
    for test in claim.tests:
        a = named[test.left].get(test.task, test.figure) if test.left in named else None
        b = named[test.right].get(test.task, test.other or test.figure) if test.right in named else None
        if a is None or b is None:
            continue
        verdict, found = judge(test, a, b)
        verdicts.append(verdict)
        key = f"{test.figure} and {test.other.rpartition('/')[2]}" if test.other else test.figure
        difference = found.difference if found else None
        rows.append(
            [
                f"{test.task}: {label(key, a.metric)}",
                ROWS[test.left],
                str(a),
                ROWS[test.right],
                str(b),
                with_bounds(difference) if difference else "",
                f"{found.p_value:.4f}" if found else "",
                verdict,
            ]
        )
    return _summary(verdicts), rows


def _summary(verdicts: list[str]) -> str:
    if not verdicts:
        return "not tested: the systems it speaks of are not in this table"
    holds = sum(verdict == "holds" for verdict in verdicts)
    against = sum(v.startswith("the opposite") or v.endswith("says worse") for v in verdicts)
    if holds == len(verdicts):
        return "holds"
    if holds and not against:
        return f"holds in {holds} of {len(verdicts)} figures, the others are undecided"
    if against:
        return f"does not hold: {against} of {len(verdicts)} figures say the opposite, {holds} agree"
    return "undecided: no figure shows a difference beyond chance and without overlap"


def judge(test: Contrast, a: Figure, b: Figure) -> tuple[str, Comparison | None]:
    """Put one comparison to the test.

    That the left one is better "holds" if it is by its figure and the 95% intervals do not overlap. That
    there is no difference "holds" if the paired test finds none (p of 0.05 or more). Of a figure without an
    interval, such as of a speaker's only utterance, neither is said.
    """
    paired = None
    if set(a.items) & set(b.items):
        speakers = {utt: utt.partition("/")[0] for utt in {*a.items, *b.items}}
        paired = compare(a.items, b.items, speakers=speakers)
    apart = a.interval.value - b.interval.value
    # of two figures of one system, the first is to be the larger one
    larger_is_better = bool(test.other) or a.metric.better == "higher"
    right_way = (apart > 0) == larger_is_better
    overlap = not (a.interval.low > b.interval.high or b.interval.low > a.interval.high)
    is_real = paired is not None and paired.p_value < 0.05
    if test.alike and (paired is None or math.isnan(paired.p_value)):
        return "no paired test", paired
    if math.isnan(a.interval.low) or math.isnan(b.interval.low):
        return "no interval", paired
    if test.alike:
        return (f"the opposite: {'better' if right_way else 'worse'}" if is_real else "holds"), paired
    if not overlap:
        return ("holds" if right_way else "the opposite"), paired
    if is_real:
        return f"intervals overlap, but a paired test says {'better' if right_way else 'worse'}", paired
    return "undecided", paired


def all_claims(systems: list[System]) -> list[tuple[str, str, list[list[str]]]]:
    """Every claim: its text, what became of it, and its table."""
    return [(claim.text, *claim_rows(systems, claim)) for claim in CLAIMS]
