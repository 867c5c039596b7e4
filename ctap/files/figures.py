"""Numbers kept in an unnamed file until their median is computed: however many, they take no memory."""

from __future__ import annotations

import contextlib
import math
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal

import numpy as np

from ctap.errors import writing

_BLOCK = 1 << 20  # bytes
_DIGIT = 16  # bits of a number that are looked at in one reading


class Figures:
    """Numbers, written one after another to a file and read from it.

    Args:
        file: a binary file to write and read, empty.
        typecode: how precise: ``f``, four bytes each, or ``d``, eight.
    """

    def __init__(self, file: IO[bytes], typecode: Literal["f", "d"]) -> None:
        self._file, self._typecode, self._count = file, typecode, 0

    def add(self, values: Iterable[float]) -> None:
        """Write some more."""
        numbers = array(self._typecode, values)
        self._file.write(numbers)
        self._count += len(numbers)

    def median(self, around: float | None = None) -> float:
        """:func:`numpy.median` of the numbers, or of their distances from ``around``; none is NaN."""
        if not self._count:
            return math.nan
        places = sorted({(self._count - 1) // 2, self._count // 2})
        return float(np.mean(np.array([self._at(place, around) for place in places], self._typecode)))

    def _at(self, place: int, around: float | None) -> float:
        """The number at a place of them all in order: its bits, the highest first, by counting."""
        bits = 8 * array(self._typecode).itemsize
        unsigned = np.dtype(f"u{bits // 8}")
        sign, known = unsigned.type(1 << (bits - 1)), 0
        for shift in range(bits - _DIGIT, -1, -_DIGIT):
            counts = np.zeros(1 << _DIGIT, np.int64)
            for numbers in self._blocks(around):
                keys = numbers.view(unsigned)
                keys = np.where(keys & sign, ~keys, keys | sign)  # which rise with the numbers
                if shift + _DIGIT < bits:
                    keys = keys[keys >> unsigned.type(shift + _DIGIT) == known]
                digits = keys >> unsigned.type(shift) & unsigned.type((1 << _DIGIT) - 1)
                counts += np.bincount(digits.astype(np.int64), minlength=1 << _DIGIT)
            upto = np.cumsum(counts)
            digit = int(np.searchsorted(upto, place, "right"))
            place -= int(upto[digit] - counts[digit])
            known = known << _DIGIT | digit
        key = unsigned.type(known)
        return float((key ^ sign if key & sign else ~key).view(self._typecode))

    def _blocks(self, around: float | None) -> Iterator[np.ndarray]:
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            numbers = np.frombuffer(block, self._typecode)
            yield numbers if around is None else np.abs(numbers - around)


@contextlib.contextmanager
def figures(folder: Path | None, typecode: Literal["f", "d"]) -> Iterator[Figures]:
    """Numbers whose file is in ``folder``, or where the system has such files; it goes when the block ends.

    Raises:
        UserError: the file system refuses it.
    """
    with writing(folder or tempfile.gettempdir()), tempfile.TemporaryFile(dir=folder) as file:
        yield Figures(file, typecode)
