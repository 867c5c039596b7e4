"""Tables of millions of lines in memory: columns of numbers and names in place of an object a cell."""

from __future__ import annotations

import os
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from ctap.errors import UserError
from ctap.files.tables import parse_row

_BLOCK = 1 << 16


class Names(Sequence[str]):
    """Names, one after another in UTF-8: some 25 bytes each, where a str in a dict takes 160.

    Args:
        names: The names, in any order.
        where: What they are read from, for messages.

    Raises:
        UserError: One comes twice.
    """

    def __init__(self, names: Iterable[str], where: object) -> None:
        text, bounds = bytearray(), array("q", [0])
        self.in_order, before = True, ""
        for name in names:
            if name <= before:
                if name == before:
                    raise UserError(f"{where}: {name!r} occurs a second time")
                self.in_order = False
            text += name.encode()
            bounds.append(len(text))
            before = name
        self._text: bytearray | np.ndarray = text
        self._bounds = np.frombuffer(bounds, np.int64)
        self._places: dict[str, int] | None = None
        if not self.in_order:
            self._places = {name: place for place, name in enumerate(self)}
            if len(self._places) < len(self):
                raise UserError(f"{where}: a name occurs a second time")

    @classmethod
    def of(cls, text: np.ndarray, bounds: np.ndarray) -> Names:
        """Names that rise, or are not looked up, by their :attr:`text` and :attr:`bounds`."""
        names = cls((), "")
        names._text, names._bounds = text, bounds
        return names

    @property
    def text(self) -> np.ndarray:
        """All names, one after another: bytes in UTF-8."""
        return np.frombuffer(self._text, np.uint8)

    @property
    def bounds(self) -> np.ndarray:
        """Where each begins in :attr:`text`, and the end of the last ``[N + 1]``."""
        return self._bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return str(self._text[self._bounds[index] : self._bounds[index + 1]], "utf-8")

    def find(self, name: object) -> int:
        """The place of ``name``, or -1."""
        if not isinstance(name, str):
            return -1
        if self._places is not None:
            return self._places.get(name, -1)
        place = bisect_left(self, name)
        return place if place < len(self) and self[place] == name else -1

    def __contains__(self, name: object) -> bool:
        return self.find(name) >= 0


class Rows(Mapping[str, str]):
    """A table whose values stay in its file, each read when it is asked for: a row takes some 33 bytes.

    Args:
        path: the table.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`, of any of its lines.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        starts = array("q", [0])
        try:
            with Path(path).open("rb") as file:
                self._handle = os.dup(file.fileno())
                weakref.finalize(self, os.close, self._handle)
                self.names = Names(self._keys(file, path, starts), path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror}") from None
        self._path, self._starts = path, np.frombuffer(starts, np.int64)

    @staticmethod
    def _keys(lines: Iterable[bytes], path: str | os.PathLike[str], starts: array[int]) -> Iterator[str]:
        for number, raw in enumerate(lines, 1):
            starts.append(starts[-1] + len(raw))
            yield parse_row(raw, path, number)[0]

    def __getitem__(self, key: str) -> str:
        place = self.names.find(key)
        if place < 0:
            raise KeyError(key)
        start, end = self._starts[place : place + 2].tolist()
        return parse_row(os.pread(self._handle, end - start, start), self._path, place + 1)[1]

    def __contains__(self, key: object) -> bool:
        return key in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Ragged(Sequence[np.ndarray]):
    """Rows of whole numbers, of any length each, in one array.

    Attributes:
        values: All rows, one after another, as they are stored.
        bounds: Where each row begins in them, and the end of the last ``[N + 1]``.

    Args:
        meaning: The numbers that stored ones stand for; without, themselves.
    """

    def __init__(self, values: np.ndarray, bounds: np.ndarray, meaning: np.ndarray | None = None) -> None:
        self.values, self.bounds, self._meaning = values, bounds, meaning

    @property
    def sizes(self) -> np.ndarray:
        """Numbers in each row ``[N]``."""
        return np.diff(self.bounds)

    def sums(self) -> np.ndarray:
        """The sum of each row ``[N]``."""
        total = np.zeros(len(self), np.int64)
        for start in range(0, len(self), _BLOCK):  # reduceat makes eight bytes of each number
            bounds = self.bounds[start : start + _BLOCK + 1].astype(np.int64)
            there = np.flatnonzero(np.diff(bounds))
            if len(there):
                block = self.values[bounds[0] : bounds[-1]]
                total[start + there] = np.add.reduceat(block, bounds[there] - bounds[0], dtype=np.int64)
        return total

    def counts(self) -> np.ndarray:
        """How often each number from 0 to the largest is stored; none may be below 0."""
        size = int(self.values.max(initial=0)) + 1
        total = np.zeros(size, np.int64)
        for start in range(0, len(self.values), _BLOCK):  # bincount does so, too
            total += np.bincount(self.values[start : start + _BLOCK], minlength=size)
        return total

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Ragged:
        """Collect ``rows``; a number takes a byte while none is above 255, and two up to 65,535."""
        values, bounds, larger = array("B"), array("q", [0]), {"B": "H", "H": "q"}
        for row in rows:
            while True:
                try:
                    values.extend(row)
                    break
                except OverflowError:
                    if values.typecode not in larger:
                        raise
                    values = array(larger[values.typecode], values[: bounds[-1]])
            bounds.append(len(values))
        return cls(np.frombuffer(values, values.typecode), np.frombuffer(bounds, np.int64))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        row = self.values[self.bounds[index] : self.bounds[index + 1]].astype(np.int64)
        return row if self._meaning is None else self._meaning[row]


def in_order(names: Names, where: object) -> Names:
    """The same names, rising."""
    return names if names.in_order else Names(sorted(names), where)


def numbered(values: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """The different values, sorted, and which of them each is ``[N]``."""
    met: dict[str, int] = {}
    order = np.array(array("i", (met.setdefault(value, len(met)) for value in values)), np.int32)
    different = sorted(met)
    place = {value: i for i, value in enumerate(different)}
    return different, np.array([place[value] for value in met], np.int32)[order]


def places_of(numbers: np.ndarray) -> list[np.ndarray]:
    """Where each number from 0 to the largest stands in ``numbers``, rising."""
    order = np.argsort(numbers, kind="stable").astype(np.int32)
    return np.split(order, np.cumsum(np.bincount(numbers))[:-1])
