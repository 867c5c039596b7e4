"""KL loss with a margin (paper, Eq. 2)."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """D_KL[N(mean, exp(log_variance)) || N(0, I)] in nats, summed over D_g: [B, D_g] -> [B]."""
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(dim=-1)


def margin_kl(mean: Tensor, log_variance: Tensor, margin: float) -> Tensor:
    """max(0, KL - margin), with the KL averaged over the batch; the margin in nats keeps it from collapse."""
    return torch.relu(gaussian_kl(mean, log_variance).mean() - margin)
