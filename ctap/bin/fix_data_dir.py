"""Correct data directories in place; removed lines and the old files go to <data_dir>/.backup."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.kaldi.datadir import fix
from ctap.text.languages import language_in


def fix_data_dir(data_dir: list[Path], /, audio: bool = False) -> None:
    """Correct data directories in place; removed lines and the old files go to <data_dir>/.backup.

    What was done is printed, counted by reason.

    Args:
        data_dir: Kaldi data directories.
        audio: Also remove utterances whose audio is missing or unreadable.
    """
    for path in data_dir:
        print(fix(path, phones=language_in(path).phone_tables, audio=audio))


main = command(fix_data_dir)

if __name__ == "__main__":
    main()
