"""Join the parts of ``ctap.bin.dump_features`` to a dump directory, whole or not at all (stage 2)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ctap.audio.settings import AudioSettings
from ctap.bin.dump_features import check_failures
from ctap.bin.entry import command
from ctap.data.arrays import write_arrays
from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, keep_apart, write_json
from ctap.files.joins import side_by_side, sorted_names
from ctap.files.skips import SkipList
from ctap.files.tables import read_table, table_writer
from ctap.kaldi.ark_sums import sums_path
from ctap.kaldi.datadir import DataDir
from ctap.kaldi.parts import Parts, fitting_durations
from ctap.kaldi.statistics import mel_stats
from ctap.ranges import POSITIVE, require
from ctap.upstream.representation import Representation

MOST_ROUNDING = 0.01  # of a dimension's standard deviation


def combine_features(
    data_dir: Path,
    parts_dir: Path,
    num_jobs: int,
    out_dir: Path,
    stats_out: Path | None = None,
    audio_out: Path | None = None,
    max_failures: float = 0.05,
    remove_parts: bool = False,
) -> None:
    """Join the parts of dump_features to a dump directory, whole or not at all.

    --out_dir then holds the tables of the data directory for the utterances that have features, the arks,
    feats.scp and utt2num_frames, and in columns/ the same as arrays, which trainings read in no time. Where
    the data directory has durations, they must sum to the frames exactly. What was left out is named in
    --out_dir/skipped.tsv. Parts of dump_upstream are joined alike; --out_dir/upstream.json then says what
    made them.

    Args:
        data_dir: Data directory that the features were made from.
        parts_dir: Where dump_features wrote its parts.
        num_jobs: How many parts there are.
        out_dir: Dump directory to write, in place of what is there.
        stats_out: Write mean and standard deviation of every mel bin over this set to this JSON file.
        audio_out: Audio settings of the dump (default: audio.json beside --out_dir).
        max_failures: Fail if more than this share failed.
        remove_parts: Remove the parts at the end (they share the arks' space).
    """
    keep_apart(out_dir, data_dir)
    data = DataDir(data_dir)
    parts, settings, skipped = read_parts(parts_dir, num_jobs, out_dir, data, max_failures)
    if data.has("durations"):
        parts = parts.only(fitting_durations(data, parts, skipped))
    if not len(parts.utts):
        raise UserError(f"{data.path}: no utterance is left to dump: {skipped.counts()}")
    made_by = read_representation(parts_dir, num_jobs)
    stats = None
    if stats_out:
        stats = mel_stats(parts.matrices(), floor=None) if made_by else mel_stats(parts.matrices())
    write_dump(out_dir, data, parts, skipped, made_by)
    settings.save(audio_out or out_dir.parent / "audio.json")
    if stats is not None:
        write_json(stats_out, stats, indent=None)
        if made_by:
            report_rounding(max(reader.rounding(utt) for utt, reader in parts.read_by()), stats)
    if remove_parts:
        clear(parts_dir)
    total = int(parts.frames.sum())
    hours = total * settings.frame_shift / 3600
    print(f"{out_dir}: {len(parts.utts)} utterances, {total} frames, {hours:.2f} h")
    skipped.report("left out", out_dir / "skipped.tsv")


def write_dump(
    out: Path, data: DataDir, parts: Parts, skipped: SkipList, made_by: Representation | None
) -> None:
    """Write a dump directory, whole or not at all.

    Args:
        out: The directory.
        data: Data directory that the features were made from.
        parts: The features, with the ark of each part beside its list.
        skipped: What was left out.
        made_by: What made the features, where a published model did.
    """
    with atomic_dir(out) as folder:
        data.write_subset(parts.utts, folder)
        for reader in parts.readers:
            for ark in reader.arks():
                for file in (ark, sums_path(ark)):
                    if file.exists():
                        link_or_copy(file, folder / file.name)
        with table_writer(folder / "feats.scp") as write:
            for utt, reader in parts.read_by():
                write(utt, f"{out / reader.place(utt)}")
        with table_writer(folder / "utt2num_frames") as write:
            for utt, frames in zip(parts.utts, parts.frames, strict=True):
                write(utt, frames)
        write_arrays(folder)
        skipped.write(folder / "skipped.tsv")
        if made_by:
            made_by.save(folder / "upstream.json")


def read_parts(
    parts: Path, num_jobs: int, out: Path, data: DataDir, max_failures: float
) -> tuple[Parts, AudioSettings, SkipList]:
    """Check that all parts are there, fit together and account for every utterance.

    Returns:
        The features, the audio settings of all, and the utterances that failed.
    """
    require("--num_jobs", num_jobs, POSITIVE)
    failed, settings, asked = SkipList(), None, 0
    for job in range(1, num_jobs + 1):
        for name in (f"feats.{job}.scp", f"failed.{job}.tsv", f"count.{job}"):
            if not (parts / name).is_file():
                raise UserError(
                    f"{parts / name}: is missing; did job {job} of {num_jobs} finish? See its log."
                )
        own = AudioSettings.load(parts / f"audio.{job}.json")
        settings = settings or own
        settings.require_same(own, str(parts / f"audio.{job}.json"))
        failed.extend(parts / f"failed.{job}.tsv")
        asked += int(read_table(parts / f"count.{job}")["asked"])
    made = Parts.open([parts / f"feats.{job}.scp" for job in range(1, num_jobs + 1)])
    lost: list[str] = []
    foreign: list[str] = []
    wanted = sorted_names(data.path / "wav.scp")
    for utt, (asked_for, *answers) in side_by_side(wanted, sorted(failed.utterances), made.utts):
        if asked_for != any(answers):
            (lost if asked_for else foreign).append(utt)
    if lost or foreign:
        raise UserError(
            f"{parts}: {len(lost)} utterances of {data.path} have no features and {len(foreign)} are not of "
            f"that directory (such as {(lost or foreign)[0]}). Were the parts made with other --num_jobs, or "
            "before the data changed? Run dump_features again."
        )
    check_failures(len(failed), asked, max_failures, out / "skipped.tsv" if not failed else parts)
    return made, settings, failed


def read_representation(parts: Path, num_jobs: int) -> Representation | None:
    """What made the parts, where a published model did: checked to be the same for all.

    Raises:
        UserError: The parts are of several representations, or some have none.
    """
    paths = [parts / f"upstream.{job}.json" for job in range(1, num_jobs + 1)]
    if not any(path.exists() for path in paths):
        return None
    first, *others = (Representation.load(path) for path in paths)
    for path, other in zip(paths[1:], others, strict=True):
        first.require_same(other, str(path))
    return first


def report_rounding(error: float, stats: dict[str, Any]) -> None:
    """Say how far compression moved the values at most, and warn where it could matter."""
    share = error / float(np.median(stats["std"]))
    print(f"compression moves values by {error:.3g} at most, {share:.2%} of the median dimension's deviation")
    if share > MOST_ROUNDING:
        print(
            f"warning: more than {MOST_ROUNDING:.0%}: dump again with --compression 3, or 0 for none",
            file=sys.stderr,
        )


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system can't."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def clear(parts: Path) -> None:
    """Remove what dump_features wrote, and the directory if empty; the arks live on in the dump directory."""
    for pattern in (
        "feats.*.ark",
        "feats.*.ark.crc32",
        "feats.*.scp",
        "failed.*.tsv",
        "audio.*.json",
        "upstream.*.json",
        "count.*",
    ):
        for path in parts.glob(pattern):
            path.unlink()
    if not any(parts.iterdir()):
        parts.rmdir()


main = command(combine_features)

if __name__ == "__main__":
    main()
