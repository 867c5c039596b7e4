"""Tables of millions of lines in memory: columns of numbers and names in place of an object a cell."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np

from ctap.errors import UserError
from ctap.files.tables import read_rows, read_table


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
    names = Names((key for key, _ in read_rows(path)), path)
    return names if names.in_order else Names(sorted(names), path)


def values_of(names: Iterable[str], path: str | os.PathLike[str]) -> Iterator[tuple[str, str | None]]:
    """Each of ``names``, which rise, with its value in the table ``path``; None where it has none.

    The table is read once, beside the names, line by line. One that is not sorted is read whole.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    rows = read_rows(path)
    key, value, whole = "", "", None
    for name in names:
        before = key
        while whole is None and key < name:
            key, value = next(rows, ("\U0010ffff", ""))
            if key <= before:
                whole = read_table(path)
            before = key
        if whole is None and key != name:
            whole = read_table(path)  # unless it stands out of order, further down, it is not there
        yield name, value if whole is None else whole.get(name)
