"""The paper's Table 1 with our systems: ``ctap.bin.table1 --systems ctap_paper=DIR ... --out TABLE1.md``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ctap.bin.common import label_and_value, labelled
from ctap.bin.entry import command
from ctap.files.atomic import atomic_write
from ctap.metrics.provenance import running_command
from ctap.report.collect import Collection, collect
from ctap.report.markdown import Results, Section, draw_curves, link, markdown_section
from ctap.report.page import page
from ctap.report.paper_table1 import ROWS
from ctap.report.table1 import TABLES, System, all_claims, columns, read_system, table_rows

NOTE = (
    "Means over target speakers with 95% intervals over utterances in brackets; n counts them. "
    "The interval of a difference, in the claims, is wider: it speaks of other speakers, too. "
    "Columns headed paper are the paper's own figures, of its corpora, sizes and judges: they show the "
    "order to expect, not values to reach. phone_error_rate of TTS and VC: by the judge, a recogniser on "
    "log-mel trained on recordings alone; of ASR: by each system's own."
)
DIFFERENCES = (
    "Corpus and sizes are those of the recipe's configuration; the paper trained on 281 hours of 304 "
    "speakers, 800k steps of 8 x 8 utterances.",
    "Waves are made with one vocoder for every system (--vocoder); the paper's is a diffusion model.",
    "All systems say the durations of one duration model, the recipe's, as the paper says of its systems.",
    "The semantic prediction model is deterministic; the paper takes that of its reference [8].",
    "The paper's WER is that of an outside recogniser, in words or characters; ours is in phones.",
    "MSEP is of speech made with the recording's durations, so that frames can be compared one by one.",
    "MOS need listeners: python -m ctap.bin.listening_test (docs/listening_tests.md).",
    "ACC: frame_accuracy counts frames, 1 - phone_error_rate phones; the paper does not say which it means.",
)


def table1(
    systems: list[str],
    out: Path,
    html: Path | None = None,
    parts: list[str] | None = None,
    skipped: list[str] | None = None,
    embed: bool = False,
) -> None:
    """Write the paper's Table 1 with our systems, what became of its claims, and a page to listen to.

    Args:
        systems: Each "label=directory"; labels as in ctap/report/paper_table1.py.
        out: The Markdown file.
        parts: Each "label=name": a directory of that system's that is read, where others lie beside it; all
            of a system of which none is named.
        html: Page with the same, sounds, pictures and curves.
        skipped: Systems that are not there, each "name=reason".
        embed: Put pictures and sounds inside the page.
    """
    folders = labelled(systems, "--systems")
    order = list(ROWS)
    own: dict[str, set[str]] = {}
    for item in parts or []:
        name, part = label_and_value(item, "--parts", "label=name")
        own.setdefault(name, set()).add(part)
    left_out = labelled(skipped, "--skipped", "name=reason", str)
    found = [read_system(name, folder, own.get(name, ())) for name, folder in folders.items()]
    found.sort(key=lambda system: order.index(system.name))
    sections = sections_of(found, left_out)
    made = running_command()
    text = ["# Table 1", "", f"Written by `{made}`; run it again rather than edit this file.", ""]
    if html is not None:
        text += [f"Listen and look: [{html.name}]({link(html, out)}).", ""]
    for section in sections:
        text += markdown_section(section)
    with atomic_write(out) as file:
        file.write("\n".join(text).rstrip() + "\n")
    if html is not None:
        gathered = gather(folders, order, own)
        draw_curves(gathered, html.parent / f"{html.stem}_files")
        with atomic_write(html) as file:
            file.write(page(Results(gathered, made, sections), html, embed=embed, heading="Table 1"))
    print(f"{len(found)} systems: {out}{f', {html}' if html else ''}")


def sections_of(systems: list[System], skipped: dict[str, str]) -> list[Section]:
    """The tables, the claims, and what must be known to read them."""
    sections = []
    for title, task, keys, printed in TABLES:
        chosen = columns(systems, task, keys, printed)
        if any(column.task for column in chosen):
            sections.append(Section(title, "" if sections else NOTE, table_rows(systems, chosen)))
    for text, outcome, rows in all_claims(systems):
        sections.append(
            Section(f"Claim {text}", f"On this corpus: {outcome}.", rows if len(rows) > 1 else ())
        )
    absent = [["system", "why it is not in the table"]]
    absent += [[ROWS.get(name, name), why] for name, why in skipped.items()]
    if skipped:
        sections.append(Section("Left out", "", absent))
    sections.append(Section("What differs from the paper", " ".join(DIFFERENCES)))
    return sections


def gather(folders: dict[str, Path], order: list[str], parts: Mapping[str, set[str]]) -> Collection:
    """Sounds, pictures and curves of all systems, in the table's order; of some, of certain ``parts``."""
    whole = Collection([], [])
    for name in sorted(folders, key=order.index):
        skip = {"table1"}
        if name in parts:
            skip = {path.name for path in folders[name].iterdir()} - parts[name]
        own = collect(folders[name], skip=skip)
        for experiment in own.experiments:
            last = experiment.name.rpartition("/")[2]
            experiment.name = f"{ROWS[name]}: {last}"
        whole.experiments += own.experiments
        whole.problems += own.problems
    return whole


main = command(table1)

if __name__ == "__main__":
    main()
