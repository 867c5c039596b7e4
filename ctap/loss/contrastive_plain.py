"""The contrastive losses as their papers write them, holding all of C: the reference for faster forms."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def plain_contrastive(
    s: Tensor, p: Tensor, scale: Tensor, targets: Tensor | None = None, left_out: Tensor | None = None
) -> Tensor:
    """Eq. 5-6: symmetric cross-entropy over C = scale S P^T.

    Args:
        s: [N, d] speech embeddings of real frames.
        p: [N, d] phoneme embeddings of the same frames.
        scale: Scalar tau.
        targets: [N, N] probabilities, each row summing to 1, for rows and columns of C alike; the identity if
            not given.
        left_out: [N, N] bool, entries of C that take no part.
    """
    logits = scale * s @ p.T  # Eq. 5
    if left_out is not None:
        logits = logits.masked_fill(left_out, -math.inf)
    if targets is None:
        targets = torch.arange(len(s), device=s.device)
    return 0.5 * (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets))  # Eq. 6


def plain_sigmoid(s: Tensor, p: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Pairwise sigmoid loss (Zhai et al. 2023): each pair of frames by itself, together or not."""
    logits = scale * s @ p.T + bias
    together = 2 * torch.eye(len(s), dtype=s.dtype, device=s.device) - 1
    return -F.logsigmoid(together * logits).sum() / len(s)
