"""Speech encoder: Whisper's encoder at the frame rate of the features (paper, section 3.1 and Eq. 1)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ctap.nn.conv import FrameConv
from ctap.nn.transformer import StackConfig, TransformerStack


class SpeechEncoder(nn.Module):
    """conv3 - GELU - conv3 - GELU, transformer blocks, a linear layer to d, layer norm.

    Whisper's second convolution halves the frame rate; both strides are 1 here, since S and P meet frame by
    frame.
    """

    def __init__(self, n_mels: int, embed_dim: int, config: StackConfig) -> None:
        super().__init__()
        self.conv1 = FrameConv(n_mels, config.dim, 3)
        self.conv2 = FrameConv(config.dim, config.dim, 3)
        self.stack = TransformerStack(config)
        self.project = nn.Linear(config.dim, embed_dim)
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, mel: Tensor, mask: Tensor | None = None, offset: int = 0) -> Tensor:
        """Encode normalised log-mel ``mel`` [B, T, n_mels] -> S [B, T, d]."""
        x = F.gelu(self.conv1(mel, mask))
        x = F.gelu(self.conv2(x, mask))
        return self.norm(self.project(self.stack(x, mask, offset)))
