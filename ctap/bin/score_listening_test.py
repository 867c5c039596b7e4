"""Mean opinion scores of a listening test, by system and by listener, with intervals and checks."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.files.atomic import atomic_write, write_json
from ctap.listening import table
from ctap.listening.build import ANSWERS
from ctap.listening.plan import read_plan
from ctap.listening.screening import Limits
from ctap.listening.store import read_answers
from ctap.metrics.provenance import collect_meta


def score_listening_test(
    test: Path,
    answers: list[Path] | None = None,
    out: Path | None = None,
    markdown: Path | None = None,
    leave_out: list[str] | None = None,
    against: str | None = None,
    min_recording: float = Limits.min_recording,
    max_same: float = Limits.max_same,
    min_correlation: float = Limits.min_correlation,
) -> None:
    """Mean opinion scores of a listening test, by system and by listener, with intervals and checks.

    Args:
        test: Directory that `listening_test build` wrote.
        answers: SQLite files of the server and files saved by listeners (default: TEST/answers.sqlite).
        out: The figures as JSON.
        markdown: The tables, which are printed in any case.
        leave_out: Listeners that do not count: names, beginnings of ids, or flagged for all with a remark.
        against: System to compare the others with, listener by listener.
        min_recording: Remark if recordings are rated lower.
        max_same: Remark if one score makes up this share of all, or more.
        min_correlation: Remark if lower with the others.
    """
    plan = read_plan(test)
    paths = answers or [(test if test.is_dir() else test.parent) / ANSWERS]
    if not answers and not paths[0].exists():
        raise UserError(f"{paths[0]}: nobody has answered there; name the files of answers with --answers")
    listed = [str(path) for path in paths]
    result = table.summary(
        read_answers(paths, plan),
        plan,
        leave_out=leave_out or [],
        against=against,
        limits=Limits(min_recording, max_same, min_correlation),
        meta=collect_meta(seed=plan.seed, config=str(test), test=plan.meta, answers=listed),
    )
    text = table.markdown(result)
    print(text, end="")
    if out is not None:
        write_json(out, result, indent=1)
    if markdown is not None:
        with atomic_write(markdown) as file:
            file.write(text)


main = command(score_listening_test)

if __name__ == "__main__":
    main()
