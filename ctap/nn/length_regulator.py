"""Length regulator: phonemes to frames by their durations (paper, section 2.1.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def frame_to_phone(durations: Tensor, size: int) -> Tensor:
    """Index of the phone that each frame belongs to.

    Args:
        durations: [B, L] frames of each phone, 0 on padding.
        size: Number of frames T of the output.

    Returns:
        [B, T] int64 in [0, L); frames past an utterance's end take index L - 1 (mask them).
    """
    ends = durations.cumsum(dim=1)
    if torch.onnx.is_in_onnx_export():  # ONNX has no search
        passed = ends[:, None] <= torch.arange(size, device=durations.device)[:, None]
        return passed.sum(dim=-1).clamp(max=durations.shape[1] - 1)
    frames = torch.arange(size, device=durations.device).expand(len(durations), size).contiguous()
    return torch.searchsorted(ends, frames, right=True).clamp(max=durations.shape[1] - 1)


def frame_phones(tokens: Tensor, durations: Tensor, size: int) -> Tensor:
    """Phone ids ``tokens`` [B, L], one a phone, to [B, T=size], one a frame; see :func:`frame_to_phone`."""
    return tokens.gather(1, frame_to_phone(durations, size))


def regulate(x: Tensor, durations: Tensor, size: int) -> Tensor:
    """Repeat each phone's row of ``x`` [B, L, D] ``durations`` [B, L] times -> [B, T=size, D]."""
    index = frame_to_phone(durations, size)
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[2]))


#: Figures that :func:`places` gives of a frame.
PLACES = 4


def places(durations: Tensor, size: int) -> Tensor:
    """Where each frame stands in its phone.

    Args:
        durations: [B, L] frames of each phone, 0 on padding.
        size: Number of frames T of the output.

    Returns:
        [B, T, 4]: the share of its phone that is over, and log(1 + frames) since its start, until its end,
        and of the phone.
    """
    index = frame_to_phone(durations, size)
    length = durations.gather(1, index)
    since = torch.arange(size, device=durations.device) - (durations.cumsum(1) - durations).gather(1, index)
    since = since.minimum(length - 1).clamp(min=0)  # frames past the end, too
    share = (since + 0.5) / length.clamp(min=1)
    frames = torch.stack([since, (length - 1 - since).clamp(min=0), length], -1)
    return torch.cat([share[..., None], frames.to(share.dtype).log1p()], -1)
