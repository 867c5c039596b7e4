"""Callbacks and a logger of Lightning's, changed so that they continue correctly when a training is resumed.

The callbacks' names are Lightning's: under these, checkpoints hold their state.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch import callbacks, loggers
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from ctap.errors import UserError
from ctap.files.atomic import atomic_write


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's, with the patience of this run, whatever that of the run that wrote the checkpoint."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take no further step if patience had run out before, for example before the model was written."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Lightning's, which finds the best checkpoints again if the experiment has been moved meanwhile."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state, with its paths changed to where the checkpoints are now.

        Raises:
            UserError: One of the best checkpoints is missing.
        """
        here, there = Path(str(self.dirpath)), Path(state_dict["dirpath"])

        def moved(path: str) -> str:
            inside = Path(path).is_relative_to(there)  # "" is none yet
            return str(here / Path(path).relative_to(there)) if inside else path

        paths = {k: moved(v) for k, v in state_dict.items() if k.endswith("_path")}
        best = {moved(path): score for path, score in state_dict["best_k_models"].items()}
        # a run killed before it saved its state may have put a better one in the place of the worst
        lost = [p for p in best if p != paths["kth_best_model_path"] and not Path(p).exists()]
        if self.monitor and lost:
            raise UserError(
                f"{lost[0]}: this checkpoint is missing, one of the best, whose weights are averaged in the "
                f"end; put the whole of {here} there, or start again: --restart true (of a recipe: --force "
                "true)"
            )
        super().load_state_dict({**state_dict, **paths, "best_k_models": best, "dirpath": self.dirpath})


class CSVLogger(loggers.Logger):
    """A row of ``path`` an entry. Rows of an earlier run stay, cut back to where this one goes on.

    Lightning's of this name empties the directory.
    """

    name, version = "csv", ""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.columns: list[str] = []

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """They are in ``config.yaml``."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add what Lightning has to say of ``step``, which it counts from 0."""
        row = {**metrics, "step": step or 0}
        if not row.keys() <= set(self.columns):
            self._widen(row)
        with self.path.open("a", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)

    def _widen(self, row: dict[str, float]) -> None:
        """Write the rows so far again, with columns for ``row``; of an earlier run, those before it."""
        rows, step = [], row["step"]
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:  # its last row may be half written
                rows = [r for r in csv.DictReader(file) if self.columns or int(r["step"] or step) < step]
        self.columns = sorted({*row, *(k for r in rows for k in r)})
        with atomic_write(self.path) as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
