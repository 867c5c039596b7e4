"""Reading and writing whole data directories during data preparation."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, atomic_write
from ctap.files.names import check_name
from ctap.files.tables import format_value, read_table, write_table
from ctap.kaldi.datadir import speakers_to_utterances
from ctap.kaldi.tables import TEXT_TABLES, read_whole_files, table_names

PRODUCTS = frozenset(("aligned_phones", "durations", "feats.scp", "utt2num_frames"))
"""Tables that later stages add to a data directory."""

Tables = dict[str, dict[str, Any]]
"""Table name (``wav.scp``) to its rows."""


def read_tables(path: str | os.PathLike[str]) -> Tables:
    """Read every table of a data directory, strictly (see :func:`ctap.files.tables.read_table`).

    Raises:
        UserError: no such directory, no ``wav.scp`` or ``utt2spk`` in it, a faulty table, or a speaker whose
            name can't be that of a directory.
    """
    path = Path(path)
    utterance, speaker = table_names(path)
    for name in ("wav.scp", "utt2spk"):
        if name not in utterance:
            raise UserError(f"{path}: holds no {name}; a data directory needs at least wav.scp and utt2spk")
    tables: Tables = {name: read_table(path / name) for name in (*utterance, *speaker)}
    for number, name in enumerate(tables["utt2spk"].values(), 1):  # a line each, none was left out
        check_name(name, f"{path / 'utt2spk'}:{number}")
    return tables


def select(tables: Tables, utterances: Collection[str], *, text: bool = True) -> Tables:
    """The rows of ``utterances`` and of their speakers, without the text tables if ``text`` is false.

    ``spk2utt`` is made anew. Tables that would be empty are left out.
    """
    keep = set(utterances)
    utt2spk = {utt: spk for utt, spk in tables["utt2spk"].items() if utt in keep}
    speakers = set(utt2spk.values())
    out: Tables = {}
    for name, rows in tables.items():
        if name in TEXT_TABLES and not text:
            continue
        keys = speakers if name.startswith("spk2") else keep
        out[name] = {key: value for key, value in rows.items() if key in keys}
    out["spk2utt"] = speakers_to_utterances(utt2spk)
    return {name: rows for name, rows in out.items() if rows}


def write_tables(
    path: str | os.PathLike[str], tables: Tables, whole: Mapping[str, str] | None = None
) -> bool:
    """Write a data directory, whole or not at all, in place of what is there.

    A directory that holds these very tables already is left alone, so what later stages put there (durations,
    features) stays valid; otherwise all of it goes.

    Args:
        path: the directory.
        tables: its tables.
        whole: name to content of the files of :data:`ctap.kaldi.tables.WHOLE_FILES`.

    Returns:
        Whether anything was written.

    Raises:
        UserError: the directory would hold no utterance, or a row can't be written.
    """
    if not tables.get("wav.scp"):
        raise UserError(f"{path}: would hold no utterance")
    whole = whole or {}
    if _holds(Path(path), tables):
        there = read_whole_files(Path(path))
        for name in there.keys() - whole.keys():
            (Path(path) / name).unlink()
        for name, content in whole.items():
            if there.get(name) != content:
                with atomic_write(Path(path) / name) as file:
                    file.write(content)
        return there != whole
    with atomic_dir(path) as directory:
        for name, rows in tables.items():
            write_table(directory / name, rows)
        for name, content in whole.items():
            (directory / name).write_text(content, encoding="utf-8")
    return True


def _holds(path: Path, tables: Tables) -> bool:
    try:
        utterance, speaker = table_names(path)
        there = {*utterance, *speaker} - PRODUCTS
        return there == tables.keys() and all(
            list(read_table(path / name).items()) == [(key, format_value(rows[key])) for key in sorted(rows)]
            for name, rows in tables.items()
        )
    except UserError:
        return False
