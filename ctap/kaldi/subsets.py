"""Sets of the utterances of a data directory, all written while its tables are read once, line by line."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ctap.errors import UserError
from ctap.files.columns import Names, places_of
from ctap.files.joins import numbered_values, values_of
from ctap.files.tables import table_writer
from ctap.kaldi.tables import TEXT_TABLES, UTTERANCE_TABLES, read_whole_files, table_names

_AT_ONCE = 200  # files that are written at a time; processes may have 1,024 open


@dataclass(frozen=True)
class Subset:
    """Some of the utterances of a data directory.

    Attributes:
        folder: where their tables go; it is there.
        places: which of the utterances they are, rising ``[n]``.
        text: whether the tables of text, and what is said of the directory as a whole, go along.
    """

    folder: Path
    places: np.ndarray
    text: bool = True


def write_subsets(
    source: Path, names: Names, subsets: Sequence[Subset], *, leave: Collection[str] = ()
) -> None:
    """Write the tables of each subset: the rows of its utterances and of their speakers.

    ``spk2utt`` is made again. Tables that would be empty are left out, except wav.scp and utt2spk.

    Args:
        source: the data directory.
        names: the utterances that are meant by :attr:`Subset.places`, rising.
        subsets: any number of them; they may overlap.
        leave: tables that are not written.

    Raises:
        UserError: one of ``names`` has no speaker, or a table is malformed.
    """
    speakers, numbers, unknown = numbered_values(names, source / "utt2spk")
    if unknown:
        raise UserError(f"{source}: has no utterance {unknown[0]!r} ({len(unknown)} such in all)")
    by_utterance, by_speaker = table_names(source)
    for name in by_utterance:
        if name not in leave:
            some = [own for own in subsets if own.text or name not in TEXT_TABLES]
            wanted = [(own.folder / name, own.places) for own in some]
            _copy(source / name, names, wanted, empty=name in UTTERANCE_TABLES[:2])
    theirs = [np.unique(numbers[own.places]) for own in subsets]
    for name in by_speaker:
        if name not in (*leave, "spk2utt"):
            _copy(
                source / name,
                speakers,
                [(own.folder / name, s) for own, s in zip(subsets, theirs, strict=True)],
            )
    whole = read_whole_files(source)
    for own in subsets:
        _write_speakers(own, names, speakers, numbers)
        for name, content in whole.items() if own.text else ():
            (own.folder / name).write_text(content, encoding="utf-8")


def _copy(
    table: Path, keys: Iterable[str], wanted: Sequence[tuple[Path, np.ndarray]], *, empty: bool = False
) -> None:
    """Write rows of a table to others: to which, and which of the ``keys`` (they rise), is ``wanted``.

    Those without rows are not made unless they may be ``empty``.
    """
    for first in range(0, len(wanted), _AT_ONCE):
        _copy_some(table, keys, wanted[first : first + _AT_ONCE], empty)


def _copy_some(
    table: Path, keys: Iterable[str], wanted: Sequence[tuple[Path, np.ndarray]], empty: bool
) -> None:
    with contextlib.ExitStack() as stack:
        opened = functools.cache(lambda number: stack.enter_context(table_writer(wanted[number][0])))
        for number in range(len(wanted)) if empty else ():
            opened(number)
        _deal(values_of(keys, table), [places for _, places in wanted], opened)


def _deal(
    rows: Iterable[tuple[str, str | None]],
    wanted: Sequence[np.ndarray],
    writer: Callable[[int], Callable[[str, Any], None]],
) -> None:
    """Write each row to all that want it; ``wanted`` are the places of rows, rising."""
    places = np.concatenate(wanted).astype(np.int32)
    order = np.argsort(places, kind="stable")
    whose = np.repeat(np.arange(len(wanted), dtype=np.int32), [len(own) for own in wanted])[order]
    # memoryviews give numbers one by one; lists of them would take 40 bytes each
    pairs = zip(memoryview(places[order]), memoryview(whose), strict=True)
    del places, order
    place, number = next(pairs, (-1, 0))
    for row, (key, value) in enumerate(rows):
        while place == row:
            if value is not None:
                writer(number)(key, value)
            place, number = next(pairs, (-1, 0))


def _write_speakers(own: Subset, names: Names, speakers: Sequence[str], numbers: np.ndarray) -> None:
    """Write ``spk2utt``; ``numbers`` are those of the names' speakers ``[N]``."""
    theirs, whose = np.unique(numbers[own.places], return_inverse=True)
    with table_writer(own.folder / "spk2utt") as write:
        for number, at in zip(theirs, places_of(whose), strict=False):
            write(speakers[number], [names[place] for place in own.places[at]])
