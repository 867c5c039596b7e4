"""Divide a corpus into train, dev, test and, for every target speaker, speech, labeled and test sets."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from ctap.bin.entry import command
from ctap.data.split import Split, SplitOptions, split
from ctap.data.utterances import PARTS, Utterances
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.columns import Names, places_of
from ctap.files.joins import numbered_values, sorted_names, values_of
from ctap.files.tables import read_rows, read_table
from ctap.kaldi.prepare import check_tables, tables_dir
from ctap.kaldi.subsets import Subset, write_subsets
from ctap.ranges import POSITIVE, require

KINDS = ("speech", "labeled", "test")


def split_targets(
    data_dir: Path,
    out_dir: Path,
    target_speakers: str = "auto",
    num_targets: int = SplitOptions.num_targets,
    labeled_minutes: float = SplitOptions.labeled_minutes,
    dev_utts: str = "auto",
    test_share: float = SplitOptions.test_share,
    targets_in_train: bool | Literal["auto"] = "auto",
    seed: int = 0,
) -> None:
    """Divide a corpus into train, dev and test, and sets of each target speaker.

    Reads a data directory with wav.scp, utt2spk, utt2dur, text, pinyin, phones, and if there spk2gender,
    utt2part (the corpus's own train, dev and test). Writes OUT_DIR/train, dev and test (no target speakers in
    them), and of each target speaker target_<spk>_speech (all but its test part; no text),
    target_<spk>_labeled and target_<spk>_test; then target_speakers, one name a line. The same seed gives the
    same division.

    Args:
        data_dir: Data directory of the whole corpus.
        out_dir: Directory of the sets to write.
        target_speakers: "auto", "none", or names: "SSB0005 SSB0009".
        num_targets: Most that auto chooses.
        labeled_minutes: Of each target speaker.
        dev_utts: Size of dev; auto: 2% of train, 8 to 400, at most a tenth; of a corpus's own dev part up to
            400.
        test_share: Share of a speaker to hold out where the corpus has no test part.
        targets_in_train: Pretrain on target speakers too; auto: only if there are one or two speakers.
        seed: Of the choice.
    """
    require("--num_targets", num_targets, POSITIVE)
    if not labeled_minutes > 0:  # infinity takes all
        raise UserError(f"--labeled_minutes {labeled_minutes:g}: expected more than 0")
    options = SplitOptions(
        target_speakers=names_of_targets(target_speakers),
        num_targets=num_targets,
        labeled_minutes=labeled_minutes,
        dev_utts=number_of_utterances(dev_utts),
        test_share=test_share,
        targets_in_train=None if targets_in_train == "auto" else targets_in_train,
        seed=seed,
    )
    tables = check_complete(data_dir)
    names = sorted_names(data_dir / "utt2spk")
    speakers, numbers, _ = numbered_values(names, data_dir / "utt2spk")
    corpus = Utterances(
        dict(zip(speakers, places_of(numbers), strict=False)),  # of no utterances, there is one empty group
        read_seconds(data_dir / "utt2dur", names),
        read_parts(data_dir / "utt2part", names) if "utt2part" in tables else None,
    )
    gender = read_table(data_dir / "spk2gender") if "spk2gender" in tables else {}
    result = split(corpus, gender, options)
    write(result, data_dir, names, out_dir)
    show(result, corpus, numbers, gender)


def names_of_targets(text: str) -> tuple[str, ...] | None:
    """Target speakers as ``--target_speakers`` gives them; None where they are to be chosen."""
    words = tuple(text.replace(",", " ").split())
    if not words:
        raise UserError('--target_speakers "": expected auto, none, or names of speakers')
    return {("auto",): None, ("none",): ()}.get(words, words)


def number_of_utterances(text: str) -> int | None:
    """``--dev_utts`` as a number; None for auto."""
    if text == "auto":
        return None
    if not text.isdecimal():
        raise UserError(f"--dev_utts {text}: expected auto or a number of utterances")
    return int(text)


def check_complete(data_dir: Path) -> list[str]:
    """The names of the tables of a data directory, among them those that a corpus is divided by.

    Raises:
        UserError: One is missing or faulty.
    """
    tables = check_tables(data_dir)
    for name in ("utt2dur", "text", "phones"):
        if name not in tables:
            raise UserError(f"{data_dir}: holds no {name}; make it with ctap.bin.prepare_text")
    return tables


def read_parts(path: Path, names: Names) -> np.ndarray:
    """Which of :data:`PARTS` each utterance is in ``[N]``; train, where the table does not say.

    Raises:
        UserError: A part has an unknown name.
    """
    for utt, part in read_rows(path):
        if part not in PARTS:
            raise UserError(f"{path}: {f'{utt} {part}'!r}: expected train, dev or test")
    return np.fromiter((PARTS.index(part or PARTS[0]) for _, part in values_of(names, path)), np.int8)


def read_seconds(path: Path, names: Names) -> np.ndarray:
    """The length of each utterance ``[N]``.

    Raises:
        UserError: It is missing, or not a number.
    """

    def seconds(utt: str, value: str | None) -> float:
        try:
            return float(value or "")
        except ValueError:
            raise UserError(f"{path}: {utt!r} has {value!r}, expected seconds") from None

    for utt, value in read_rows(path):
        seconds(utt, value)  # of those without a speaker, too
    return np.fromiter((seconds(utt, value) for utt, value in values_of(names, path)), np.float64)


def write(result: Split, data_dir: Path, names: Names, out_dir: Path) -> None:
    """Write the sets; those of an earlier division that are no longer wanted are removed.

    Args:
        result: The division.
        data_dir: The whole corpus.
        names: Its utterances.
        out_dir: Where the sets go.
    """
    listed = out_dir / "target_speakers"
    listed.unlink(missing_ok=True)  # it is there only when all sets are
    earlier = [f"target_{spk}_{kind}" for spk in _earlier(out_dir) for kind in KINDS]
    for name in ("train", "dev", "test", *earlier):
        if name not in result.sets and (out_dir / name / "utt2spk").is_file():
            shutil.rmtree(out_dir / name)
            print(f"{out_dir / name}: removed, not of this division")
    with contextlib.ExitStack() as stack:
        subsets = [
            Subset(stack.enter_context(tables_dir(out_dir / name)), places, not name.endswith("_speech"))
            for name, places in result.sets.items()
        ]
        write_subsets(data_dir, names, subsets)
    with atomic_write(listed) as file:
        file.writelines(f"{spk}\n" for spk in result.targets)


def _earlier(out_dir: Path) -> list[str]:
    """Speakers of whom sets of this tool lie in ``out_dir``."""
    return [
        path.name.removeprefix("target_").removesuffix("_speech") for path in out_dir.glob("target_*_speech")
    ]


def show(result: Split, corpus: Utterances, numbers: np.ndarray, gender: Mapping[str, str]) -> None:
    """Print the sets with their sizes, and the remarks; ``numbers`` are those of the speakers ``[N]``."""
    names = [f"{spk} ({gender.get(spk, '?')})" for spk in result.targets]
    print(f"target speakers: {', '.join(names) or 'none'}")
    width = max(map(len, result.sets))
    print(f"{'set':{width}}  utterances  speakers  minutes")
    for name, utts in result.sets.items():
        speakers, minutes = len(np.unique(numbers[utts])), corpus.total(utts) / 60
        print(f"{name:{width}}  {len(utts):10d}  {speakers:8d}  {minutes:7.1f}")
    for remark in result.remarks:
        print(f"note: {remark}")


main = command(split_targets)

if __name__ == "__main__":
    main()
