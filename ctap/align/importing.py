"""Durations from other aligners, checked against the data directory that takes them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ctap.align.durations import Durations, check, read_durations, write_durations
from ctap.align.ipa import unmapped
from ctap.align.textgrid import align_intervals, intervals_to_durations, read_textgrid
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import utterance_frames
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.text.phones import PAUSES

OF_BUILT_IN = ("align_score", "align_confidence", "align_outliers")
"""What :func:`ctap.align.jobs.combine` says of its own alignments, and is not true of imported ones."""


def import_durations(data_dir: str | Path, source: str | Path, settings: AudioSettings) -> list[str]:
    """Write ``aligned_phones``, ``durations`` and ``align_failed`` of a data directory from ``source``.

    Args:
        data_dir: with ``wav.scp`` and ``phones``.
        source: directory that holds TextGrids (at any depth), or ``aligned_phones`` and ``durations``.
        settings: whose frames are counted.

    Returns:
        Lines that say what was taken, what was not and why, and which labels do not map.

    Raises:
        UserError: there is nothing to import, or nothing of it fits.
    """
    data_dir, source = Path(data_dir), Path(source)
    waves = read_table(data_dir / "wav.scp")
    phones = {u: v.split() for u, v in read_table(data_dir / "phones").items()}
    taken: Durations = {}
    failed: dict[str, str] = {}
    strange: Counter[str] = Counter()
    given, grids = _offered(source)
    kind = "TextGrids" if grids else "durations"
    for utterance, wanted in sorted(phones.items()):
        if utterance not in given and utterance not in grids:
            failed[utterance] = f"not among the {kind}"
            continue
        if utterance not in waves:
            failed[utterance] = "not in wav.scp"
            continue
        try:
            total_frames = utterance_frames(waves[utterance], settings)
            labels, frames = given.get(utterance) or _from_textgrid(
                grids[utterance], wanted, total_frames, settings, strange
            )
            problem = check(labels, frames, phones=wanted, total_frames=total_frames)
        except UserError as error:
            problem = str(error)
        if problem:
            failed[utterance] = problem
        else:
            taken[utterance] = (labels, frames)
    if not taken:
        utterance, reason = next(iter(failed.items()), ("", "no phones in the data directory"))
        raise UserError(f"{source}: nothing fits {data_dir}; first: {utterance}: {reason}")
    write_durations(data_dir, taken)
    for name in OF_BUILT_IN:
        (data_dir / name).unlink(missing_ok=True)
    write_table(data_dir / "align_failed", failed)
    pauses = sum(label in PAUSES for labels, _ in taken.values() for label in labels)
    unused = len((given.keys() | grids.keys()) - phones.keys())
    lines = [
        f"{data_dir}: durations of {len(taken)} utterances ({pauses} pauses) from {source}; "
        f"{len(failed)} left out (align_failed); {unused} {kind} of no utterance here"
    ]
    lines += [f"left out: {utterance}: {reason}" for utterance, reason in failed.items()]
    if strange:
        lines.append(
            "labels that do not map (files): " + ", ".join(f"{k} ({n})" for k, n in strange.most_common())
        )
    return lines


def _offered(source: Path) -> tuple[Durations, dict[str, Path]]:
    """What ``source`` holds: durations, or else the TextGrid of each utterance."""
    if (source / "durations").is_file():
        return read_durations(source), {}
    grids = {f.stem: f for f in sorted(source.rglob("*")) if f.suffix.lower() == ".textgrid"}
    if not grids:
        raise UserError(f"{source}: nothing to import: expected *.TextGrid, or aligned_phones and durations")
    return {}, grids


def _from_textgrid(
    path: Path, phones: list[str], total_frames: int, settings: AudioSettings, strange: Counter[str]
) -> tuple[list[str], list[int]]:
    """Labels and frames of an utterance; labels that do not map are counted in ``strange``."""
    intervals = read_textgrid(path)
    strange.update(unmapped([x.label for x in intervals]))
    return intervals_to_durations(align_intervals(intervals, phones), total_frames, settings)
