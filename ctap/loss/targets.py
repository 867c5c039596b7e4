"""Which frames count as a frame's own: targets beyond the diagonal of C.

The targets of row i are q_i = (1 - share) e_i + share u_i, with u_i even over frame i and its like. The
loss needs the mean of C under them, and with C = tau S P^T that is tau s_i . t_i, where t_i is the mean of P
under the targets: [N, d] numbers, whatever the number of pairs.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def instance_means(p: Tensor, instances: Tensor, radius: int) -> Tensor:
    """Mean of P over the neighbours of each frame that belong to the same phone instance.

    Args:
        p: [N, d] embeddings, frames in their order.
        instances: [N] phone instance of each frame.
        radius: Neighbours up to so many frames away count.

    Returns:
        [N, d], the average of the means along rows and along columns: at the edge of an instance the one has
        fewer neighbours than the other gives it.
    """
    near = [instances[k:] == instances[:-k] for k in range(1, min(radius, len(p) - 1) + 1)]
    count = torch.ones(len(p), 1, dtype=p.dtype, device=p.device)
    window = _window_sum(count, near)
    return 0.5 * (_window_sum(p, near) / window + _window_sum(p / window, near))


def _window_sum(x: Tensor, near: list[Tensor]) -> Tensor:
    """``x`` [N, d] summed over neighbours k + 1 frames away where ``near[k]`` [N - k - 1] says so."""
    total = x
    for k, same in enumerate(near, start=1):
        total = (
            total + F.pad(x[k:] * same[:, None], (0, 0, 0, k)) + F.pad(x[:-k] * same[:, None], (0, 0, k, 0))
        )
    return total


def phone_means(p: Tensor, phones: Tensor) -> Tensor:
    """Mean of P [N, d] over all frames of the same phone (``phones`` [N]), [N, d]."""
    _, group, counts = phones.unique(return_inverse=True, return_counts=True)
    sums = p.new_zeros(len(counts), p.shape[1]).index_add(0, group, p)
    return (sums / counts[:, None])[group]


def target_matrix(like: Tensor, share: float) -> Tensor:
    """Targets q [N, N] in full from ``like`` [N, N], which frames are each other's like (symmetric)."""
    even = like.double() / like.double().sum(dim=1, keepdim=True)
    return (1 - share) * torch.eye(len(like), dtype=torch.double, device=like.device) + share * even


def instance_matrix(instances: Tensor, radius: int) -> Tensor:
    """[N, N] bool: same phone instance and at most ``radius`` frames apart."""
    index = torch.arange(len(instances), device=instances.device)
    return (instances[:, None] == instances) & ((index[:, None] - index).abs() <= radius)


def phone_matrix(phones: Tensor) -> Tensor:
    """[N, N] bool: same phone."""
    return phones[:, None] == phones
