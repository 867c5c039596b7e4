"""The statistics that networks normalise with: part of their weights, not trained."""

from __future__ import annotations

import torch
from torch import nn


def keep_statistics(module: nn.Module, size: int, mean: list[float] | None, std: list[float] | None) -> None:
    """Give ``module`` the buffers ``mean`` and ``std`` [size]; 0 and 1 where there are none."""
    module.register_buffer("mean", torch.tensor(mean) if mean else torch.zeros(size))
    module.register_buffer("std", torch.tensor(std) if std else torch.ones(size))
