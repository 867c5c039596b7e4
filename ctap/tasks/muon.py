"""Muon (Jordan et al., 2024): steps along the nearest orthogonal matrix to the momentum of the gradient.

PyTorch's own computes in bfloat16 on every machine, and matrix by matrix, which is slow on a processor that
multiplies in float32 alone (docs/speed.md). Here it is bfloat16 where the device computes in it and the
training is in mixed precision, float32 elsewhere, and all matrices of one shape are taken together.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ctap.tasks.settings import native_bfloat16

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the iteration, as published with Muon: five rounds bring singular values near 1."""
ROUNDS = 5


def orthogonal(matrices: Tensor) -> Tensor:
    """About the nearest orthogonal matrix to each of ``matrices`` [N, m, n]: singular values are near 1."""
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x = wide / torch.linalg.matrix_norm(wide.float()).clamp(min=1e-7).to(wide.dtype)[:, None, None]
    a, b, c = NEWTON_SCHULZ
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide is matrices else x.mT


class Muon(torch.optim.Optimizer):
    """Muon with steps of the size of Adam's (Liu et al., 2025, *Muon is Scalable for LLM Training*).

    Args:
        matrices: Parameters [m, n].
        lr: Learning rate, as of Adam.
        weight_decay: Decoupled weight decay.
        half: Orthogonalise in bfloat16 where the device computes in it.
        momentum: Share of the momentum that is kept at a step; Nesterov's.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        half: bool,
        momentum: float = 0.95,
    ) -> None:
        self._half = half
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            together: dict[tuple[torch.Size, torch.device], list[nn.Parameter]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    together.setdefault((p.shape, p.device), []).append(p)
            for (shape, device), parameters in together.items():
                ahead = torch.stack([self._momentum(p, group["momentum"]) for p in parameters])
                if self._half and native_bfloat16(device.type == "cuda"):
                    ahead = ahead.bfloat16()
                size = group["lr"] * 0.2 * max(shape) ** 0.5
                for p, step in zip(parameters, orthogonal(ahead), strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(step, alpha=-size)

    def _momentum(self, p: nn.Parameter, kept: float) -> Tensor:
        """Nesterov's momentum of a gradient."""
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(p.grad)
        return p.grad.lerp(state["momentum_buffer"].lerp_(p.grad, 1 - kept), kept)
