"""Durations of a data directory: ``aligned_phones`` and ``durations``, read, written and checked.

``aligned_phones`` holds ``utt sil n i3 sp h ao3 sil``: the phones with the pauses that are heard.
``durations`` holds ``utt 12 8 9 ...``: one whole number of frames per aligned phone, each at least 1, that
sum to the utterance's frame count (:func:`ctap.audio.frames.num_frames`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ctap.errors import UserError
from ctap.files.tables import read_table, table_writer
from ctap.kaldi.durations import misfit, whole_numbers
from ctap.text.languages import language_in
from ctap.text.pauses import PAUSES

Durations = dict[str, tuple[list[str], list[int]]]


def strip_pauses(phones: Sequence[str]) -> list[str]:
    """``phones`` without ``sil`` and ``sp``."""
    return [phone for phone in phones if phone not in PAUSES]


def read_durations(data_dir: str | Path) -> Durations:
    """Read ``aligned_phones`` and ``durations`` of a data directory.

    Returns:
        Utterance to its aligned phones and their frames.

    Raises:
        UserError: a file is missing or malformed, the two differ in utterances or in the number of phones, or
            a duration is not a whole number of at least 1.
    """
    data_dir = Path(data_dir)
    phones_file, frames_file = data_dir / "aligned_phones", data_dir / "durations"
    phones, frames = read_table(phones_file), read_table(frames_file)
    if phones.keys() != frames.keys():
        lone = sorted(phones.keys() ^ frames.keys())
        raise UserError(
            f"{data_dir}: {len(lone)} utterances are in only one of aligned_phones and durations, "
            f"such as {lone[0]!r}; both files come from one alignment, make them again"
        )
    known = language_in(data_dir).phone_tables["aligned_phones"]
    result = {}
    for utterance, text in phones.items():
        try:
            labels, counts = text.split(), whole_numbers(frames[utterance])
            if problem := check(labels, counts, known=known):
                raise UserError(problem)
        except UserError as error:
            raise UserError(f"{frames_file}: {utterance}: {error}") from None
        result[utterance] = (labels, counts)
    return result


def write_durations(
    data_dir: str | Path, alignments: Mapping[str, tuple[Sequence[str], Sequence[int]]]
) -> None:
    """Write ``aligned_phones`` and ``durations``, each whole or not at all.

    Raises:
        UserError: an alignment is not sound, see :func:`check`.
    """
    with durations_writer(data_dir) as write:
        for utterance in sorted(alignments):
            write(utterance, *alignments[utterance])


@contextlib.contextmanager
def durations_writer(data_dir: str | Path) -> Iterator[Callable[[str, Sequence[str], Sequence[int]], None]]:
    """The same, one by one: give a function that writes an alignment, to be called with rising utterances."""
    data_dir = Path(data_dir)
    known = language_in(data_dir).phone_tables["aligned_phones"]
    with (
        table_writer(data_dir / "aligned_phones") as write_phones,
        table_writer(data_dir / "durations") as write_frames,
    ):

        def write(utterance: str, labels: Sequence[str], counts: Sequence[int]) -> None:
            if problem := check(labels, counts, known=known):
                raise UserError(f"{data_dir}: alignment of {utterance}: {problem}")
            write_phones(utterance, labels)
            write_frames(utterance, counts)

        yield write


def check(
    labels: Sequence[str],
    counts: Sequence[int],
    *,
    known: Collection[str],
    phones: Sequence[str] | None = None,
    total_frames: int | None = None,
) -> str | None:
    """Say what is wrong with one alignment, or ``None``.

    Args:
        labels: aligned phones, pauses included.
        counts: frames of each.
        known: every phone, pauses included.
        phones: the utterance's phones without pauses; the labels must hold exactly these.
        total_frames: what the frames must sum to.
    """
    if not labels:
        return "no phones"
    unknown = [label for label in labels if label not in known]
    if unknown:
        return f"unknown phone {unknown[0]!r}"
    if phones is not None and strip_pauses(labels) != list(phones):
        return _first_difference(strip_pauses(labels), phones)
    return misfit(labels, counts, total_frames)


def _first_difference(found: Sequence[str], expected: Sequence[str]) -> str:
    for i, (a, b) in enumerate(zip(found, expected, strict=False)):
        if a != b:
            return f"phone {i + 1} (pauses left out) is {a!r}, but {b!r} in phones"
    return f"{len(found)} phones without pauses, but {len(expected)} in phones"
