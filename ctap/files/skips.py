"""What data preparation leaves out, or takes with a remark: named one by one, and counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ctap.errors import UserError
from ctap.files.atomic import atomic_write

HEADER = ("utt", "reason", "detail")
EXAMPLES = 3
"""Names on each line of a report."""


class SkipList:
    """Entries (utterance, reason, detail), written as a tab-separated table with a header line.

    A reason is one of few fixed phrases, so that it can be counted; what differs stands in the detail.

    Args:
        paths: tables whose entries are taken over, see :meth:`extend`.
    """

    def __init__(self, *paths: str | os.PathLike[str]) -> None:
        self.entries: list[tuple[str, str, str]] = []
        for path in paths:
            self.extend(path)

    def add(self, utt: str, reason: str, detail: object = "") -> None:
        """Note ``utt`` (or a speaker or file, where no utterance is to be named)."""
        self.entries.append((_field(utt), _field(reason), _field(str(detail))))

    @property
    def utterances(self) -> set[str]:
        """All names noted."""
        return {utt for utt, _, _ in self.entries}

    def counts(self) -> dict[str, int]:
        """Number of entries for each reason, most frequent first."""
        return dict(
            sorted(
                Counter(reason for _, reason, _ in set(self.entries)).items(), key=lambda kv: (-kv[1], kv[0])
            )
        )

    def extend(self, path: str | os.PathLike[str]) -> None:
        """Take over the entries of the table at ``path``; nothing if there is none.

        Raises:
            UserError: it is not such a table.
        """
        path = Path(path)
        if not path.exists():
            return
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: can't be read: {error}") from None
        if tuple(lines[0].split("\t")) != HEADER:
            raise UserError(f"{path}:1: expected the header {' '.join(HEADER)} with tabs, found {lines[0]!r}")
        for number, line in enumerate(lines[1:], 2):
            fields = line.split("\t")
            if line and len(fields) != len(HEADER):
                raise UserError(f"{path}:{number}: expected {len(HEADER)} fields, found {len(fields)}")
            if line:
                self.entries.append((fields[0], fields[1], fields[2]))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the table, sorted, whole or not at all."""
        with atomic_write(path) as file:
            file.writelines("\t".join(row) + "\n" for row in (HEADER, *sorted(set(self.entries))))

    def report(self, what: str, path: object) -> None:
        """Print one line for each reason with its count and the first names, and where all of them are.

        Args:
            what: what happened to them, as ``skipped``.
            path: the table they are in.
        """
        if not self.entries:
            print(f"{what}: nothing")
            return
        print(f"{what}: {len(self)} (each is named in {path})")
        for reason, count in self.counts().items():
            names = [utt for utt, its, _ in sorted(set(self.entries)) if its == reason]
            more = ", ..." if count > EXAMPLES else ""
            print(f"  {count:6d}  {reason}: {', '.join(names[:EXAMPLES])}{more}")

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(set(self.entries))


def _field(text: str) -> str:
    return " ".join(text.split()) or "-"
