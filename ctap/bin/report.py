"""Gather the scores, pictures and sounds of all experiments into RESULTS.md and, if asked, an HTML page."""

from __future__ import annotations

import sys
from pathlib import Path

from ctap.bin.entry import command
from ctap.metrics.provenance import running_command


def report(
    expdir: Path,
    out: Path | None = None,
    html: Path | None = None,
    skip: list[str] | None = None,
    embed: bool = False,
) -> None:
    """Gather scores, pictures and sounds of all experiments into RESULTS.md and an HTML page.

    Args:
        expdir: Directory of experiments.
        out: The tables as Markdown (default: EXPDIR/RESULTS.md).
        html: Page with sounds and pictures, such as EXPDIR/results.html.
        skip: Directories in EXPDIR that are left out.
        embed: Put pictures and sounds inside the page.
    """
    from ctap.files.atomic import atomic_write
    from ctap.report.collect import collect
    from ctap.report.headlines import at_a_glance
    from ctap.report.markdown import Results, draw_curves, markdown
    from ctap.report.page import page

    out = out or expdir / "RESULTS.md"
    collection = collect(expdir, skip or [])
    draw_curves(collection, out.parent / f"{out.stem}_files")
    results = Results(collection, running_command(), at_a_glance(collection))
    texts = {out: markdown(results, out, html)}
    if html:
        texts[html] = page(results, html, embed=embed)
    for target, text in texts.items():
        with atomic_write(target) as file:
            file.write(text)
    figures = sum(len(scores.metrics) for e in collection.experiments for scores in e.scores)
    pictures = sum(len(e.pictures) for e in collection.experiments)
    sounds = sum(len(e.samples) for e in collection.experiments)
    counts = (
        f"{len(collection.experiments)} experiments, {figures} figures, {pictures} pictures, {sounds} sounds"
    )
    print(f"{counts}: " + ", ".join(str(path) for path in (out, html) if path))
    for problem in collection.problems:
        print(f"left out: {problem}", file=sys.stderr)
    if collection.problems:
        print(f"{len(collection.problems)} left out (listed at the end of the page)", file=sys.stderr)


main = command(report)

if __name__ == "__main__":
    main()
