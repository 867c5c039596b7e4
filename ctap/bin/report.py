"""Gather the scores, pictures and sounds of all experiments into RESULTS.md and, if asked, an HTML page."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from ctap.errors import cli


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m ctap.bin.report", description=__doc__)
    parser.add_argument("--expdir", type=Path, required=True, help="directory of experiments")
    parser.add_argument("--out", type=Path, help="the tables as Markdown (default: EXPDIR/RESULTS.md)")
    parser.add_argument("--html", type=Path, help="page with sounds and pictures, e.g. EXPDIR/results.html")
    parser.add_argument("--skip", nargs="*", default=[], help="directories in EXPDIR that are left out")
    parser.add_argument("--embed", action="store_true", help="put pictures and sounds inside the page")
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    arguments = build_parser().parse_args(argv)
    from ctap.files.atomic import atomic_write
    from ctap.report.collect import collect
    from ctap.report.headlines import at_a_glance
    from ctap.report.markdown import draw_curves, markdown
    from ctap.report.page import page

    out: Path = arguments.out or arguments.expdir / "RESULTS.md"
    html: Path | None = arguments.html
    command = shlex.join(["python", "-m", "ctap.bin.report", *(sys.argv[1:] if argv is None else argv)])
    collection = collect(arguments.expdir, arguments.skip)
    draw_curves(collection, out.parent / f"{out.stem}_files")
    lead = at_a_glance(collection)
    texts = {out: markdown(collection, out, html=html, command=command, lead=lead)}
    if html:
        texts[html] = page(collection, html, embed=arguments.embed, command=command, lead=lead)
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


if __name__ == "__main__":
    main()
