"""Divide a corpus into train, dev, test and, for every target speaker, speech, labeled and test sets.

Reads a data directory with wav.scp, utt2spk, utt2dur, text, pinyin, phones, and if there spk2gender, utt2part
(the corpus's own train, dev and test). Writes OUT/train, OUT/dev, OUT/test (no target speakers in them), and
of each target speaker OUT/target_<spk>_speech (all but its test part; no text), OUT/target_<spk>_labeled and
OUT/target_<spk>_test; then OUT/target_speakers, one name a line. The same seed gives the same division.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from ctap.data.split import Split, SplitOptions, split
from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_write
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.prepare import Tables, read_tables, select, write_tables
from ctap.kaldi.tables import read_whole_files

PARTS = ("train", "dev", "test")
KINDS = ("speech", "labeled", "test")


def get_parser() -> argparse.ArgumentParser:
    """The command's options."""
    default = SplitOptions()
    parser = argparse.ArgumentParser(
        prog="split_targets", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data_dir", type=Path, required=True, help="data directory of the whole corpus")
    add("--out_dir", type=Path, required=True, metavar="OUT", help="directory of the sets to write")
    add(
        "--target_speakers",
        default="auto",
        help='"auto", "none", or names: "SSB0005 SSB0009" (default: auto)',
    )
    add("--num_targets", type=int, default=default.num_targets, help="most that auto chooses (default: 4)")
    add("--labeled_minutes", type=float, default=15.0, help="of each target speaker (default: 15)")
    add("--dev_utts", default="auto", help="size of dev; auto: 2%% of train, 8 to 400 (default: auto)")
    add("--test_share", type=float, default=default.test_share, help=SHARE_HELP)
    add("--targets_in_train", choices=("auto", "true", "false"), default="auto", help=IN_TRAIN_HELP)
    add("--seed", type=int, default=0)
    return parser


SHARE_HELP = "share of a speaker to hold out where the corpus has no test part (default: 0.1)"
IN_TRAIN_HELP = "pretrain on target speakers too; auto: only if there are one or two speakers (default: auto)"


def get_options(arguments: argparse.Namespace) -> SplitOptions:
    """The library's options from the command's.

    Raises:
        UserError: a value that can't be used, naming the option.
    """
    words = arguments.target_speakers.replace(",", " ").split()
    if not words:
        raise UserError('--target_speakers "": expected auto, none, or names of speakers')
    names = {"auto": None, "none": ()}.get(words[0], tuple(words)) if len(words) == 1 else tuple(words)
    dev_utts = None
    if arguments.dev_utts != "auto":
        if not arguments.dev_utts.isdecimal():
            raise UserError(f"--dev_utts {arguments.dev_utts}: expected auto or a number of utterances")
        dev_utts = int(arguments.dev_utts)
    for name in ("num_targets", "labeled_minutes"):
        if getattr(arguments, name) <= 0:
            raise UserError(f"--{name} {getattr(arguments, name)}: expected more than 0")
    return SplitOptions(
        target_speakers=names,
        num_targets=arguments.num_targets,
        labeled_minutes=arguments.labeled_minutes,
        dev_utts=dev_utts,
        test_share=arguments.test_share,
        targets_in_train={"auto": None, "true": True, "false": False}[arguments.targets_in_train],
        seed=arguments.seed,
    )


@cli
def main(argv: list[str] | None = None) -> None:
    """Write the sets and print a table of them."""
    arguments = get_parser().parse_args(argv)
    tables = read_tables(arguments.data_dir)
    for name in ("utt2dur", "text", "phones"):
        if name not in tables:
            raise UserError(f"{arguments.data_dir}: holds no {name}; make it with ctap.bin.prepare_text")
    seconds = DataDir(arguments.data_dir).utt2dur
    part = tables.get("utt2part")
    wrong = next((f"{u} {p}" for u, p in (part or {}).items() if p not in PARTS), None)
    if wrong:
        raise UserError(f"{arguments.data_dir / 'utt2part'}: {wrong!r}: expected train, dev or test")
    result = split(
        tables["utt2spk"],
        seconds,
        part=part,
        gender=tables.get("spk2gender"),
        options=get_options(arguments),
    )
    write(result, tables, arguments.out_dir, read_whole_files(arguments.data_dir))
    show(result, tables, seconds)


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


if __name__ == "__main__":
    main()
