"""Reading and writing whole data directories during data preparation."""

from __future__ import annotations

import contextlib
import filecmp
import itertools
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, atomic_write
from ctap.files.columns import Names
from ctap.files.joins import rises
from ctap.files.names import check_name
from ctap.files.tables import read_rows, read_table, write_table
from ctap.kaldi.subsets import Subset, write_subsets
from ctap.kaldi.tables import read_whole_files, table_names

PRODUCTS = frozenset(("aligned_phones", "durations", "feats.scp", "utt2num_frames"))
"""Tables that later stages add to a data directory."""

Tables = dict[str, dict[str, Any]]
"""Table name (``wav.scp``) to its rows."""


def check_tables(path: str | os.PathLike[str]) -> list[str]:
    """The names of a data directory's tables, each of which is read strictly once.

    Raises:
        UserError: no such directory, no ``wav.scp`` or ``utt2spk`` in it, a faulty table (see
            :func:`ctap.files.tables.read_table`), a speaker whose name can't be that of a directory, or
            Kaldi's ``segments``: whole recordings would be taken for their parts.
    """
    path = Path(path)
    utterance, speaker = table_names(path)
    if (path / "segments").exists():
        raise UserError(
            f"{path / 'segments'}: parts of recordings are not read; write each utterance to a file "
            "of its own, name that in wav.scp, and leave segments out"
        )
    for name in ("wav.scp", "utt2spk"):
        if name not in utterance:
            raise UserError(f"{path}: holds no {name}; a data directory needs at least wav.scp and utt2spk")
    for name in (*utterance, *speaker):
        if not rises(path / name):
            read_table(path / name)  # which refuses a key that comes twice
    for number, (_, name) in enumerate(read_rows(path / "utt2spk"), 1):
        check_name(name, f"{path / 'utt2spk'}:{number}")
    return [*utterance, *speaker]


def read_tables(path: str | os.PathLike[str]) -> Tables:
    """Every table of a data directory in memory.

    Raises:
        UserError: as :func:`check_tables`.
    """
    return {name: read_table(Path(path) / name) for name in check_tables(path)}


def write_tables(path: str | os.PathLike[str], tables: Tables) -> None:
    """Write a data directory from memory, see :func:`tables_dir`.

    Raises:
        UserError: the directory would hold no utterance, or a row can't be written.
    """
    with tables_dir(path) as folder:
        for name, rows in tables.items():
            write_table(folder / name, rows)


def take_over(source: Path, folder: Path, names: Names, *, leave: Collection[str]) -> int:
    """Write those tables of a data directory that nothing is made of, for some of its utterances.

    Args:
        source: the data directory.
        folder: takes the tables, spk2utt and spk2gender (``m``, ``f``) too.
        names: the utterances, rising.
        leave: tables that are not taken.

    Returns:
        How many speakers there are.

    Raises:
        UserError: an utterance has no speaker, a table is malformed, or spk2gender says something else.
    """
    whole = Subset(folder, np.arange(len(names)))
    write_subsets(source, names, [whole], leave={*leave, "spk2gender"})
    speakers = {speaker for speaker, _ in read_rows(folder / "spk2utt")}
    if (source / "spk2gender").is_file():
        _write_genders(source / "spk2gender", speakers, folder / "spk2gender")
    return len(speakers)


def _write_genders(given: Path, speakers: Collection[str], path: Path) -> None:
    """Write ``m`` or ``f`` of those of the ``speakers`` of whom it is ``given``.

    Raises:
        UserError: Something else is said of one of them.
    """
    letters = {}
    for speaker, word in read_table(given).items():
        if speaker in speakers:
            letters[speaker] = word[:1].lower()
            if letters[speaker] not in ("m", "f"):
                raise UserError(f"{given}: {speaker!r} has {word!r}, expected m or f")
    if letters:
        write_table(path, letters)


class _UnchangedError(Exception):
    """The directory has these very tables already."""


@contextlib.contextmanager
def tables_dir(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a directory to write tables to, which takes the place of ``path`` when the block ends.

    A directory that holds these very tables already is left alone, so what later stages put there (durations,
    features) stays valid; only the files about the whole directory (:data:`ctap.kaldi.tables.WHOLE_FILES`)
    are brought up to date. Otherwise everything in it is replaced. If the block fails, nothing changes.

    Raises:
        UserError: the directory would hold no utterance, or can't be written.
    """
    path = Path(path)
    with contextlib.suppress(_UnchangedError), atomic_dir(path) as folder:
        yield folder
        waves = folder / "wav.scp"
        if not waves.exists() or not waves.stat().st_size:
            raise UserError(f"{path}: would hold no utterance")
        if _holds(path, folder):
            _take_whole_files(path, folder)
            raise _UnchangedError


def _holds(path: Path, new: Path) -> bool:
    """Whether ``path`` has the tables of ``new`` and no others, but for those of later stages."""
    try:
        there, wanted = ({*itertools.chain(*table_names(folder))} for folder in (path, new))
        return there - PRODUCTS == wanted and all(_same(path / name, new / name) for name in wanted)
    except UserError:
        return False


def _same(one: Path, other: Path) -> bool:
    """Whether two tables have the same rows in the same order."""
    if filecmp.cmp(one, other, shallow=False):
        return True
    return all(a == b for a, b in itertools.zip_longest(read_rows(one), read_rows(other)))


def _take_whole_files(path: Path, new: Path) -> None:
    there, wanted = read_whole_files(path), read_whole_files(new)
    for name in there.keys() - wanted.keys():
        (path / name).unlink()
    for name, content in wanted.items():
        if there.get(name) != content:
            with atomic_write(path / name) as file:
                file.write(content)
