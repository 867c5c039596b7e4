"""Files and directories that appear whole or not at all."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import re
import shutil
import socket
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from ctap.errors import UserError, explain, writing


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that takes its name when the block ends without an exception.

    A reader sees the old content or the new, never a part. A link is followed. What killed processes of this
    machine left behind in the same directory is removed.

    Args:
        path: the target; its directory is made if need be.
        mode: ``"w"`` (UTF-8, LF) or ``"wb"``; what was written can be read, too.

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
            with temporary.open(f"x+{mode[1:]}", **text) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_directory(target.parent)


def write_json(path: str | os.PathLike[str], value: Any, *, indent: int | None = 2, **how: Any) -> None:
    """Write ``value`` as JSON, whole or not at all; ``how`` goes to :func:`json.dumps`.

    Raises:
        UserError: as :func:`atomic_write` does.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, **how)
    with atomic_write(path) as file:
        file.write(text + "\n")


def json_number(value: float) -> float | None:
    """``value``, or ``None`` where it is not finite: JSON has no NaN."""
    return value if math.isfinite(value) else None


def keep_apart(out: Path, *read: Path) -> None:
    """Refuse to write where something is read.

    Raises:
        UserError: ``out`` is one of ``read``.
    """
    for path in read:
        if out.resolve() == path.resolve():
            raise UserError(f"{out}: is read, and would be overwritten: name another place to write to")


@contextlib.contextmanager
def atomic_dir(path: str | os.PathLike[str], own: Collection[str] | None = None) -> Iterator[Path]:
    """Give a temporary directory beside ``path`` that replaces it when the block ends without an exception.

    What was at ``path`` before is removed then, and stays untouched if the block fails. A directory that has
    no name in common with the new one is something else, and is not replaced; where ``own`` is given, nor is
    one that holds anything else.

    Args:
        path: the directory.
        own: patterns of all names that are ever written there.

    Raises:
        UserError: the file system refuses it (full, read-only, no permission), or something else is there;
            the message names ``path``.
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
            _put(temporary, target, own)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_directory(target.parent)


def _put(new: Path, target: Path, own: Collection[str] | None) -> None:
    """Rename ``new`` to ``target``, in place of what is there."""
    if not target.exists():
        new.rename(target)
        return
    _require_alike(new, target, own)
    old = target.with_name(_temporary(target).name.replace(".tmp-", ".old-"))
    target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _require_alike(new: Path, target: Path, own: Collection[str] | None) -> None:
    """Refuse to remove, say, a directory of experiments because a name was typed too short."""
    made, there = ({item.name for item in folder.iterdir()} for folder in (new, target))
    other = there if there and not there & made else set()
    if own is not None:
        other = {name for name in there if not any(fnmatchcase(name, pattern) for pattern in own)}
    if other:
        shown = ", ".join(sorted(other)[:4]) + (", ..." if len(other) > 4 else "")
        raise UserError(
            f"{target}: holds something else ({shown}), which would be removed: name another directory"
        )


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
    host = re.escape(socket.gethostname())
    pattern = re.compile(rf"\.(.+)\.(tmp|old)-{host}-(\d+)-[0-9a-f]{{8}}")
    for left in sorted(
        directory.iterdir()
    ):  # what was there before ("old") comes before what was to be there
        match = pattern.fullmatch(left.name)
        if match and not _alive(int(match[3])):
            if match[2] == "old" and not left.with_name(match[1]).exists():
                with contextlib.suppress(OSError):  # another job has put it, or its successor, there by now
                    left.rename(left.with_name(match[1]))  # killed between two renames
            elif left.is_dir():
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
