"""Which frames are real: padding takes no part in convolutions, attention or losses."""

from __future__ import annotations

import torch
from torch import Tensor


def lengths_to_mask(lengths: Tensor, size: int | None = None) -> Tensor:
    """Mark the real frames of a padded batch.

    Args:
        lengths: [B] number of real frames of each utterance.
        size: Padded length T; the longest of ``lengths`` if not given.

    Returns:
        [B, T] bool, True on real frames.
    """
    size = int(lengths.max()) if size is None else size
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set padded frames of ``x`` [B, T, D] to zero, so that a convolution sees what lies past an edge."""
    return x if mask is None else x * mask[..., None].to(x.dtype)
