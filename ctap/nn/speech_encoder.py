"""Speech encoder: Whisper's encoder at the frame rate of the features (paper, section 3.1 and Eq. 1)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.masking import masked_mean
from ctap.nn.transformer import StackConfig, TransformerStack


class SpeechEncoder(nn.Module):
    """conv3 - GELU - conv3 - GELU, transformer blocks, a linear layer to d, layer norm.

    Whisper's second convolution halves the frame rate; both strides are 1 here, since S and P meet frame by
    frame.

    Args:
        n_mels: Mel bins.
        embed_dim: Dimension d of S.
        config: The stack.
        instance_norm: Bring every mel bin to zero mean and unit variance over the utterance first: that takes
            out what of a voice and a channel is the same throughout (Chou, Yeh and Lee, 2019).
    """

    def __init__(self, n_mels: int, embed_dim: int, config: StackConfig, instance_norm: bool = False) -> None:
        super().__init__()
        self.instance_norm = instance_norm
        self.conv1 = FrameConv(n_mels, config.dim, 3)
        self.conv2 = FrameConv(config.dim, config.dim, 3)
        self.stack = TransformerStack(config)
        self.project = nn.Linear(config.dim, embed_dim)
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, mel: Tensor, mask: Tensor | None = None, offset: int = 0) -> Tensor:
        """Encode normalised log-mel ``mel`` [B, T, n_mels] -> S [B, T, d]."""
        if self.instance_norm:
            mel = normalize_over_time(mel, mask)
        x = F.gelu(self.conv1(mel, mask))
        x = F.gelu(self.conv2(x, mask))
        return self.norm(self.project(self.stack(x, mask, offset)))


def normalize_over_time(x: Tensor, mask: Tensor | None) -> Tensor:
    """Each bin of each utterance of ``x`` [B, T, D] to zero mean and unit variance over its real frames."""
    centred = x - masked_mean(x, mask)
    return centred * (masked_mean(centred.square(), mask) + 1e-3).rsqrt()
