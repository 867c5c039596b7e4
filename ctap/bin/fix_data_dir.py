"""Mend data directories in place; removed lines and the old files go to <data_dir>/.backup."""

from __future__ import annotations

import argparse
from pathlib import Path

from ctap.errors import cli
from ctap.kaldi.datadir import fix
from ctap.text.languages import language_in


def get_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="fix_data_dir", description=__doc__)
    parser.add_argument("data_dir", nargs="+", type=Path, help="a Kaldi data directory")
    parser.add_argument(
        "--audio", action="store_true", help="also remove utterances whose audio is missing or unreadable"
    )
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    """Mend each directory and print what was done, counted by reason."""
    options = get_parser().parse_args(argv)
    for path in options.data_dir:
        print(fix(path, phones=language_in(path).phone_tables, audio=options.audio))


if __name__ == "__main__":
    main()
