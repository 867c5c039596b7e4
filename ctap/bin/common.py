"""What commands share: lists of waves, jobs, progress."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from ctap.audio.wave import AudioError
from ctap.errors import UserError
from ctap.files.names import name_fault
from ctap.files.tables import read_table, write_table

T = TypeVar("T")

SAVE_SECONDS = 30.0
"""Results are written as often while the work goes on."""


def set_up_logging(level: int = logging.INFO) -> None:
    """Time and message on stderr, which a launcher keeps in the job's log."""
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")


def wave_list(wav: Sequence[str | Path] | None, scp: Path | None) -> dict[str, str]:
    """Utterances and their files, from wav files (named by their stems) or a wav.scp.

    Raises:
        UserError: Neither or both are given, two files have one name, or one has a name that no table
            can hold.
    """
    if (wav is None) == (scp is None):
        raise UserError("give either wav files (--wav) or a list of them (--scp)")
    if scp is not None:
        return read_table(scp)
    named: dict[str, str] = {}
    for path in map(Path, wav or []):
        if path.stem in named:
            raise UserError(
                f"{path} and {named[path.stem]} have the same name; give a list with --scp instead"
            )
        if fault := name_fault(path.stem):
            raise UserError(f"--wav {path}: {path.stem!r} {fault}; give a list with --scp instead")
        named[path.stem] = str(path)
    return named


def labelled(items: Sequence[str] | None, option: str) -> dict[str, Path]:
    """Directories by label, from words "label=directory".

    Raises:
        UserError: A word is not of that form.
    """
    found = {}
    for item in items or []:
        label, _, folder = item.partition("=")
        if not folder:
            raise UserError(f"{option} {item}: expected label=directory")
        found[label] = Path(folder)
    return found


def over(
    items: dict[str, T],
    what: str,
    do: Callable[[str, T], Any],
    save: Callable[[dict[str, Any]], None] = lambda done: None,
) -> dict[str, Any]:
    """Call ``do(utt, item)`` on all items under a progress bar; what can't be done is named and counted.

    Recordings that can't be read are no error. Of other faults all items are tried first, and what could be
    done is saved.

    Args:
        items: by utterance.
        what: the work, for messages.
        do: raises :class:`~ctap.errors.UserError` for an item that can't be done.
        save: writes the results so far; called every half minute, at the end, and where the work breaks off.

    Raises:
        UserError: Not one item could be done, or some could not for another reason than their recording.
    """
    done: dict[str, Any] = {}
    failed: dict[str, UserError] = {}
    saved = time.monotonic()
    try:
        for utt, item in tqdm(items.items(), desc=what, unit="utt", mininterval=2.0):
            try:
                done[utt] = do(utt, item)
            except UserError as error:
                logging.warning("%s: left out: %s", utt, error)
                failed[utt] = error
            if time.monotonic() - saved > SAVE_SECONDS:
                save(done)
                saved = time.monotonic()
    finally:
        if done:
            save(done)
    names = " ".join(list(failed)[:20])
    logging.info("%s: %d utterances done, %d left out %s", what, len(done), len(failed), names)
    if items and not done:
        utt, reason = next(iter(failed.items()))
        raise UserError(f"{what}: none of {len(items)} utterances could be done; the first: {utt}: {reason}")
    faults = [f"{utt}: {error}" for utt, error in failed.items() if not isinstance(error, AudioError)]
    if faults:
        counts = f"{len(done)} of {len(items)} utterances done, {len(failed)} left out"
        raise UserError(f"{what}: {counts}; the first: {faults[0]}")
    return done


def write_list(out: Path, name: str, rows: dict[str, Any], job: int, num_jobs: int) -> None:
    """Write table ``out/name``, or this job's part of it as ``out/name.JOB``."""
    write_table(out / (name if num_jobs == 1 else f"{name}.{job}"), rows)
