"""Durations with every boundary moved by some frames, to learn how good durations have to be."""

from __future__ import annotations

import itertools
from pathlib import Path

from ctap.align.durations import read_durations, write_durations
from ctap.align.jitter import disturb_all
from ctap.bin.entry import command
from ctap.files.atomic import keep_apart
from ctap.ranges import NOT_NEGATIVE, require
from ctap.text.rules import TextRules


def disturb_durations(data_dir: Path, out_dir: Path, frames: int, seed: int = 0) -> None:
    """Move every boundary of a data directory's durations by a number of frames.

    What is written can be given to a recipe: ``--durations DIR`` reads ``DIR/<set>``.

    Args:
        data_dir: With ``aligned_phones`` and ``durations``.
        out_dir: Where to write the same two files, and ``text.json``; not ``data_dir``.
        frames: How far, earlier or later; less where a phone would be left without a frame. 0 only copies.
        seed: Of the directions.
    """
    require("--frames", frames, NOT_NEGATIVE)
    keep_apart(out_dir, data_dir)
    before = read_durations(data_dir)
    after = disturb_all(before, frames, seed)
    out_dir.mkdir(parents=True, exist_ok=True)
    TextRules.load(data_dir).save(out_dir)
    write_durations(out_dir, after)
    moved = [
        abs(a - b)
        for utterance, (_, counts) in before.items()
        for a, b in zip(_edges(counts), _edges(after[utterance][1]), strict=True)
    ]
    mean = sum(moved) / max(1, len(moved))
    print(
        f"{out_dir}: {len(after)} utterances, {len(moved)} boundaries moved by {mean:.2f} frames in the mean"
    )


def _edges(counts: list[int]) -> list[int]:
    return list(itertools.accumulate(counts[:-1]))


main = command(disturb_durations)

if __name__ == "__main__":
    main()
