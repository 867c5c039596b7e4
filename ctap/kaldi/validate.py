"""Check a data directory for what Kaldi's own checks find, and for what this toolkit needs besides."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ctap.audio.wave import AudioError, check_wave
from ctap.files.names import name_fault
from ctap.kaldi.sound import Sizes, is_length, sizes_if_sound
from ctap.kaldi.tables import COMPLETE_TABLES, TEXT_TABLES, Row, scan, table_names

REQUIRED = ("wav.scp", "utt2spk", "spk2utt")
#: Seconds by which utt2dur may differ from the audio: rounding to centiseconds.
DURATION_TOLERANCE = 0.011


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a data directory.

    Attributes:
        file: the table's path.
        kind: what sort of problem (``"order"``, ``"duplicate"``, ...), the same words for all of a sort.
        message: what is wrong, in full.
        line: 1-based line number, if it lies in a line.
        key: utterance or speaker, if it lies with one.
    """

    file: Path
    kind: str
    message: str
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{place}: {self.kind}: {self.message}"


def validate(
    path: str | os.PathLike[str],
    *,
    phones: Mapping[str, Collection[str]] | None = None,
    text: bool = True,
    audio: bool = False,
) -> list[Problem]:
    """List the problems of the data directory ``path``; an empty list means it is sound.

    Args:
        path: the directory.
        phones: table (``phones``, ``aligned_phones``) to the phones that it may hold; without, any.
        text: ``text`` must be there; if false, tables of text and phones are not looked at.
        audio: open every audio file of ``wav.scp`` and see that none of it is missing.

    Raises:
        UserError: ``path`` is not a directory.
    """
    path = Path(path)
    if not audio and sizes(path, phones=phones, text=text):
        return []
    return list_problems(path, phones=phones, text=text, audio=audio)


def sizes(
    path: Path, *, phones: Mapping[str, Collection[str]] | None = None, text: bool = True
) -> Sizes | None:
    """How much the directory ``path`` holds if it is sound, else None; arguments as of :func:`validate`."""
    by_utterance, by_speaker = table_names(path)
    names = [name for name in by_utterance + by_speaker if text or name not in TEXT_TABLES]
    if not {*REQUIRED, *(("text",) if text else ())} <= set(names):
        return None
    return sizes_if_sound(path, names, phones or {})


def list_problems(
    path: Path, *, phones: Mapping[str, Collection[str]] | None, text: bool, audio: bool
) -> list[Problem]:
    """:func:`validate` for a directory that need not be sound: all tables are held in memory."""
    by_utterance, by_speaker = table_names(path)
    problems: list[Problem] = []
    for name in (*REQUIRED, "text") if text else REQUIRED:
        if name not in by_utterance + by_speaker:
            problems.append(Problem(path / name, "missing file", "expected this table"))
    tables: dict[str, list[Row]] = {}
    for name in by_utterance + by_speaker:
        if text or name not in TEXT_TABLES:
            tables[name], found = _form(path / name)
            problems += found
    for check in (_utterance_sets, _speakers, _durations):
        problems += check(path, tables)
    problems += _phones(path, tables, phones or {})
    problems += _wav_scp(path, tables)
    if audio:
        problems += _audio(path, tables)
    return problems


def _form(path: Path) -> tuple[list[Row], list[Problem]]:
    rows, faults = scan(path)
    problems = [Problem(path, fault.kind, fault.message, fault.number, fault.key) for fault in faults]
    if not rows:
        problems.append(Problem(path, "empty file", "has no usable line"))
    for before, row in itertools.pairwise(rows):
        if row.key < before.key:
            message = f"{row.key!r} comes after {before.key!r}, expected the order of `LC_ALL=C sort`"
            problems.append(Problem(path, "order", message, row.number, row.key))
            break
    problems += [
        Problem(path, "bad key", f"{row.key!r} {fault}", row.number, row.key)
        for row in rows
        if (fault := name_fault(row.key))
    ]
    return rows, problems


def _utterance_sets(path: Path, tables: dict[str, list[Row]]) -> Iterator[Problem]:
    if "utt2spk" not in tables:
        return
    expected = {row.key for row in tables["utt2spk"]}
    for name in tables:
        if name in ("utt2spk",) or name.startswith("spk2"):
            continue
        yield from _difference(path / name, tables[name], expected, "")


def _difference(file: Path, table: list[Row], expected: set[str], what: str) -> Iterator[Problem]:
    """Keys of utt2spk that a table lacks and may not, and those that it has besides.

    ``what`` is "speaker " or nothing.
    """
    rows = {row.key: row for row in table}
    for key in sorted(expected - rows.keys()) if file.name in COMPLETE_TABLES else ():
        yield Problem(file, "set difference", f"{what}{key!r} of utt2spk is missing", key=key)
    for key in sorted(rows.keys() - expected):
        yield Problem(file, "set difference", f"{what}{key!r} is not in utt2spk", rows[key].number, key)


def _speakers(path: Path, tables: dict[str, list[Row]]) -> Iterator[Problem]:
    rows = tables.get("utt2spk", [])
    file = path / "utt2spk"
    speaker_of = {row.key: row.value for row in rows}
    for row in rows:
        if row.value.split() != [row.value]:
            message = f"{row.key!r} has {row.value!r}, expected one speaker"
            yield Problem(file, "bad speaker", message, row.number, row.key)
        elif fault := name_fault(row.value):
            message = f"{row.key!r} has the speaker {row.value!r}, which {fault}"
            yield Problem(file, "bad speaker", message, row.number, row.key)
        elif not row.key.startswith(row.value):
            message = f"{row.key!r} does not start with its speaker {row.value!r}"
            yield Problem(file, "speaker prefix", message, row.number, row.key)
    ordered = sorted(rows, key=lambda row: row.key)
    for before, row in itertools.pairwise(ordered):
        if row.value < before.value:
            message = (
                f"sorted by utterance, speaker {row.value!r} comes after {before.value!r}: pad speaker names "
                "to one length"
            )
            yield Problem(file, "speaker order", message, row.number, row.key)
            break
    if "spk2utt" in tables and "utt2spk" in tables:
        yield from _spk2utt(path / "spk2utt", tables["spk2utt"], speaker_of)
    speakers = set(speaker_of.values())
    for name in tables:
        if name.startswith("spk2") and name != "spk2utt" and speakers:
            yield from _difference(path / name, tables[name], speakers, "speaker ")
    for row in tables.get("spk2gender", []):
        if row.value not in ("m", "f"):
            message = f"{row.key!r} has {row.value!r}, expected m or f"
            yield Problem(path / "spk2gender", "bad gender", message, row.number, row.key)


def _spk2utt(file: Path, rows: list[Row], speaker_of: dict[str, str]) -> Iterator[Problem]:
    listed: dict[str, str] = {}
    for row in rows:
        utterances = row.value.split()
        if utterances != sorted(utterances):
            yield Problem(file, "order", f"the utterances of {row.key!r} are not sorted", row.number, row.key)
        for utterance in utterances:
            kind = "spk2utt and utt2spk"
            if utterance in listed:
                message = f"{utterance!r} is listed twice"
            elif utterance not in speaker_of:
                message = f"{utterance!r} is not in utt2spk"
            elif speaker_of[utterance] != row.key:
                message = f"{utterance!r} is listed for {row.key!r}, utt2spk says {speaker_of[utterance]!r}"
            else:
                listed[utterance] = row.key
                continue
            listed[utterance] = row.key
            yield Problem(file, kind, message, row.number, utterance)
    for utterance in sorted(speaker_of.keys() - listed.keys()):
        yield Problem(file, "spk2utt and utt2spk", f"{utterance!r} of utt2spk is missing", key=utterance)


def _durations(path: Path, tables: dict[str, list[Row]]) -> Iterator[Problem]:
    for row in tables.get("utt2dur", []):
        if seconds(row.value) is None:
            message = f"{row.key!r} has {row.value!r}, expected seconds above 0"
            yield Problem(path / "utt2dur", "bad duration", message, row.number, row.key)


def seconds(value: str) -> float | None:
    """The length that ``value`` states, or None if it is no positive finite number."""
    return float(value) if is_length(value) else None


def _phones(
    path: Path, tables: dict[str, list[Row]], phones: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    for name, known in phones.items():
        for row in tables.get(name, []):
            for phone in unknown(row.value, known):
                message = f"{row.key!r} has {phone!r}, not a phone of the language (text.json)"
                if name == "phones" and phone in phones.get("aligned_phones", ()):
                    message = f"{row.key!r} has the pause {phone!r}; pauses belong in aligned_phones"
                yield Problem(path / name, "unknown phone", message, row.number, row.key)


def unknown(value: str, known: Collection[str]) -> list[str]:
    """The items of ``value`` that are not in ``known``, sorted."""
    return sorted(set(value.split()).difference(known))


def _wav_scp(path: Path, tables: dict[str, list[Row]]) -> Iterator[Problem]:
    for row in tables.get("wav.scp", []):
        if "|" in row.value:
            message = f"{row.key!r} has {row.value!r}: '|' would run a command, expected a plain file name"
            yield Problem(path / "wav.scp", "command", message, row.number, row.key)


def _audio(path: Path, tables: dict[str, list[Row]]) -> Iterator[Problem]:
    stated = {row.key: seconds(row.value) for row in tables.get("utt2dur", [])}
    for row in tables.get("wav.scp", []):
        if "|" in row.value:
            continue
        fault, length = check_audio(row.value)
        told = stated.get(row.key)
        if fault:
            yield Problem(path / "wav.scp", "audio", f"{row.key!r}: {fault}", row.number, row.key)
        elif told is not None and abs(told - length) > DURATION_TOLERANCE:
            message = f"{row.key!r} has {told} s, its audio {length:.3f} s"
            yield Problem(path / "utt2dur", "bad duration", message, key=row.key)


def check_audio(file: str) -> tuple[str, float]:
    """What is wrong with an audio file (``""`` if nothing), and its length in seconds."""
    try:
        return "", check_wave(file).seconds
    except AudioError as error:
        return str(error), 0.0
