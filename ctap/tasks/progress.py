"""What a training writes while it runs: a table of figures, and lines where a progress bar would be noise."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from ctap.files.atomic import atomic_write


class MetricsFile(Callback):
    """``metrics.csv``: a row an epoch, cut back to the checkpoint when a training resumes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        figures = {k: float(v) for k, v in trainer.callback_metrics.items() if not k.endswith("_step")}
        figures = {k.removesuffix("_epoch"): v for k, v in figures.items()}
        self.rows.append({"step": trainer.global_step, "epoch": trainer.current_epoch, **figures})
        if not trainer.is_global_zero:
            return
        columns = list(dict.fromkeys(k for r in self.rows for k in r))
        with atomic_write(self.path) as file:
            file.write(",".join(columns) + "\n")
            file.writelines(",".join(_cell(r.get(k)) for k in columns) + "\n" for r in self.rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


class LineProgress(Callback):
    """For logs: a line an epoch with its figures, and one a minute between, with the time that is left.

    Args:
        every: Seconds between two lines within an epoch.
    """

    def __init__(self, every: float = 60.0) -> None:
        self.every = every

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.since = self.written = time.monotonic()
        self.from_step = trainer.global_step

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.global_step > self.from_step and time.monotonic() - self.written >= self.every:
            self._write(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        metrics = trainer.callback_metrics
        names = ("train/loss_epoch", "val/loss", "val/phone_retrieval", "val/phone_retrieval_shifted")
        shown = [k for k in (*names, "val/frame_accuracy") if k in metrics]
        self._write(trainer, *(f"{k.removesuffix('_epoch')} {float(metrics[k]):.4f}" for k in shown))

    def _write(self, trainer: lightning.Trainer, *figures: str) -> None:
        self.written = time.monotonic()
        step, of = trainer.global_step, trainer.max_steps
        seconds = (self.written - self.since) / (step - self.from_step)
        left = f"{timedelta(seconds=round(seconds * (of - step)))} left"
        logging.info("%s", "  ".join([f"step {step}/{of}", f"{seconds:.2f} s a step", left, *figures]))
