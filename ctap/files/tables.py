"""Tables as Kaldi writes them: ``key value...``, a line each, sorted by key."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.names import check_name, name_fault

BOM = b"\xef\xbb\xbf"


def read_table(
    path: str | os.PathLike[str], *, values: bool = True, lines: range | None = None
) -> dict[str, str]:
    """Read ``key value...`` lines strictly, in the order of the file.

    The key ends at the first space or tab; the rest, without surrounding blanks, is the value. Lines end at
    LF only, so exotic Unicode separators inside a text stay what they are. Keys are utterances or speakers:
    names that a file can have (:func:`ctap.files.names.name_fault`).

    Args:
        path: the table, UTF-8 without byte-order mark, LF line ends.
        values: every key must have a value; if false, a bare key reads as ``""``.
        lines: read these alone, counted from 0.

    Raises:
        UserError: the file can't be read, or a line is not as described; the message holds ``file:line``.
    """
    table: dict[str, str] = {}
    first = lines.start if lines else 0
    for key, value in read_rows(path, values=values, lines=lines):
        if key in table:
            raise UserError(f"{path}:{first + len(table) + 1}: {key!r} occurs a second time; {_mend(path)}")
        table[key] = value
    return table


def read_rows(
    path: str | os.PathLike[str], *, values: bool = True, lines: range | None = None
) -> Iterator[tuple[str, str]]:
    """The lines of :func:`read_table` one by one, without a look at whether a key comes twice."""
    first, stop = (lines.start, lines.stop) if lines is not None else (0, None)
    try:
        with Path(path).open("rb") as file:
            for number, raw in enumerate(itertools.islice(file, first, stop), first + 1):
                yield parse_row(raw, path, number, values=values)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def count_lines(path: str | os.PathLike[str]) -> int:
    """Lines of a file, the last of which may lack its end."""
    count, end = 0, b"\n"
    try:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                count, end = count + block.count(b"\n"), block[-1:]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return count + (end != b"\n")


def parse_row(
    raw: bytes, path: str | os.PathLike[str], number: int, *, values: bool = True
) -> tuple[str, str]:
    """Key and value of line ``number`` of a table, as :func:`read_table` reads it.

    Raises:
        UserError: as :func:`read_table`.
    """
    fault = ""
    if number == 1 and raw.startswith(BOM):
        fault = f"starts with a byte-order mark (BOM), expected plain UTF-8; {_mend(path)}"
    elif b"\r" in raw:
        fault = f"holds a carriage return (CR), expected LF line ends; {_mend(path)}"
    else:
        try:
            key, value = split_line(raw.decode("utf-8").removesuffix("\n"))
        except UnicodeDecodeError as error:
            fault = (
                f"is not UTF-8 (byte {raw[error.start]:#04x} at column {error.start + 1}); "
                "convert the file, e.g. with `iconv -f gb18030 -t utf-8`"
            )
        else:
            if not key:
                fault = f"empty line or blank before the key, expected `key value`; {_mend(path)}"
            elif name_fault(key):
                check_name(key, f"{path}:{number}")
            elif values and not value:
                fault = f"{key!r} has no value; {_mend(path)}"
            else:
                return key, value
    raise UserError(f"{path}:{number}: {fault}")


def _mend(path: str | os.PathLike[str]) -> str:
    """What to do about it: there is a command for what lies in a data directory."""
    folder = Path(path).parent
    is_data = (folder / "utt2spk").exists() or (folder / "wav.scp").exists()
    return f"correct it with `ctap data fix {folder}`" if is_data else "correct the file"


def split_line(line: str) -> tuple[str, str]:
    """Split a table's line into key and value; the key is empty if the line is, or starts with a blank."""
    if "\t" not in line:  # as in almost all tables
        key, _, value = line.partition(" ")
        return key, value.strip(" ")
    end = min((i for i in (line.find(" "), line.find("\t")) if i >= 0), default=len(line))
    return line[:end], line[end:].strip(" \t")


def format_value(value: Any) -> str:
    """Write a table's value: a string as it is, a sequence with single spaces between its items."""
    if isinstance(value, str):
        return value.strip(" \t")
    if isinstance(value, Iterable):
        return " ".join(str(item) for item in value)
    return str(value)


def write_table(path: str | os.PathLike[str], rows: Mapping[str, Any]) -> None:
    """Write ``key value`` lines, sorted as ``LC_ALL=C sort`` does, whole or not at all.

    Args:
        path: the table to write; its directory is made if need be.
        rows: key to string, number, or sequence (joined with spaces).

    Raises:
        UserError: a key can't name a file, a value is empty or holds a line end.
    """
    with table_writer(path) as write:
        for key in sorted(rows):
            write(key, rows[key])


@contextlib.contextmanager
def table_writer(path: str | os.PathLike[str]) -> Iterator[Callable[[str, Any], None]]:
    """The same, row by row: give a function that writes one, to be called with keys that rise."""
    with atomic_write(path) as file:
        before = ""

        def write(key: str, row: Any) -> None:
            nonlocal before
            value = format_value(row)
            if fault := name_fault(key):
                raise UserError(f"{path}: {key[:80]!r} can't be a key: {fault}")
            if not value:
                raise UserError(f"{path}: {key!r} would have no value")
            if "\n" in value or "\r" in value:
                raise UserError(f"{path}: the value of {key!r} holds a line end: {value!r}")
            if key <= before:
                raise ValueError(f"{path}: {key!r} is written after {before!r}, expected keys that rise")
            before = key
            file.write(f"{key} {value}\n")

        yield write
