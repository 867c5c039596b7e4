"""Check data directories; exit status 1 if any has a problem."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from ctap.errors import UserError, cli
from ctap.kaldi.datadir import DataDir, Problem, validate
from ctap.text.languages import language_in


def get_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="validate_data_dir", description=__doc__)
    parser.add_argument("data_dir", nargs="+", type=Path, help="a Kaldi data directory")
    parser.add_argument("--no_text", "--no-text", action="store_true", help="a set of speech only")
    parser.add_argument("--audio", action="store_true", help="open every audio file")
    parser.add_argument(
        "--max_lines",
        type=int,
        default=10,
        metavar="N",
        help="print at most N problems of a kind (default: 10)",
    )
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Print the problems of each directory, and how many there are of each kind."""
    options = get_parser().parse_args(argv)
    bad = []
    for path in options.data_dir:
        problems = validate(
            path, phones=language_in(path).phone_tables, text=not options.no_text, audio=options.audio
        )
        if problems:
            bad.append(path)
            show(problems, options.max_lines)
        else:
            data = DataDir(path)
            print(f"{path}: sound, {len(data.utterances())} utterances of {len(data.spk2utt)} speakers")
    if bad:
        names = " ".join(str(path) for path in bad)
        raise UserError(f"problems in {names}; `utils/fix_data_dir` mends or removes most of them")


def show(problems: list[Problem], most: int) -> None:
    """Print problems, at most ``most`` of a kind and file, then the counts of all."""
    shown: Counter[tuple[Path, str]] = Counter()
    for problem in problems:
        shown[problem.file, problem.kind] += 1
        if shown[problem.file, problem.kind] <= most:
            print(problem)
    for (file, kind), number in shown.items():
        print(f"{file}: {number} x {kind}")


if __name__ == "__main__":
    main()
