"""Which files of a data directory are keyed by what, and a reader that goes on after a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ctap.errors import UserError
from ctap.files.tables import BOM, split_line

#: Files keyed by utterance. Others named ``utt2*`` count as such too.
UTTERANCE_TABLES = (
    "wav.scp",
    "utt2spk",
    "text",
    "pinyin",
    "phones",
    "word_phones",
    "prosody",
    "utt2dur",
    "utt2audio",
    "aligned_phones",
    "durations",
    "feats.scp",
    "utt2num_frames",
)
#: Files keyed by speaker. Others named ``spk2*`` count as such too.
SPEAKER_TABLES = ("spk2utt", "spk2gender")
#: Every utterance (speaker) has a row in these. Others, such as ``spk2gender``, may lack rows.
COMPLETE_TABLES = frozenset((*UTTERANCE_TABLES, "spk2utt")) - {"prosody"}
#: Files about a directory as a whole, kept as they are in whatever is made of it: how its texts are read.
WHOLE_FILES = ("text.json",)
#: Absent from sets that hold speech only, and so are :data:`WHOLE_FILES`.
TEXT_TABLES = ("text", "pinyin", "phones", "word_phones", "prosody", "aligned_phones", "durations")


@dataclass(frozen=True)
class Row:
    """One usable line of a table."""

    number: int
    key: str
    value: str


@dataclass(frozen=True)
class Fault:
    """One fault found while reading a table; ``dropped`` is the line's text if nothing of it can be kept."""

    number: int
    kind: str
    message: str
    key: str = ""
    dropped: str | None = None


def table_names(path: Path) -> tuple[list[str], list[str]]:
    """The utterance tables and the speaker tables that exist in ``path``, known ones first.

    Raises:
        UserError: ``path`` is not a directory.
    """
    if not path.is_dir():
        raise UserError(f"{path}: no such directory, expected a data directory with wav.scp and utt2spk")
    files = {p.name for p in path.iterdir() if p.is_file() and not p.name.startswith(".")}
    utterance = [name for name in UTTERANCE_TABLES if name in files]
    utterance += sorted(n for n in files if n.startswith("utt2") and n not in utterance)
    speaker = [name for name in SPEAKER_TABLES if name in files]
    speaker += sorted(n for n in files if n.startswith("spk2") and n not in speaker)
    return utterance, speaker


def speakers_to_utterances(utt2spk: Mapping[str, str]) -> dict[str, list[str]]:
    """Invert ``utt2spk``; speakers and their utterances are sorted."""
    result: dict[str, list[str]] = {}
    for utterance in sorted(utt2spk):
        result.setdefault(utt2spk[utterance], []).append(utterance)
    return dict(sorted(result.items()))


def read_whole_files(path: Path) -> dict[str, str]:
    """The contents of those of :data:`WHOLE_FILES` that are in ``path``."""
    return {
        name: (path / name).read_text(encoding="utf-8") for name in WHOLE_FILES if (path / name).is_file()
    }


def scan(path: Path) -> tuple[list[Row], list[Fault]]:
    """Read every line that can be read, in order, with what is wrong with the file's form.

    BOM, CR and stray blanks are faults, but the line is corrected and kept; lines that are empty, not UTF-8,
    without a value, or whose key came before are faults and left out.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    rows: list[Row] = []
    faults: list[Fault] = []
    if data.startswith(BOM):
        faults.append(Fault(1, "BOM", "starts with a byte-order mark"))
        data = data[len(BOM) :]
    seen: dict[str, int] = {}
    if b"\n" not in data and data.count(b"\r") > 1:
        faults.append(Fault(1, "CR", "ends lines with carriage returns alone"))
        data = data.replace(b"\r", b"\n")
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, raw in enumerate(lines, 1):
        if b"\r" in raw:
            faults.append(Fault(number, "CR", "holds a carriage return"))
            raw = raw.rstrip(b"\r").replace(b"\r", b" ")
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            text = raw.decode("utf-8", errors="backslashreplace")
            byte = f"byte {raw[error.start]:#04x} at column {error.start + 1}"
            faults.append(Fault(number, "bad UTF-8", f"is not UTF-8 ({byte})", dropped=text))
            continue
        key, value = split_line(line.strip(" \t"))
        if not key:
            faults.append(Fault(number, "empty line", "is empty", dropped=line))
        elif key in seen:
            message = f"{key!r} came before, in line {seen[key]}"
            faults.append(Fault(number, "duplicate", message, key, dropped=line))
        elif not value:
            seen[key] = number
            faults.append(Fault(number, "empty value", f"{key!r} has no value", key, dropped=line))
        else:
            seen[key] = number
            rows.append(Row(number, key, value))
            if line != f"{key} {value}":
                faults.append(Fault(number, "blanks", "expected one space between key and value", key))
    return rows, faults
