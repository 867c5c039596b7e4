"""Whether a data directory is sound, read line by line: ten million utterances take no more memory than ten.

:func:`ctap.kaldi.validate.validate` lists what is wrong with a directory that is not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ctap.files.names import name_fault
from ctap.files.tables import BOM
from ctap.kaldi.tables import COMPLETE_TABLES, table_names


class Sizes(NamedTuple):
    """What a sound directory holds."""

    utterances: int
    speakers: int


class _UnsoundError(Exception):
    """Something is wrong; :func:`ctap.kaldi.validate.validate` finds out what."""


def sizes_if_sound(path: Path, names: Collection[str], phones: Mapping[str, Collection[str]]) -> Sizes | None:
    """How much a data directory holds, or None if anything is wrong with it.

    Args:
        path: The directory.
        names: Its tables that count, utt2spk and spk2utt among them.
        phones: Table to the phones that it may hold.

    Raises:
        UserError: There is no such directory.
    """
    by_utterance, by_speaker = table_names(path)
    try:
        utterances = _one_by_one(_rows(path / "utt2spk", _starts_with_speaker), _members(path / "spk2utt"))
        for name in by_utterance:
            if name in names and name != "utt2spk":
                keys = _keys(_rows(path / name, _check_of(name, phones)))
                _compare(name, keys, _keys(_rows(path / "utt2spk")))
        speakers = sum(1 for _ in _rows(path / "spk2utt"))
        for name in by_speaker:
            if name in names and name != "spk2utt":
                keys = _keys(_rows(path / name, _check_of(name, phones)))
                _compare(name, keys, _keys(_rows(path / "spk2utt")))
    except (_UnsoundError, UnicodeDecodeError, OSError):
        return None
    return Sizes(utterances, speakers)


def _rows(
    path: Path, sound: Callable[[str, str], bool] = lambda key, value: True
) -> Iterator[tuple[str, str]]:
    """Keys and values of a table, whose lines must have the one form and rising keys."""
    before = ""
    with path.open("rb") as file:
        for raw in file:
            key, _, value = raw.decode("utf-8").removesuffix("\n").partition(" ")
            good = key > before and value and value[0] not in " \t" and value[-1] not in " \t"
            if not good or b"\r" in raw or name_fault(key) or not sound(key, value):
                raise _UnsoundError
            if not before and raw.startswith(BOM):
                raise _UnsoundError
            yield key, value
            before = key
    if not before:
        raise _UnsoundError


def _keys(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (key for key, _ in rows)


def _members(path: Path) -> Iterator[tuple[str, str]]:
    """Utterances of a spk2utt with their speakers, as utt2spk must have them line by line."""
    return ((utt, speaker) for speaker, utts in _rows(path) for utt in utts.split())


def _compare(name: str, keys: Iterator[str], expected: Iterator[str]) -> None:
    """Whether the table ``name`` has the ``expected`` keys, or some where that is enough; both rise."""
    if name in COMPLETE_TABLES:
        _one_by_one(keys, expected)
    elif not all(key in expected for key in keys):  # in: goes on from the key that was found last
        raise _UnsoundError


def _one_by_one(found: Iterable[object], expected: Iterable[object]) -> int:
    """How many there are of both."""
    count = 0
    for count, (one, other) in enumerate(itertools.zip_longest(found, expected), 1):  # noqa: B007
        if one != other:
            raise _UnsoundError
    return count


def _starts_with_speaker(utterance: str, speaker: str) -> bool:
    return utterance.startswith(speaker) and not name_fault(speaker)


def _check_of(name: str, phones: Mapping[str, Collection[str]]) -> Callable[[str, str], bool]:
    """What the values of a table must be."""
    if name in phones:
        known = frozenset(phones[name])
        return lambda key, value: known.issuperset(value.split())
    checks: dict[str, Callable[[str, str], bool]] = {
        "wav.scp": lambda key, value: "|" not in value,
        "utt2dur": lambda key, value: is_length(value),
        "spk2gender": lambda key, value: value in ("m", "f"),
    }
    return checks.get(name, lambda key, value: True)


def is_length(value: str) -> bool:
    """Whether ``value`` states a length in seconds: a finite number above 0."""
    try:
        return 0 < float(value) < math.inf
    except ValueError:
        return False
