"""Sorted tables and columns of names walked side by side, line by line."""

from __future__ import annotations

import heapq
import itertools
import operator
import os
from collections.abc import Iterable, Iterator

import numpy as np

from ctap.files.columns import Names, in_order, numbered
from ctap.files.tables import read_rows, read_table


def merged(*columns: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The names of columns that rise, in order, each with the number of its column."""
    return heapq.merge(*(zip(column, itertools.repeat(number)) for number, column in enumerate(columns)))


def side_by_side(*columns: Iterable[str]) -> Iterator[tuple[str, list[bool]]]:
    """Each name of columns that rise, once, in order, and in which of them it stands."""
    for name, met in itertools.groupby(merged(*columns), key=lambda pair: pair[0]):
        among = {number for _, number in met}
        yield name, [number in among for number in range(len(columns))]


def sorted_names(path: str | os.PathLike[str]) -> Names:
    """The keys of a table in their order, whatever that of its lines.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    return in_order(Names((key for key, _ in read_rows(path)), path), path)


def rising_names(path: str | os.PathLike[str]) -> Iterator[str]:
    """The same, line by line, unless the lines have another order.

    All of the table is looked at before the first name is given.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`.
    """
    return (key for key, _ in read_rows(path)) if rises(path) else iter(sorted_names(path))


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
