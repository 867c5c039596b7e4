"""Mean opinion scores of a listening test, by system and by listener, with intervals and checks."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ctap.errors import UserError, cli


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    from ctap.listening.screening import Limits

    limits = Limits()
    parser = argparse.ArgumentParser(
        prog="python -m ctap.bin.score_listening_test", description=__doc__, allow_abbrev=False
    )
    add = parser.add_argument
    add("--test", type=Path, required=True, help="directory that `listening_test build` wrote")
    add(
        "--answers",
        nargs="+",
        type=Path,
        help="SQLite files of the server and files saved by listeners (default: TEST/answers.sqlite)",
    )
    add("--out", type=Path, help="the figures as JSON")
    add("--markdown", type=Path, help="the tables, which are printed in any case")
    add(
        "--leave_out",
        nargs="+",
        default=[],
        help="listeners that do not count: names, beginnings of ids, or flagged for all with a remark",
    )
    add("--against", help="system to compare the others with, listener by listener")
    add(
        "--min_recording",
        type=float,
        default=limits.min_recording,
        help="remark if recordings are rated lower",
    )
    add(
        "--max_same",
        type=float,
        default=limits.max_same,
        help="remark if one score is so large a share of all",
    )
    add(
        "--min_correlation",
        type=float,
        default=limits.min_correlation,
        help="remark if lower with the others",
    )
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Run the command."""
    arguments = build_parser().parse_args(argv)
    from ctap.files.atomic import atomic_write
    from ctap.listening.build import ANSWERS
    from ctap.listening.plan import read_plan
    from ctap.listening.screening import Limits
    from ctap.listening.store import read_answers
    from ctap.listening.table import markdown, summary
    from ctap.metrics.provenance import collect_meta

    plan = read_plan(arguments.test)
    folder = arguments.test if arguments.test.is_dir() else arguments.test.parent
    paths = arguments.answers or [folder / ANSWERS]
    if not arguments.answers and not paths[0].exists():
        raise UserError(f"{paths[0]}: nobody has answered there; name the files of answers with --answers")
    result = summary(
        read_answers(paths, plan),
        plan,
        leave_out=arguments.leave_out,
        against=arguments.against,
        limits=Limits(arguments.min_recording, arguments.max_same, arguments.min_correlation),
        meta=collect_meta(
            seed=plan.seed, config=str(arguments.test), test=plan.meta, answers=[str(path) for path in paths]
        ),
    )
    text = markdown(result)
    print(text, end="")
    for path, content in (
        (arguments.out, json.dumps(result, ensure_ascii=False, indent=1) + "\n"),
        (arguments.markdown, text),
    ):
        if path is not None:
            with atomic_write(path) as file:
                file.write(content)


if __name__ == "__main__":
    main()
