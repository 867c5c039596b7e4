"""Commands that do one thing to many inputs.

All inputs are checked before processing starts. Inputs that can't be processed are left out, named with their
ids and counted, and the command's exit status says so; results are written while the command runs.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from ctap.errors import UserError
from ctap.files.atomic import keep_apart
from ctap.files.names import name_fault
from ctap.files.skips import SkipList
from ctap.files.tables import write_table
from ctap.jobs import ALONE, Share
from ctap.kaldi.tables import scan

T = TypeVar("T")

SAVE_SECONDS = 30.0
"""While a command runs, its results are written at this interval."""
LEFT_OUT = "left_out.tsv"
WRITTEN = ("wav.scp", "aligned_phones", "durations", "phones", "text", "embed.scp", "feats.scp")
"""Tables that such commands write."""
UNUSABLE_LINE, UNUSABLE_NAME = "line that can't be used", "name that can't be used"
UNUSABLE, FAILED = "input that can't be used", "failed"


class SomeLeftOutError(UserError):
    """Some inputs were left out, the others are done."""

    status = 4


def read_rows(path: Path) -> tuple[dict[str, str], SkipList]:
    """Rows of a table that users wrote, and the lines that can't be used, by their keys.

    A byte-order mark, Windows line ends and stray blanks are accepted.

    Raises:
        UserError: The file can't be read.
    """
    left_out = SkipList()
    rows, faults = scan(path)
    for fault in faults:
        if fault.dropped is not None and fault.dropped.strip():
            key = fault.key or fault.dropped.split(maxsplit=1)[0]
            left_out.add(key, UNUSABLE_LINE, f"{path}:{fault.number}: {fault.message}")
    found: dict[str, str] = {}
    for row in rows:
        if reason := name_fault(row.key):
            left_out.add(row.key, UNUSABLE_NAME, f"{path}:{row.number}: {row.key[:80]!r} {reason}")
        else:
            found[row.key] = row.value
    return found, left_out


class Batch(Generic[T]):
    """One job's share of the inputs, and their results.

    Args:
        what: The work, for messages.
        items: Inputs by utterance.
        left_out: Inputs that can't be used; the first job reports them.
        out: Directory for the results.
        share: This job's share of the inputs.
        read: Lists that are read, none of which may be written over.
    """

    def __init__(
        self,
        what: str,
        items: Mapping[str, T],
        left_out: SkipList,
        out: Path,
        share: Share = ALONE,
        read: Sequence[Path | None] = (),
    ) -> None:
        if not items and not left_out.entries:
            raise UserError(f"{what}: nothing to do, the list is empty")
        if (out / "utt2spk").exists():
            raise UserError(f"{out}: a data directory, whose tables would be overwritten: name another place")
        for name in WRITTEN:
            keep_apart(out / name, *filter(None, read))
        self.what, self.out, self.ending = what, out, share.ending
        self.items = share.of_table(items)
        self.left_out = left_out if share.job == 1 else SkipList()
        self.done: dict[str, Any] = {}

    def check(self, check: Callable[[str, T], object]) -> None:
        """Leave out every item for which ``check(utterance, item)`` raises a :class:`UserError`."""
        for utt, item in list(self.items.items()):
            try:
                check(utt, item)
            except UserError as error:
                self._leave_out(utt, UNUSABLE, error)
        logging.info("%s: %d inputs, %d left out", self.what, len(self.items), len(self.left_out))

    def run(
        self, do: Callable[[str, T], Any], save: Callable[[dict[str, Any]], None] = lambda done: None
    ) -> dict[str, Any]:
        """Call ``do(utterance, item)`` on all items under a progress bar; what fails is left out.

        Args:
            do: Raises :class:`UserError` for an item that can't be done.
            save: Writes the results so far; called every half minute, at the end, and where the work ends
                early.

        Returns:
            What ``do`` returned, by utterance.
        """
        saved = time.monotonic()
        try:
            for utt, item in tqdm(list(self.items.items()), desc=self.what, unit="utt", mininterval=2.0):
                try:
                    self.done[utt] = do(utt, item)
                except UserError as error:
                    self._leave_out(utt, FAILED, error)
                if time.monotonic() - saved > SAVE_SECONDS:
                    save(self.done)
                    saved = time.monotonic()
        finally:
            if self.done:
                save(self.done)
            self._write_left_out()
        if not self.done:
            save({})  # tables of an earlier run would pass for this one's
        return self.done

    def write(self, name: str, rows: Mapping[str, Any]) -> None:
        """Write table ``out/name``, or this job's part of it as ``out/name.JOB``."""
        write_table(self.path(name), rows)

    def path(self, name: str) -> Path:
        """Where :meth:`write` puts a table."""
        return self.out / f"{name}{self.ending}"

    def finish(self, listed: Path) -> None:
        """Say how many were done, and that they are ``listed`` there.

        Raises:
            SomeLeftOutError: Some were left out.
            UserError: All were.
        """
        total = len(self.done) + len(self.left_out)
        if not self.left_out.entries:
            logging.info("%s: %d of %d done, listed in %s", self.what, total, total, listed)
            return
        utt, _, detail = self.left_out.entries[0]
        why = f"each is named in {self._left_out_path()}; the first: {utt}: {detail}"
        if not self.done:
            raise UserError(f"{self.what}: none of {total} could be done, {why}")
        raise SomeLeftOutError(
            f"{self.what}: {len(self.done)} of {total} done, listed in {listed}; "
            f"{len(self.left_out)} left out, {why}"
        )

    def _leave_out(self, utt: str, reason: str, error: UserError) -> None:
        logging.warning("%s: left out: %s", utt, error)
        self.left_out.add(utt, reason, error)
        self.items.pop(utt, None)

    def _left_out_path(self) -> Path:
        stem, dot, suffix = LEFT_OUT.partition(".")
        return self.out / f"{stem}{self.ending}{dot}{suffix}"

    def _write_left_out(self) -> None:
        if self.left_out.entries:
            self.left_out.write(self._left_out_path())
        else:
            with contextlib.suppress(FileNotFoundError):
                self._left_out_path().unlink()


def keep_prompts(prompt: Path | list[Path], out: Path) -> None:
    """Refuse to write sounds to where a prompt lies.

    Raises:
        UserError: A prompt is in ``out/wav``.
    """
    keep_apart(out / "wav", *(path.parent for path in (prompt if isinstance(prompt, list) else [prompt])))


@dataclass(frozen=True)
class Recordings:
    """Recordings that a command reads, and this job's share of them.

    Args:
        wav: Recordings, named by their files' stems.
        scp: Instead of --wav: a list of recordings, "id path" a line.
        job: This job's number, from 1.
        num_jobs: Jobs that share the recordings.
    """

    wav: list[Path] | None = None
    scp: Path | None = None
    job: int = 1
    num_jobs: int = 1

    def batch(self, what: str, out: Path) -> Batch[str]:
        """This job's part of the work that messages call ``what``, and whose results go to ``out``.

        Raises:
            UserError: There is no such job; or as :meth:`read` raises.
        """
        items, left_out = self.read()
        made = (out / "wav").resolve()
        if any(folder.resolve() == made for folder in {Path(path).parent for path in items.values()}):
            raise UserError(f"{made}: recordings are read there and would be overwritten: name another --out")
        return Batch(what, items, left_out, out, Share(self.job, self.num_jobs), [self.scp])

    def read(self) -> tuple[dict[str, str], SkipList]:
        """Utterances and their files; what can't be used.

        Raises:
            UserError: Neither or both are given, or the list can't be read.
        """
        if (self.wav is None) == (self.scp is None):
            raise UserError("give either wav files (--wav) or a list of them (--scp)")
        if self.scp is not None:
            return read_rows(self.scp)
        named: dict[str, str] = {}
        left_out = SkipList()
        for path in self.wav or []:
            if fault := name_fault(path.stem):
                detail = f"--wav {path}: {path.stem!r} {fault}; give a list with --scp instead"
                left_out.add(path.stem, UNUSABLE_NAME, detail)
            elif path.stem in named:
                detail = f"{path} and {named[path.stem]} have the same name; give a list with --scp instead"
                left_out.add(path.stem, UNUSABLE_NAME, detail)
            else:
                named[path.stem] = str(path)
        return named, left_out
