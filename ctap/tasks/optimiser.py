"""The optimiser of a training: Adam, or Muon for the matrices of transformer stacks and Adam for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from ctap.nn.transformer import TransformerStack
from ctap.ranges import NOT_NEGATIVE, SHARE, check_ranges
from ctap.tasks.muon import Muon
from ctap.tasks.settings import Precision


@dataclass
class OptimConfig:
    """AdamW (Adam where ``weight_decay`` is 0, as in the paper) and its schedule (section 3.1: 2e-4).

    Args:
        name: adam, or muon: see :class:`MuonAndAdam`.
        lr: Highest learning rate, reached at the end of the warm-up.
        warmup_steps: Steps of linear warm-up.
        schedule: After it, the inverse square root of the step, constant, or linear down to 0 after the last
            step (the best where steps are few).
        betas: Adam's decay rates.
        weight_decay: Decoupled weight decay.
    """

    name: Literal["adam", "muon"] = "adam"
    lr: float = 2e-4
    warmup_steps: int = 4000
    schedule: Literal["inverse_sqrt", "constant", "linear"] = "inverse_sqrt"
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(self, lr=NOT_NEGATIVE, warmup_steps=NOT_NEGATIVE, betas=SHARE, weight_decay=NOT_NEGATIVE)

    def factor(self, step: int, max_steps: int) -> float:
        """Learning rate of ``step`` (from 0) of ``max_steps`` as a share of ``lr``."""
        warmup = max(1, self.warmup_steps)
        if step < warmup:
            return (step + 1) / warmup
        if self.schedule == "linear":
            return max(0.0, (max_steps - step) / max(1, max_steps - warmup))
        return (warmup / (step + 1)) ** 0.5 if self.schedule == "inverse_sqrt" else 1.0


class MuonAndAdam(torch.optim.Optimizer):
    """Muon for ``matrices``, Adam for ``others``, as one optimiser.

    Muon's steps have the size of Adam's, so that one learning rate serves both (:mod:`ctap.tasks.muon`).

    Args:
        matrices: Parameters [m, n].
        others: Parameters of any shape.
        lr: Learning rate.
        weight_decay: Decoupled weight decay.
        half: Muon may compute in bfloat16.
        adam: What else Adam is told.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        half: bool,
        **adam: Any,
    ) -> None:
        shared = {"lr": lr, "weight_decay": weight_decay}
        self._parts = (
            Muon(matrices, **shared, half=half),
            torch.optim.AdamW(others, **shared, **adam),
        )
        super().__init__([group for part in self._parts for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """Both parts work on this optimiser's groups and state, so that it is saved and scheduled as one."""
        for part, group in zip(self._parts, self.param_groups, strict=True):
            part.param_groups, part.state = [group], self.state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts:
            part.step()
        return loss


def make_optimizer(module: nn.Module, config: OptimConfig, computes_in: Precision) -> torch.optim.Optimizer:
    """The optimiser of what is trained in ``module``, in a training that computes in ``computes_in``."""
    trained = [p for p in module.parameters() if p.requires_grad]
    shared: dict[str, Any] = {
        "lr": config.lr,
        "weight_decay": config.weight_decay,
        "betas": config.betas,
        # under a scaler the fused one would unscale gradients in its step, after they were clipped
        "fused": computes_in != "16-mixed",
    }
    if config.name == "adam":
        return torch.optim.AdamW(trained, **shared)
    inside = {
        id(p)
        for stack in module.modules()
        if isinstance(stack, TransformerStack)
        for p in stack.parameters()
        if p.ndim == 2
    }
    matrices = [p for p in trained if id(p) in inside]
    others = [p for p in trained if id(p) not in inside]
    if not matrices or not others:  # a training without stacks
        return torch.optim.AdamW(trained, **shared)
    return MuonAndAdam(matrices, others, **shared, half=computes_in != "32-true")
