"""An experiment directory: whether the training asked for is there, goes on from there, or is another one."""

from __future__ import annotations

import enum
import logging
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

from ctap.config import differences, from_dict, load_yaml, merge, save_yaml, to_dict
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.tasks.checkpoints import read_checkpoint
from ctap.tasks.settings import COMPUTES_IN

#: Settings that may change between two runs of one training without affecting what has been trained so far.
#: With the linear schedule, another number of steps changes the learning rate from there on; a warning says
#: so. Fewer steps than have been made are another training.
FREE_TO_CHANGE = (
    "trainer.max_steps",
    "trainer.patience",
    "trainer.logger",
    "trainer.log_every",
    "data.num_workers",
)

#: File in an experiment whose training goes on, or was killed.
RUNNING = "unfinished"


class Standing(enum.Enum):
    """What an experiment directory means to a training that is asked for."""

    NEW = "nothing to go on from"
    OTHER = "another training is there, or one that is to be repeated: it is moved aside"
    BEGUN = "it goes on from its last checkpoint"
    ENDED = "nothing to do"


def standing(
    out: Path, config: dict[str, Any], finished: Path, *, restart: bool, kind: type
) -> tuple[Standing, dict[str, tuple[Any, Any]]]:
    """How far the training that ``config`` describes is in ``out``. Nothing is changed.

    A training with the same configuration and inputs is resumed. A finished one that differs is moved aside
    and done again. An unfinished one that differs is not touched: that is for the user to decide.

    Args:
        out: Experiment directory.
        config: Everything that decides the result, inputs' fingerprints included.
        finished: Exists when the training in ``out`` has ended.
        restart: Start from the beginning, whatever there is.
        kind: Class of the configuration: options that an earlier version did not have yet are at their
            defaults in what it wrote.

    Returns:
        That, and in what the configuration recorded there differs.

    Raises:
        UserError: ``out`` holds an unfinished training that differs; the message names the differences.
    """
    saved = out / "config.yaml"
    if not saved.exists():
        return Standing.NEW, {}
    differs = differences(_completed(saved, kind), config)
    differs.pop(COMPUTES_IN, None)  # it follows from trainer.precision, and earlier versions lack it
    ended, resumable = finished.exists() and not (out / RUNNING).exists(), (out / "last.ckpt").exists()
    if not differs and ended and not restart:
        return Standing.ENDED, differs
    changed = {k: v for k, v in differs.items() if k not in FREE_TO_CHANGE}
    before, now = differs.get("trainer.max_steps", (0, 0))
    if before > now and resumable and not restart and _steps_in(out) > now:
        changed["trainer.max_steps"] = before, now
    if changed and not ended and not restart and resumable:
        listed = "; ".join(f"{k}: {old} -> {new}" for k, (old, new) in changed.items())
        raise UserError(
            f"{out} holds an unfinished training that differs from the one asked for: {listed}; "
            "set these back to resume it, choose another --tag, or give --force true to start again "
            "(what is there is moved aside, not deleted)"
        )
    if changed or restart or (ended and not resumable):
        return Standing.OTHER, differs
    return Standing.BEGUN if resumable else Standing.NEW, differs


def prepare_experiment(
    out: Path, config: dict[str, Any], found: Standing, differs: dict[str, tuple[Any, Any]]
) -> None:
    """Make ``out`` ready for the training that ``config`` describes, as :func:`standing` found it.

    Until :func:`end_experiment` the training then counts as unfinished, also where it goes on from a finished
    one.
    """
    if found is Standing.OTHER:
        aside = next(p for i in range(1, 10_000) if not (p := out.with_name(f"{out.name}.old{i}")).exists())
        logging.info("%s: moved to %s, starting from the beginning", out, aside)
        shutil.move(out, aside)
    elif found is Standing.BEGUN:
        _warn_of_steps(out, differs, config)
    out.mkdir(parents=True, exist_ok=True)
    with atomic_write(out / RUNNING):
        pass
    save_yaml(config, out / "config.yaml")


def end_experiment(out: Path) -> None:
    """Note that the training in ``out`` has ended, and what it makes is there."""
    (out / RUNNING).unlink(missing_ok=True)


def _steps_in(out: Path) -> int:
    return read_checkpoint(out / "last.ckpt")["global_step"]


def _completed(saved: Path, kind: type) -> dict[str, Any]:
    """A recorded configuration, with the options of ``kind`` that it lacks at their defaults."""
    before = load_yaml(saved)
    own = {field.name: before[field.name] for field in fields(kind) if field.name in before}
    try:
        return merge(to_dict(from_dict(kind, own, str(saved))), before)
    except UserError:  # of a version that had other options: what differs is named
        return before


def _warn_of_steps(out: Path, differs: dict[str, tuple[Any, Any]], config: dict[str, Any]) -> None:
    """Warn if a training is resumed with another last step and its schedule depends on the last step."""
    if "trainer.max_steps" in differs and config["optim"]["schedule"] == "linear":
        old, new = differs["trainer.max_steps"]
        logging.warning(
            "%s: trainer.max_steps was %d and is %d: optim.schedule linear ends at the last step, so the "
            "learning rate jumps here, and the result is not that of %d steps from the start",
            *(out, old, new, new),
        )
