"""Endings from outside: a time limit, a preemption, a kill. The step in progress is then the last one."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from ctap.data.workers import ENDING
from ctap.errors import UserError
from ctap.tasks.base import Task


class TrainingEndedError(UserError):
    """A signal ended the training after a whole step, with a checkpoint of it."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.status = 128 + number  # as a shell reports it


class EndOnSignal(Callback):
    """After a signal, save ``path`` at the end of the step and raise :class:`TrainingEndedError`.

    After the last step of an epoch, validation and its checkpoint come first. This stands in for Lightning's
    own handler, which lets processes talk to each other in the middle of a step.

    Args:
        path: The checkpoint that the training resumes from.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.came: int | None = None

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                signal.signal(number, self._note)  # Lightning puts back what was there, at the end

    def _note(self, number: int, _: FrameType | None) -> None:
        self.came = number

    def on_train_epoch_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        if self._wanted(trainer):
            self._end(trainer)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, task: Task, _: Any, __: Any, batch_idx: int
    ) -> None:
        within = (batch_idx + 1) % trainer.accumulate_grad_batches
        if not within and not trainer.is_last_batch and self._wanted(trainer):
            task.refuse_lost()
            trainer.save_checkpoint(self.path)
            self._end(trainer)

    def _wanted(self, trainer: lightning.Trainer) -> bool:
        """Whether any process was signalled: all end at the same step."""
        return trainer.strategy.reduce_boolean_decision(self.came is not None, all=False)

    def _end(self, trainer: lightning.Trainer) -> None:
        number = self.came or signal.SIGTERM
        raise TrainingEndedError(
            f"ended by {signal.Signals(number).name} after step {trainer.global_step}; "
            f"{self.path} holds it: run the same again to go on",
            number,
        )
