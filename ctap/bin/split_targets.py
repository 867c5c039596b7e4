"""Divide a corpus into train, dev, test and, for every target speaker, speech, labeled and test sets."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from ctap.bin.entry import command
from ctap.data.split import Split, SplitOptions, split
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.prepare import Tables, read_tables, select, write_tables
from ctap.kaldi.tables import read_whole_files

PARTS = ("train", "dev", "test")
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
        dev_utts: Size of dev; auto: 2% of train, 8 to 400.
        test_share: Share of a speaker to hold out where the corpus has no test part.
        targets_in_train: Pretrain on target speakers too; auto: only if there are one or two speakers.
        seed: Of the choice.
    """
    for name, value in (("num_targets", num_targets), ("labeled_minutes", labeled_minutes)):
        if value <= 0:
            raise UserError(f"--{name} {value}: expected more than 0")
    options = SplitOptions(
        target_speakers=names_of_targets(target_speakers),
        num_targets=num_targets,
        labeled_minutes=labeled_minutes,
        dev_utts=number_of_utterances(dev_utts),
        test_share=test_share,
        targets_in_train=None if targets_in_train == "auto" else targets_in_train,
        seed=seed,
    )
    tables = read_complete_tables(data_dir)
    seconds, part, gender = DataDir(data_dir).utt2dur, tables.get("utt2part"), tables.get("spk2gender")
    result = split(tables["utt2spk"], seconds, part=part, gender=gender, options=options)
    write(result, tables, out_dir, read_whole_files(data_dir))
    show(result, tables, seconds)


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


def read_complete_tables(data_dir: Path) -> Tables:
    """The tables of a data directory that a corpus is divided by.

    Raises:
        UserError: One is missing, or a part of the corpus has an unknown name.
    """
    tables = read_tables(data_dir)
    for name in ("utt2dur", "text", "phones"):
        if name not in tables:
            raise UserError(f"{data_dir}: holds no {name}; make it with ctap.bin.prepare_text")
    wrong = next((f"{u} {p}" for u, p in tables.get("utt2part", {}).items() if p not in PARTS), None)
    if wrong:
        raise UserError(f"{data_dir / 'utt2part'}: {wrong!r}: expected train, dev or test")
    return tables


def write(result: Split, tables: Tables, out_dir: Path, whole: dict[str, str]) -> None:
    """Write the sets; those of an earlier division that are no longer wanted are removed.

    Args:
        result: The division.
        tables: Tables of the whole corpus.
        out_dir: Where the sets go.
        whole: Name to content of the files about the corpus as a whole, for sets with text.
    """
    listed = out_dir / "target_speakers"
    listed.unlink(missing_ok=True)  # it is there only when all sets are
    earlier = [f"target_{spk}_{kind}" for spk in _earlier(out_dir) for kind in KINDS]
    for name in ("train", "dev", "test", *earlier):
        if name not in result.sets and (out_dir / name / "utt2spk").is_file():
            shutil.rmtree(out_dir / name)
            print(f"{out_dir / name}: removed, not of this division")
    for name, utts in result.sets.items():
        text = not name.endswith("_speech")
        write_tables(out_dir / name, select(tables, utts, text=text), whole if text else {})
    with atomic_write(listed) as file:
        file.writelines(f"{spk}\n" for spk in result.targets)


def _earlier(out_dir: Path) -> list[str]:
    """Speakers of whom sets of this tool lie in ``out_dir``."""
    return [
        path.name.removeprefix("target_").removesuffix("_speech") for path in out_dir.glob("target_*_speech")
    ]


def show(result: Split, tables: Tables, seconds: dict[str, float]) -> None:
    """Print the sets with their sizes, and the remarks."""
    gender, utt2spk = tables.get("spk2gender", {}), tables["utt2spk"]
    names = [f"{spk} ({gender.get(spk, '?')})" for spk in result.targets]
    print(f"target speakers: {', '.join(names) or 'none'}")
    width = max(map(len, result.sets))
    print(f"{'set':{width}}  utterances  speakers  minutes")
    for name, utts in result.sets.items():
        speakers = len({utt2spk[utt] for utt in utts})
        minutes = sum(seconds[utt] for utt in utts) / 60
        print(f"{name:{width}}  {len(utts):10d}  {speakers:8d}  {minutes:7.1f}")
    for remark in result.remarks:
        print(f"note: {remark}")


main = command(split_targets)

if __name__ == "__main__":
    main()
