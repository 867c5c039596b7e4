"""Padding takes no part in convolutions, attention or losses."""

from __future__ import annotations

from torch import Tensor


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set padded frames of ``x`` [B, T, D] to zero, so that convolutions see the zeros they would see
    past the end of an unpadded utterance.
    """
    return x if mask is None else x * mask[..., None].to(x.dtype)
