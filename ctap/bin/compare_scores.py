"""Compare two systems utterance by utterance: ``ctap.bin.compare_scores --a A.json --b B.json``."""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path
from typing import Any

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import json_number, write_json
from ctap.files.tables import read_table
from ctap.metrics.compare import Comparison, compare
from ctap.metrics.intervals import LEVEL
from ctap.metrics.provenance import collect_meta
from ctap.metrics.results import Scores, read_items, read_scores
from ctap.ranges import POSITIVE, require
from ctap.report.markdown import figure, label, markdown_table


def compare_scores(
    a: Path,
    b: Path,
    figures: list[str] | None = None,
    utt2spk: Path | None = None,
    resamples: int = 10_000,
    seed: int = 0,
    out: Path | None = None,
) -> None:
    """Compare two systems utterance by utterance: how far apart, and whether that may be chance.

    Only utterances that both systems have take part, so the figures may differ from those of the files of
    scores. With many figures some fall below p = 0.05 by chance: one in twenty where nothing differs.

    Args:
        a: scores.json of system A, with the scores.tsv beside it.
        b: scores.json of system B.
        figures: Only these figures.
        utt2spk: Speakers of the utterances: every speaker then counts alike, and the interval is taken over
            speakers, then utterances.
        resamples: Draws of the bootstrap and of the permutation test.
        seed: Seed of both.
        out: Write the comparison here too, as JSON.
    """
    require("--resamples", resamples, POSITIVE)
    scores, tables = [read_scores(path) for path in (a, b)], [read_items(path) for path in (a, b)]
    both = [key for key in tables[0] if key in tables[1] and key in scores[0].metrics]
    shared = [key for key in both if not figures or key in figures]
    for key in figures or []:
        if key not in shared:
            raise UserError(f"--figures {key}: not in both; in both are: {' '.join(both) or 'none'}")
    if not shared:
        raise UserError(
            f"{a} and {b} share no figure: {' '.join(tables[0])} in one, {' '.join(tables[1])} in the other"
        )
    speakers = read_table(utt2spk) if utt2spk else None
    found: dict[str, Comparison] = {}
    for key in shared:
        one, other = (table[key] for table in tables)
        alone = set(one) ^ set(other)
        if alone:
            print(
                f"warning: {key}: {len(alone)} utterances are in one of the two only: "
                f"{' '.join(sorted(alone)[:5])}",
                file=sys.stderr,
            )
        try:
            found[key] = compare(one, other, speakers=speakers, resamples=resamples, seed=seed)
        except UserError as error:
            raise UserError(f"{key}: {error}") from None
    print(table_of(scores, found))
    if out:
        settings = {"a": str(a), "b": str(b), "utt2spk": str(utt2spk or "")}
        settings |= {"resamples": resamples, "level": LEVEL}
        content = {
            "figures": {key: plain(it) for key, it in found.items()},
            "meta": collect_meta(seed=seed, config=settings),
        }
        write_json(out, content, allow_nan=False)


def plain(comparison: Comparison) -> dict[str, Any]:
    """A comparison as JSON values; what is not defined is null."""
    values = dataclasses.asdict(comparison) | comparison.difference._asdict()
    values["difference"] = values.pop("value")
    return {name: json_number(value) for name, value in values.items()}


def table_of(scores: list[Scores], found: dict[str, Comparison]) -> str:
    """The comparisons as a Markdown table."""
    names = [it.name for it in scores] if scores[0].name != scores[1].name else ["A", "B"]
    rows = [["figure", *names, "difference", "95% interval", "p", "better", "n", "speakers"]]
    for key, it in found.items():
        metric = scores[0].metrics[key]
        winner = {"A": names[0], "B": names[1], "neither": "-"}[it.verdict(metric.better)]
        low, high = it.difference.low, it.difference.high
        rows.append(
            [
                label(key, metric),
                figure(it.a),
                figure(it.b),
                figure(it.difference.value),
                "none" if math.isnan(low) else f"{figure(low)} to {figure(high)}",
                "undefined" if math.isnan(it.p_value) else f"{it.p_value:.4f}",
                winner,
                str(it.difference.n),
                str(it.speakers or "pooled"),
            ]
        )
    return "\n".join(markdown_table(rows)).rstrip()


main = command(compare_scores)

if __name__ == "__main__":
    main()
