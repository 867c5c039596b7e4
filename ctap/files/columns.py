"""Tables of millions of lines in memory: columns of numbers and names in place of an object a cell."""

from __future__ import annotations

import heapq
import itertools
import operator
import os
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from ctap.errors import UserError
from ctap.files.tables import parse_row, read_rows, read_table


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
        self._text, self._bounds = text, np.frombuffer(bounds, np.int64)
        self._places: dict[str, int] | None = None
        if not self.in_order:
            self._places = {name: place for place, name in enumerate(self)}
            if len(self._places) < len(self):
                raise UserError(f"{where}: a name occurs a second time")

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
        return self._text[self._bounds[index] : self._bounds[index + 1]].decode()

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
        values: All rows, one after another.
    """

    def __init__(self, values: np.ndarray, bounds: np.ndarray) -> None:
        self.values, self._bounds = values, bounds

    @property
    def sizes(self) -> np.ndarray:
        """Numbers in each row ``[N]``."""
        return np.diff(self._bounds)

    def sums(self) -> np.ndarray:
        """The sum of each row ``[N]``."""
        total, there = np.zeros(len(self), np.int64), self.sizes > 0
        if there.any():
            total[there] = np.add.reduceat(self.values, self._bounds[:-1][there], dtype=np.int64)
        return total

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Ragged:
        """Collect ``rows``; a number takes two bytes while none is above 65,535."""
        values, bounds = array("H"), array("q", [0])
        for row in rows:
            try:
                values.extend(row)
            except OverflowError:
                values = array("q", values[: bounds[-1]])
                values.extend(row)
            bounds.append(len(values))
        return cls(np.frombuffer(values, values.typecode), np.frombuffer(bounds, np.int64))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.values[self._bounds[index] : self._bounds[index + 1]].astype(np.int64)


def sorted_names(path: str | os.PathLike[str]) -> Names:
    """The keys of a table in their order, whatever that of its lines.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    return in_order(Names((key for key, _ in read_rows(path)), path), path)


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


def numbered_values(
    names: Iterable[str], path: str | os.PathLike[str]
) -> tuple[list[str], np.ndarray, list[str]]:
    """:func:`numbered` values of ``names``, which rise, in the table ``path``; and the names that it lacks.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    lacking: list[str] = []

    def values() -> Iterator[str]:
        for name, value in values_of(names, path):
            if value is None:
                lacking.append(name)
            yield value or ""

    return *numbered(values()), lacking


def places_of(numbers: np.ndarray) -> list[np.ndarray]:
    """Where each number from 0 to the largest stands in ``numbers``, rising."""
    order = np.argsort(numbers, kind="stable").astype(np.int32)
    return np.split(order, np.cumsum(np.bincount(numbers))[:-1])


def merged(*columns: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The names of columns that rise, in order, each with the number of its column."""
    return heapq.merge(*(zip(column, itertools.repeat(number)) for number, column in enumerate(columns)))


def side_by_side(*columns: Iterable[str]) -> Iterator[tuple[str, list[bool]]]:
    """Each name of columns that rise, once, in order, and in which of them it stands."""
    for name, met in itertools.groupby(merged(*columns), key=lambda pair: pair[0]):
        among = {number for _, number in met}
        yield name, [number in among for number in range(len(columns))]


def values_of(names: Iterable[str], path: str | os.PathLike[str]) -> Iterator[tuple[str, str | None]]:
    """Each of ``names``, which rise, with its value in the table ``path``; None where it has none.

    The table is read beside the names, line by line. One that is not sorted is read whole.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    rows = read_rows(path)
    key, value, whole, known = "", "", None, False
    for name in names:
        before = key
        while whole is None and key < name:
            key, value = next(rows, ("\U0010ffff", ""))
            if key <= before:
                whole = read_table(path)
            before = key
        if whole is None and key != name and not known:
            known = rises(path)  # if not, it may stand out of order, further down
            whole = None if known else read_table(path)
        if whole is None:
            yield name, value if key == name else None
        else:
            yield name, whole.get(name)


def rises(path: str | os.PathLike[str]) -> bool:
    """Whether each key of a table comes after the one in the line before, so that none comes twice.

    Raises:
        UserError: as :func:`ctap.files.tables.read_rows`.
    """
    before = ""
    for key, _ in read_rows(path):
        if key <= before:
            return False
        before = key
    return True


def rising_rows(path: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """The rows of a table in the order of their keys; line by line, unless the lines have another order.

    All of the table is looked at before the first row is given.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    return read_rows(path) if rises(path) else iter(sorted(read_table(path).items()))


def joined(*paths: str | os.PathLike[str]) -> Iterator[tuple[str, list[str | None]]]:
    """Each key of tables, once, in order, with its value in each of them; None where it has none.

    Raises:
        UserError: as :func:`rising_rows`.
    """
    columns = (_numbered_rows(path, number) for number, path in enumerate(paths))
    for key, rows in itertools.groupby(heapq.merge(*columns), key=operator.itemgetter(0)):
        values: list[str | None] = [None] * len(paths)
        for _, number, value in rows:
            values[number] = value
        yield key, values


def _numbered_rows(path: str | os.PathLike[str], number: int) -> Iterator[tuple[str, int, str]]:
    return ((key, number, value) for key, value in rising_rows(path))
