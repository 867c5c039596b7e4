"""Correct data directories in place; removed lines and the old files go to <data_dir>/.backup."""

from __future__ import annotations

from pathlib import Path

from ctap.bin.entry import command
from ctap.kaldi.fix import fix
from ctap.text.languages import recorded_phones


def fix_data_dir(data_dir: list[Path], /, audio: bool = False) -> None:
    """Correct data directories in place; removed lines and the old files go to <data_dir>/.backup.

    What was done is printed, counted by reason. Phones are looked at where ``text.json`` names the language.

    Args:
        data_dir: Kaldi data directories.
        audio: Also remove utterances whose audio is missing or unreadable.
    """
    for path in data_dir:
        print(fix(path, phones=recorded_phones(path), audio=audio))


main = command(fix_data_dir)

if __name__ == "__main__":
    main()
