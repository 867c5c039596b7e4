"""Digests of a directory's files in a file beside them, so that damage is noticed."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ctap.errors import UserError

SUMS = "SHA256SUMS"
"""As sha256sum writes them: ``sha256sum -c SHA256SUMS`` compares, too."""

_BLOCK = 1 << 20


def write_sums(folder: Path) -> None:
    """Write :data:`SUMS` of all other files in ``folder`` itself."""
    rows = [f"{digest_of(path)}  {path.name}\n" for path in sorted(folder.iterdir()) if path.is_file()]
    (folder / SUMS).write_text(_head(len(rows)) + "".join(rows), encoding="utf-8")


def check_sums(folder: Path) -> None:
    """Refuse files that differ from what :data:`SUMS` says, where there is such a file; others may be added.

    Raises:
        UserError: A file has changed or is missing, or the sums are damaged.
    """
    path = folder / SUMS
    if not path.exists():
        return
    content = path.read_bytes().decode("utf-8", "replace")
    rows = re.findall(r"^([0-9a-f]{64})  ([^/\0\n]+)\n", content, re.MULTILINE)
    if content != _head(len(rows)) + "".join(f"{digest}  {name}\n" for digest, name in rows):
        raise UserError(f"{path}: is damaged; make {folder} again")
    for digest, name in rows:
        file = folder / name
        if not file.is_file() or digest_of(file) != digest:
            raise UserError(
                f"{file}: is damaged or missing, its digest is not that in {path}; make {folder} again, or "
                f"remove {SUMS} if it was changed on purpose"
            )


def _head(count: int) -> str:
    return f"# {count} files\n"  # or a list cut at the end of a line would look whole


def digest_of(path: str | Path, kind: str = "sha256") -> str:
    """SHA-256 of a file, or its digest of another kind, in hexadecimal."""
    total = hashlib.new(kind)
    with Path(path).open("rb", buffering=0) as file:
        for block in blocks(file):
            total.update(block)
    return total.hexdigest()


def blocks(file: IO[bytes], size: int = sys.maxsize) -> Iterator[bytes]:
    """What follows in a file, up to ``size`` bytes of it, in blocks: no file is too large for the memory."""
    while size > 0 and (block := file.read(min(_BLOCK, size))):
        yield block
        size -= len(block)
