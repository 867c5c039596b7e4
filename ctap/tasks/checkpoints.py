"""Checkpoints of a training: written whole, read without unpickling objects, averaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.files.seal import check_seal, seal


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that replace their predecessor in one step and are read without unpickling objects."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with atomic_write(path, "wb") as file:
            torch.save(checkpoint, file)
            seal(file)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> Any:
        return read_checkpoint(Path(path), map_location or "cpu")


def read_checkpoint(path: Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        UserError: It is damaged; the message says what to do.
    """
    again = "start this training again: --restart true (of a recipe: --force true)"
    try:
        check_seal(path)
        return torch.load(path, map_location=map_location, weights_only=True)
    except OSError:
        raise
    except UserError as error:
        raise UserError(f"{error}; {again}") from None
    except Exception as error:  # torch raises many kinds for a broken file
        raise UserError(f"{path}: can't read this checkpoint ({type(error).__name__}); {again}") from error


def average_weights(checkpoints: list[Path]) -> dict[str, torch.Tensor]:
    """Mean of the weights of several checkpoints; integer buffers come from the first."""
    total: dict[str, torch.Tensor] = {}
    for path in checkpoints:
        state = read_checkpoint(path)["state_dict"]
        for name, value in state.items():
            if name not in total:
                total[name] = value.double() if value.is_floating_point() else value
            elif value.is_floating_point():
                total[name] += value.double()
    return {k: (v / len(checkpoints)).float() if v.is_floating_point() else v for k, v in total.items()}
