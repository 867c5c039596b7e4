"""Check data directories; exit status 1 if any has a problem."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ctap.bin.entry import command
from ctap.errors import UserError
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.validate import Problem, list_problems, sizes
from ctap.text.languages import recorded_phones


def validate_data_dir(
    data_dir: list[Path], /, no_text: bool = False, audio: bool = False, max_lines: int = 10
) -> None:
    """Check data directories; exit status 1 if any has a problem.

    The problems of each directory are printed, and how many there are of each kind. Phones are looked at
    where ``text.json`` names the language.

    Args:
        data_dir: Kaldi data directories.
        no_text: They are sets of speech only.
        audio: Open every audio file.
        max_lines: Problems of a kind to print at most.
    """
    bad = []
    for path in data_dir:
        phones = recorded_phones(path)
        found = sizes(path, phones=phones, text=not no_text)
        if found and not audio:
            print(f"{path}: sound, {found.utterances} utterances of {found.speakers} speakers")
            continue
        problems = list_problems(path, phones=phones, text=not no_text, audio=audio)
        if problems:
            bad.append(path)
            show(problems, max_lines)
        else:
            data = DataDir(path)
            print(f"{path}: sound, {len(data.utterances())} utterances of {len(data.spk2utt)} speakers")
    if bad:
        names = " ".join(str(path) for path in bad)
        raise UserError(f"problems in {names}; `ctap data fix` corrects or removes most of them")


def show(problems: list[Problem], most: int) -> None:
    """Print problems, at most ``most`` of a kind and file, then the counts of all."""
    shown: Counter[tuple[Path, str]] = Counter()
    for problem in problems:
        shown[problem.file, problem.kind] += 1
        if shown[problem.file, problem.kind] <= most:
            print(problem)
    for (file, kind), number in shown.items():
        print(f"{file}: {number} x {kind}")


main = command(validate_data_dir)

if __name__ == "__main__":
    main()
