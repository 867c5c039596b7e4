"""Callbacks of Lightning's that go on as this toolkit's trainings do where one is resumed.

Their names are Lightning's: under these, checkpoints hold the state of callbacks.
"""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch import callbacks


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's, as patient as this run is asked to be, whatever the run that wrote the checkpoint was."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take no step more where patience had run out before, as when the model was not yet written."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience
