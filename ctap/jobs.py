"""How the jobs of a stage share its work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from ctap.errors import UserError

T = TypeVar("T")


def share(items: Iterable[T], job: int, num_jobs: int) -> list[T]:
    """The part of job ``job`` (from 1) of ``num_jobs``.

    All parts together are the items, each once. A part is a run of neighbours, so that the utterances of a
    speaker stay together; sizes differ by one at most.

    Raises:
        UserError: there is no such job.
    """
    if not 1 <= job <= num_jobs:
        raise UserError(f"--job {job}: expected 1 to {num_jobs} (--num_jobs)")
    listed = list(items)
    return listed[len(listed) * (job - 1) // num_jobs : len(listed) * job // num_jobs]


def share_table(rows: Mapping[str, T], job: int, num_jobs: int) -> dict[str, T]:
    """The same of a table's rows, in the order of their keys."""
    return dict(share(sorted(rows.items(), key=lambda row: row[0]), job, num_jobs))
