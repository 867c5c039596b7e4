"""How the jobs of a stage share its work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TypeVar

from ctap.errors import UserError
from ctap.files.tables import count_lines, read_table

T = TypeVar("T")


def share(items: Iterable[T], job: int, num_jobs: int) -> list[T]:
    """The part of job ``job`` (from 1) of ``num_jobs``.

    All parts together are the items, each once. A part is a run of neighbours, so that the utterances of a
    speaker stay together; sizes differ by one at most.

    Raises:
        UserError: there is no such job.
    """
    listed = list(items)
    return [listed[place] for place in places(len(listed), job, num_jobs)]


def places(count: int, job: int, num_jobs: int) -> range:
    """Which of ``count`` items are those of :func:`share`."""
    if not 1 <= job <= num_jobs:
        raise UserError(f"--job {job}: expected 1 to {num_jobs} (--num_jobs)")
    return range(count * (job - 1) // num_jobs, count * job // num_jobs)


def share_lines(path: str | os.PathLike[str], job: int, num_jobs: int) -> dict[str, str]:
    """:func:`share` of a table's rows, of which no others are taken into memory.

    Raises:
        UserError: as :func:`ctap.files.tables.read_table`, of these lines.
    """
    return read_table(path, lines=places(count_lines(path), job, num_jobs))


def share_table(rows: Mapping[str, T], job: int, num_jobs: int) -> dict[str, T]:
    """The same of a table's rows, in the order of their keys."""
    return dict(share(sorted(rows.items(), key=lambda row: row[0]), job, num_jobs))
