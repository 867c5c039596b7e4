"""Durations from other aligners, checked against the data directory that takes them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from ctap.align.durations import Durations, check, write_durations
from ctap.align.textgrid import (
    align_intervals,
    check_end,
    find_textgrids,
    intervals_to_durations,
    read_textgrid,
)
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import utterance_frames
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.kaldi.durations import whole_numbers
from ctap.text.labels import LabelTable, UnreadLabels
from ctap.text.languages import language_in
from ctap.text.pauses import PAUSES

OF_BUILT_IN = ("align_score", "align_confidence", "align_outliers")
"""Tables that :func:`ctap.align.jobs.combine` writes, and that do not hold for imported durations."""

Rows = dict[str, tuple[str | None, str | None]]
"""Utterance to its rows of ``aligned_phones`` and ``durations``, as they are; ``None`` where it has none."""

SHOWN = 10  # utterances left out that are printed; align_failed names all


def import_durations(
    data_dir: str | Path, source: str | Path, settings: AudioSettings, table: LabelTable | None = None
) -> list[str]:
    """Write ``aligned_phones``, ``durations`` and ``align_failed`` of a data directory from ``source``.

    Args:
        data_dir: with ``wav.scp`` and ``phones``.
        source: directory that holds TextGrids (at any depth), or ``aligned_phones`` and ``durations``.
        settings: whose frames are counted.
        table: how the labels of TextGrids are read; default: as the language of the data directory does.

    Returns:
        Lines that say what was taken, what was not and why, and which labels could not be read.

    Raises:
        UserError: there is nothing to import, or nothing of it fits.
    """
    data_dir, source = Path(data_dir), Path(source)
    waves = read_table(data_dir / "wav.scp")
    phones = {u: v.split() for u, v in read_table(data_dir / "phones").items()}
    given, grids = _offered(source)
    kind = "TextGrids" if grids else "durations"
    language = language_in(data_dir)
    known, table = language.phone_tables["aligned_phones"], table or LabelTable.load(None, language)
    taken: Durations = {}
    failed: dict[str, UserError] = {}
    for utterance, wanted in sorted(phones.items()):
        try:
            if utterance not in given and utterance not in grids:
                raise UserError(f"not among the {kind}")
            if utterance not in waves:
                raise UserError("not in wav.scp")
            frames = utterance_frames(waves[utterance], settings)
            if utterance in given:
                found = _from_tables(*given[utterance])
            else:
                found = _from_textgrid(grids[utterance], wanted, frames, settings, table)
            if problem := check(*found, phones=wanted, total_frames=frames, known=known):
                raise UserError(problem)
            taken[utterance] = found
        except UserError as error:
            failed[utterance] = error
    if not taken:
        utterance, reason = next(iter(failed.items()), ("", "no phones in the data directory"))
        first = f"{source}: nothing fits {data_dir}; first: {utterance}: {reason}"
        raise UserError("\n".join([first, *_unread(failed.values())]))
    write_durations(data_dir, taken)
    for name in OF_BUILT_IN:
        (data_dir / name).unlink(missing_ok=True)
    reasons = {utterance: " ".join(str(error).split()) for utterance, error in failed.items()}
    write_table(data_dir / "align_failed", reasons)  # a damaged file's labels may hold line ends
    pauses = sum(label in PAUSES for labels, _ in taken.values() for label in labels)
    unused = len((given.keys() | grids.keys()) - phones.keys())
    lines = [
        f"{data_dir}: durations of {len(taken)} utterances ({pauses} pauses) from {source}; "
        f"{len(failed)} left out (align_failed); {unused} {kind} of no utterance here"
    ]
    return lines + _left_out(failed, data_dir / "align_failed") + _unread(failed.values())


def _left_out(failed: Mapping[str, UserError], listed: Path) -> list[str]:
    """The first utterances left out for other reasons than their labels."""
    others = {u: error for u, error in failed.items() if not isinstance(error, UnreadLabels)}
    lines = [
        f"left out: {utterance}: {reason}" for utterance, reason in itertools.islice(others.items(), SHOWN)
    ]
    if len(others) > SHOWN:
        lines.append(f"left out: {len(others) - SHOWN} more, each named in {listed}")
    return lines


def _unread(errors: Iterable[UserError]) -> list[str]:
    """What could not be read, label by label with counts, most frequent first."""
    strange: Counter[str] = Counter()
    instead: Counter[tuple[str, str]] = Counter()
    for error in errors:
        if not isinstance(error, UnreadLabels):
            continue
        strange.update(error.strange)
        if error.instead:
            instead[error.instead] += 1
    lines = []
    if strange:
        found = ", ".join(f"{label} ({n})" for label, n in strange.most_common())
        lines.append(
            f"labels that stand for no phone (times): {found}; say how they are read in a table of labels"
        )
    if instead:
        found = ", ".join(f"{label} for {phone} ({n})" for (label, phone), n in instead.most_common())
        lines.append(f"labels that do not fit the phones of the text (utterances): {found}")
    return lines


def _offered(source: Path) -> tuple[Rows, dict[str, list[Path]]]:
    """What ``source`` holds: durations, or else the TextGrids of each utterance."""
    if (source / "durations").is_file():
        labels, frames = (read_table(source / name, values=False) for name in ("aligned_phones", "durations"))
        return {u: (labels.get(u), frames.get(u)) for u in labels.keys() | frames.keys()}, {}
    grids = find_textgrids(source)
    if not grids:
        raise UserError(f"{source}: nothing to import: expected *.TextGrid, or aligned_phones and durations")
    return {}, grids


def _from_tables(labels: str | None, frames: str | None) -> tuple[list[str], list[int]]:
    """Labels and frames of an utterance.

    Raises:
        UserError: one of the two is not there, or the frames are no whole numbers.
    """
    if labels is None or frames is None:
        raise UserError("is in only one of aligned_phones and durations")
    return labels.split(), whole_numbers(frames)


def _from_textgrid(
    paths: list[Path], phones: list[str], total_frames: int, settings: AudioSettings, table: LabelTable
) -> tuple[list[str], list[int]]:
    """Labels and frames of an utterance.

    Raises:
        UserError: it has several TextGrids, or its only one does not fit.
    """
    if len(paths) > 1:
        raise UserError(f"has {len(paths)} TextGrids, {paths[0]} and {paths[1]}; keep the right one")
    intervals = read_textgrid(paths[0])
    check_end(intervals, total_frames, settings)
    return intervals_to_durations(align_intervals(intervals, phones, table), total_frames, settings)
