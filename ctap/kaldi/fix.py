"""Correct a data directory: form, order, duplicates, and utterances missing from files that need them."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.names import name_fault
from ctap.files.tables import write_table
from ctap.kaldi.tables import COMPLETE_TABLES, Row, scan, speakers_to_utterances, table_names
from ctap.kaldi.validate import check_audio, seconds, unknown

BACKUP = ".backup"
NO_UTTERANCE, NO_SPEAKER = "no such utterance", "speaker without utterances"


@dataclass(frozen=True)
class Removed:
    """One removed line: where it was, why it was removed, and what it said."""

    file: str
    line: int
    reason: str
    content: str


@dataclass
class Report:
    """What :func:`fix` did.

    Attributes:
        path: the directory.
        mended: reason to number of lines that were kept but changed (BOM, CR, blanks, order).
        dropped: reason to number of utterances removed, each counted once, for the first reason found. Lines
            that went without their utterance (duplicates, empty lines) have reasons ending in ``(line)``.
        removed: every removed line.
        utterances: how many are left.
        speakers: how many are left.
        backup: where the original files are, if anything has changed.
    """

    path: Path
    mended: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    removed: list[Removed] = field(default_factory=list)
    utterances: int = 0
    speakers: int = 0
    backup: Path | None = None

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.utterances} utterances of {self.speakers} speakers are left"]
        lines += [f"  fixed    {number:6d}  {reason}" for reason, number in sorted(self.mended.items())]
        lines += [f"  removed  {number:6d}  {reason}" for reason, number in sorted(self.dropped.items())]
        if not self.mended and not self.dropped:
            lines.append("  nothing to fix")
        elif self.removed and self.backup is not None:
            lines.append(f"  removed lines: {self.backup / 'removed.tsv'}")
        return "\n".join(lines)


def fix(
    path: str | os.PathLike[str],
    *,
    phones: Mapping[str, Collection[str]] | None = None,
    audio: bool = False,
) -> Report:
    """Correct the data directory ``path`` in place.

    Lines are brought into form (no BOM, LF, one space), sorted, duplicates removed (the first is kept), lines
    that can't be used removed, and then every utterance that is not in all tables of
    :data:`ctap.kaldi.tables.COMPLETE_TABLES`; from other tables only rows are removed. ``spk2utt`` is made
    again from ``utt2spk``. The original files go to ``.backup/``, removed lines to ``.backup/removed.tsv``; a
    second time to ``.backup.2/``, and so on.

    Args:
        path: the directory; it needs ``wav.scp`` and ``utt2spk`` (or ``spk2utt``).
        phones: table (``phones``, ``aligned_phones``) to the phones that it may hold; without, any.
        audio: open the audio files too, and remove utterances whose file is missing, empty or unreadable.

    Raises:
        UserError: a needed table is missing, or nothing would be left; then no file is touched.
    """
    path = Path(path)
    by_utterance, by_speaker = table_names(path)
    report = Report(path)
    lost: dict[str, str] = {}
    tables = {name: _read(path / name, report, lost) for name in by_utterance + by_speaker}
    if "utt2spk" not in tables and "spk2utt" in tables:
        tables["utt2spk"] = _turn_round(tables["spk2utt"])
        by_utterance.append("utt2spk")
        report.mended["utt2spk made from spk2utt"] += 1
    for name in ("wav.scp", "utt2spk"):
        if name not in tables:
            raise UserError(f"{path / name}: missing, and it can't be made from the other tables")
    reasons = _bad_utterances(tables, by_utterance, lost, phones or {}, audio)
    report.dropped.update(reasons.values())
    keep = tables["utt2spk"].keys() - reasons.keys()
    if not keep:
        most = ", ".join(f"{number} {reason}" for reason, number in report.dropped.most_common(3))
        raise UserError(f"{path}: no utterance would be left ({most}); nothing was changed")
    speakers = {tables["utt2spk"][utterance].value for utterance in keep}
    new: dict[str, dict[str, str]] = {}
    for name in (*by_utterance, *by_speaker):
        if name == "spk2utt":
            continue
        wanted, unknown_key = (keep, NO_UTTERANCE) if name in by_utterance else (speakers, NO_SPEAKER)
        new[name] = {key: row.value for key, row in tables[name].items() if key in wanted}
        for key, row in tables[name].items():
            if key not in wanted:
                reason = reasons.get(key, unknown_key)
                report.removed.append(Removed(name, row.number, reason, f"{key} {row.value}"))
                if reason == unknown_key:
                    report.dropped[f"{reason} in {name} (line)"] += 1
    listed = speakers_to_utterances(new["utt2spk"])
    new["spk2utt"] = {speaker: " ".join(utterances) for speaker, utterances in listed.items()}
    report.utterances, report.speakers = len(keep), len(speakers)
    _write(path, new, report)
    return report


def _read(path: Path, report: Report, lost: dict[str, str]) -> dict[str, Row]:
    rows, faults = scan(path)
    table = {row.key: row for row in rows}
    for fault in faults:
        reason = f"{fault.kind} in {path.name}"
        if fault.dropped is None:
            report.mended[reason] += 1
            continue
        report.removed.append(Removed(path.name, fault.number, reason, fault.dropped))
        key = fault.key or fault.dropped.split(maxsplit=1)[0] if fault.dropped.strip() else ""
        if key and key not in table and path.name in COMPLETE_TABLES - {"spk2utt"}:
            lost.setdefault(key, reason)
        else:
            report.dropped[f"{reason} (line)"] += 1
    if list(table) != sorted(table):
        report.mended[f"order of {path.name}"] += 1
    return table


def _turn_round(spk2utt: dict[str, Row]) -> dict[str, Row]:
    return {
        utterance: Row(row.number, utterance, row.key)
        for row in spk2utt.values()
        for utterance in row.value.split()
    }


def _bad_utterances(
    tables: dict[str, dict[str, Row]],
    by_utterance: list[str],
    lost: dict[str, str],
    phones: Mapping[str, Collection[str]],
    audio: bool,
) -> dict[str, str]:
    """Every utterance that has to go, with its first reason; ``lost`` holds those whose line was unusable."""
    reasons = dict(lost)
    for key, row in tables["utt2spk"].items():
        if row.value.split() != [row.value]:
            reasons.setdefault(key, "utt2spk names no single speaker")
        elif name_fault(row.value):
            reasons.setdefault(key, "speaker can't name a file")
        elif not key.startswith(row.value):
            reasons.setdefault(key, "utterance does not start with its speaker")
    complete = [name for name in by_utterance if name in COMPLETE_TABLES]
    everything = set().union(*(tables[name].keys() for name in complete))
    for key in everything:
        if name_fault(key):
            reasons.setdefault(key, "utterance can't name a file")
    for key, row in tables["wav.scp"].items():
        if "|" in row.value:
            reasons.setdefault(key, "wav.scp holds a command ('|')")
        elif audio and key not in reasons and check_audio(row.value)[0]:
            reasons[key] = "audio missing, empty or unreadable"
    for key, row in tables.get("utt2dur", {}).items():
        if seconds(row.value) is None:
            reasons.setdefault(key, "utt2dur is not above 0")
    for name, known in phones.items():
        for key, row in tables.get(name, {}).items():
            if unknown(row.value, known):
                reasons.setdefault(key, f"unknown phone in {name}")
    for name in complete:
        for key in everything - tables[name].keys():
            reasons.setdefault(key, f"not in {name}")
    return reasons


def _write(path: Path, new: dict[str, dict[str, str]], report: Report) -> None:
    changed = []
    for name, rows in new.items():
        text = "".join(f"{key} {rows[key]}\n" for key in sorted(rows))
        if not (path / name).is_file() or (path / name).read_bytes() != text.encode():
            changed.append(name)
            if name == "spk2utt" and not report.dropped and not report.mended:
                report.mended["spk2utt made again"] += 1
    if not changed:
        return
    names = itertools.chain([BACKUP], (f"{BACKUP}.{number}" for number in itertools.count(2)))
    report.backup = backup = next(path / name for name in names if not (path / name).exists())
    backup.mkdir()
    if report.removed:
        with atomic_write(backup / "removed.tsv") as file:
            file.write("file\tline\treason\tcontent\n")
            for item in report.removed:
                content = item.content.replace("\t", " ")
                file.write(f"{item.file}\t{item.line}\t{item.reason}\t{content}\n")
    for name in changed:
        if (path / name).is_file():
            shutil.copy2(path / name, backup / name)
        if new[name]:
            write_table(path / name, new[name])
        else:
            (path / name).unlink()
