"""Put figures of several runs of a recipe side by side, with mean and standard deviation."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError


def report_compare(
    expdirs: list[Path],
    figures: list[str] | None = None,
    skip: list[str] | None = None,
    out: Path | None = None,
) -> None:
    """Put figures of several runs of a recipe side by side, with mean and standard deviation over them.

    The standard deviation is that over runs, such as seeds; ``ctap score compare`` says whether two systems
    differ by more than their utterances do.

    Args:
        expdirs: Directories of experiments (``--expdir`` of the recipe), or single experiments in one.
        figures: Only these figures; by default those that a page of results begins with.
        skip: Directories in these that are left out (default: table1).
        out: Write the table here too, as Markdown.
    """
    from ctap.files.atomic import atomic_write
    from ctap.report.collect import collect
    from ctap.report.markdown import markdown_table
    from ctap.report.runs import run_rows

    names = [str(path) for path in expdirs]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise UserError(f"--expdirs {' '.join(names)}: expected two or more, each once")
    found = {name: collect(name, ["table1"] if skip is None else skip) for name in names}
    rows = run_rows(found, figures or ())
    if not rows:
        wanted = f" (--figures {' '.join(figures)})" if figures else ""
        raise UserError(f"{' '.join(names)}: no two of them have scores of one figure{wanted}")
    text = "\n".join(markdown_table(rows, right=range(2, len(rows[0])))).rstrip() + "\n"
    print(text, end="")
    if out:
        with atomic_write(out) as file:
            file.write(text)


main = command(report_compare)

if __name__ == "__main__":
    main()
