"""A digest in the comment of a zip file.

Torch writes its files as zip, and does not look at zip's own checksums when it reads them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO

from ctap.errors import UserError
from ctap.files.sums import blocks

_PREFIX = b"sha256:"
_COMMENT = len(_PREFIX) + 64
_END = b"PK\5\6"  # of the record that ends a zip, 22 bytes and a comment
_END_SIZE = 22


def seal(file: IO[bytes]) -> None:
    """Put a digest of a zip that was written into ``file`` (open for reading as well) into its comment."""
    file.flush()
    digest = _digest(file, file.seek(0, os.SEEK_END))
    file.seek(-2, os.SEEK_END)  # the length of the comment
    file.write(_COMMENT.to_bytes(2, "little") + _PREFIX + digest.encode())


def check_seal(path: Path) -> None:
    """Refuse a sealed zip that is not as it was written. One that was never sealed passes.

    Raises:
        UserError: It is cut short or changed.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if _ends_as_zip(file, size, b""):
            return
        whole = size - _COMMENT
        file.seek(max(0, whole))
        comment = file.read()
        if not _ends_as_zip(file, whole, comment) or comment != _PREFIX + _digest(file, whole).encode():
            raise UserError(f"{path}: is damaged, it is not what was written")


def _ends_as_zip(file: IO[bytes], size: int, comment: bytes) -> bool:
    file.seek(max(0, size - _END_SIZE))
    end = file.read(_END_SIZE)
    return len(end) == _END_SIZE and end[:4] == _END and end[20:] == len(comment).to_bytes(2, "little")


def _digest(file: IO[bytes], size: int) -> str:
    """Of the first ``size`` bytes, the last two (the length of the comment) taken as 0."""
    total = hashlib.sha256()
    file.seek(0)
    for block in blocks(file, size - 2):
        total.update(block)
    total.update(b"\0\0")
    return total.hexdigest()
