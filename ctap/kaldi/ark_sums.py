"""Checksums of the matrices of an ark, beside it: Kaldi's format has none and reads a flipped bit as good.

``feats.ark.crc32`` has a record for each matrix, in the order of the ark: its offset (uint64) and the CRC-32
of its bytes (uint32), little-endian. The last record has the length of the ark and the CRC-32 of the records
before it. An ark without such a file, as other tools write them, is read without.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ctap.errors import UserError
from ctap.files.atomic import atomic_write

RECORD = np.dtype([("offset", "<u8"), ("crc", "<u4")])


def sums_path(ark: str | Path) -> Path:
    """Where the checksums of ``ark`` lie."""
    return Path(f"{ark}.crc32")


def write_sums(ark: str | Path, offsets: Sequence[int], sums: Sequence[int], size: int) -> None:
    """Write the checksums of an ark of ``size`` bytes."""
    records = np.zeros(len(offsets), RECORD)
    records["offset"], records["crc"] = offsets, sums
    content = records.tobytes()
    with atomic_write(sums_path(ark), "wb") as file:
        file.write(content + np.array([(size, zlib.crc32(content))], RECORD).tobytes())


class ArkSums:
    """The checksums of one ark.

    Args:
        ark: Path of the ark.
        size: Its length in bytes.

    Raises:
        UserError: The checksums are damaged, or of an ark of another length.
    """

    def __init__(self, ark: Path, size: int) -> None:
        self.path = sums_path(ark)
        content = self.path.read_bytes()
        records = np.frombuffer(content[: len(content) // RECORD.itemsize * RECORD.itemsize], RECORD)
        body = content[: -RECORD.itemsize]
        if len(content) % RECORD.itemsize or not len(records) or int(records["crc"][-1]) != zlib.crc32(body):
            raise UserError(f"{self.path}: is damaged; make {ark} again")
        if size < int(records["offset"][-1]):  # a growing ark may have more than was listed
            lost = int(records["offset"][-1]) - size
            raise UserError(f"{ark}: the ark is cut short, {lost} bytes are missing; make it again")
        self.records = records[:-1]

    def check(self, offset: int, content: memoryview | bytes, where: str) -> None:
        """Refuse a matrix whose bytes are not those that were written.

        Raises:
            UserError: They are not, or no matrix was written there.
        """
        at = int(np.searchsorted(self.records["offset"], offset))
        if at == len(self.records) or int(self.records["offset"][at]) != offset:
            raise UserError(f"{where}: no matrix begins here; is the scp older than its ark?")
        if int(self.records["crc"][at]) != zlib.crc32(content):
            raise UserError(
                f"{where}: is damaged, its checksum is not that in {self.path}; make it again, or remove "
                "that file if the ark was changed on purpose"
            )
