"""Tables of a Kaldi data directory, and files and directories that appear whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from ctap.errors import UserError, explain, writing
from ctap.files.names import check_name, name_fault

BOM = b"\xef\xbb\xbf"


def read_table(path: str | os.PathLike[str], *, values: bool = True) -> dict[str, str]:
    """Read ``key value...`` lines strictly, in the order of the file.

    The key ends at the first space or tab; the rest, without surrounding blanks, is the value. Lines end at
    LF only, so exotic Unicode separators inside a text stay what they are. Keys are utterances or speakers:
    names that a file can have (:func:`ctap.files.names.name_fault`).

    Args:
        path: the table, UTF-8 without byte-order mark, LF line ends.
        values: every key must have a value; if false, a bare key reads as ``""``.

    Raises:
        UserError: the file can't be read, or a line is not as described; the message holds ``file:line``.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    mend = f"mend it with `utils/fix_data_dir {path.parent}`"
    if data.startswith(BOM):
        raise UserError(f"{path}:1: starts with a byte-order mark (BOM), expected plain UTF-8; {mend}")
    table: dict[str, str] = {}
    lines = data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    for number, raw in enumerate(lines, 1):
        where = f"{path}:{number}"
        if b"\r" in raw:
            raise UserError(f"{where}: holds a carriage return (CR), expected LF line ends; {mend}")
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{where}: is not UTF-8 (byte {raw[error.start]:#04x} at column {error.start + 1}); "
                "convert the file, e.g. with `iconv -f gb18030 -t utf-8`"
            ) from None
        key, value = split_line(line)
        if not key:
            raise UserError(f"{where}: empty line or blank before the key, expected `key value`; {mend}")
        check_name(key, where)
        if values and not value:
            raise UserError(f"{where}: {key!r} has no value; {mend}")
        if key in table:
            raise UserError(f"{where}: {key!r} occurs a second time; {mend}")
        table[key] = value
    return table


def split_line(line: str) -> tuple[str, str]:
    """Split a table's line into key and value; the key is empty if the line is, or starts with a blank."""
    end = min((i for i in (line.find(" "), line.find("\t")) if i >= 0), default=len(line))
    return line[:end], line[end:].strip(" \t")


def format_value(value: Any) -> str:
    """Write a table's value: a string as it is, a sequence with single spaces between its items."""
    if isinstance(value, str):
        return value.strip(" \t")
    if isinstance(value, Iterable):
        return " ".join(str(item) for item in value)
    return str(value)


def write_table(path: str | os.PathLike[str], rows: Mapping[str, Any], *, values: bool = True) -> None:
    """Write ``key value`` lines, sorted as ``LC_ALL=C sort`` does, whole or not at all.

    Args:
        path: the table to write; its directory is made if need be.
        rows: key to string, number, or sequence (joined with spaces).
        values: refuse empty values.

    Raises:
        UserError: a key is no name for a file, a value is empty or holds a line end.
    """
    lines = []
    for key in sorted(rows):
        value = format_value(rows[key])
        if fault := name_fault(key):
            raise UserError(f"{path}: {key[:80]!r} can't be a key: {fault}")
        if values and not value:
            raise UserError(f"{path}: {key!r} would have no value")
        if "\n" in value or "\r" in value:
            raise UserError(f"{path}: the value of {key!r} holds a line end: {value!r}")
        lines.append(f"{key} {value}\n" if value else f"{key}\n")
    with atomic_write(path) as file:
        file.writelines(lines)


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that takes its name when the block ends without an exception.

    A reader sees the old content or the new, never a part. A link is followed. What killed processes of this
    machine left behind in the same directory is removed.

    Args:
        path: the target; its directory is made if need be.
        mode: ``"w"`` (UTF-8, LF) or ``"wb"``.

    Raises:
        UserError: the file system refuses it (full, read-only, no permission); the message names ``path``.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"mode {mode!r}: expected 'w' or 'wb'")
    target = _real(path)
    temporary = _temporary(target)
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with writing(target, temporary):
            with temporary.open(mode.replace("w", "x"), **text) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


@contextlib.contextmanager
def atomic_dir(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary directory beside ``path`` that replaces it when the block ends without an exception.

    What was at ``path`` before is removed then, and stays untouched if the block fails.

    Raises:
        UserError: the file system refuses it (full, read-only, no permission); the message names ``path``.
    """
    target = _real(path)
    if target.exists() and not target.is_dir():
        raise UserError(f"{target}: is a file, expected a directory or nothing there")
    temporary = _temporary(target)
    try:
        with writing(target, temporary):
            temporary.mkdir()
            yield temporary
            for folder, _, names in os.walk(temporary):
                for name in names:
                    _sync_file(Path(folder, name))
                _sync_directory(Path(folder))
            _put(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_directory(target.parent)


def _put(new: Path, target: Path) -> None:
    """Rename ``new`` to ``target``, in place of what is there."""
    if not target.exists():
        new.rename(target)
        return
    old = _temporary(target)
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _real(path: str | os.PathLike[str]) -> Path:
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(explain(error, target.parent)) from None
    return target


def _temporary(target: Path) -> Path:
    """A fresh hidden name beside ``target``: ``.NAME.tmp-HOST-PID-RANDOM``."""
    _remove_left_behind(target.parent)
    return target.parent / f".{target.name}.tmp-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


@functools.cache  # once per process and directory: listing a large directory for each file would be quadratic
def _remove_left_behind(directory: Path) -> None:
    pattern = re.compile(rf"\..+\.tmp-{re.escape(socket.gethostname())}-(\d+)-[0-9a-f]{{8}}")
    for left in directory.iterdir():
        match = pattern.fullmatch(left.name)
        if match and not _alive(int(match[1])):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    left.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _sync_file(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    # Some file systems (network, FUSE) refuse to sync a directory: the rename itself has still happened.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
