"""How the jobs of a stage share its work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ctap.errors import UserError
from ctap.files.tables import count_lines, read_table

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """One job's share of the work. All shares together are the work, each piece once.

    Args:
        job: This job's number, from 1.
        num_jobs: Jobs that share the work.
    """

    job: int = 1
    num_jobs: int = 1

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UserError: there is no such job.
        """
        if not 1 <= self.job <= self.num_jobs:
            raise UserError(f"--job {self.job}: expected 1 to {self.num_jobs} (--num_jobs)")

    @property
    def ending(self) -> str:
        """What this job's files end in: ``.JOB``, and nothing where there is one job alone."""
        return "" if self.num_jobs == 1 else f".{self.job}"

    def of(self, items: Iterable[T]) -> list[T]:
        """This job's items: neighbours, so that the utterances of a speaker stay together.

        Sizes of shares differ by one at most.
        """
        listed = list(items)
        mine = self.places(len(listed))
        return listed[mine.start : mine.stop]

    def places(self, count: int) -> range:
        """Which of ``count`` items are this job's."""
        return range(count * (self.job - 1) // self.num_jobs, count * self.job // self.num_jobs)

    def of_lines(self, path: str | os.PathLike[str]) -> dict[str, str]:
        """This job's rows of a table, in the order of its lines; no others are taken into memory.

        Raises:
            UserError: as :func:`ctap.files.tables.read_table`, of these lines.
        """
        return read_table(path, lines=self.places(count_lines(path)))

    def of_table(self, rows: Mapping[str, T]) -> dict[str, T]:
        """The same of a table's rows, in the order of their keys."""
        return dict(self.of(sorted(rows.items(), key=lambda row: row[0])))


ALONE = Share()
