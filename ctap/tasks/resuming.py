"""Callbacks of Lightning's that go on as this toolkit's trainings do where one is resumed.

Their names are Lightning's: under these, checkpoints hold the state of callbacks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch import callbacks

from ctap.errors import UserError


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's, as patient as this run is asked to be, whatever the run that wrote the checkpoint was."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take no step more where patience had run out before, as when the model was not yet written."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Lightning's, that finds the best checkpoints again where the experiment has been moved meanwhile."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state, its paths brought to where the checkpoints lie now.

        Raises:
            UserError: One of the best is not there.
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
                f"end; put the whole of {here} there, or start anew: --restart true (of a recipe: --force "
                "true)"
            )
        super().load_state_dict({**state_dict, **paths, "best_k_models": best, "dirpath": self.dirpath})
