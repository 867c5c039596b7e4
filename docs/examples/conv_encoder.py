"""Encoders of one's own, of convolutions alone, and a loss of one's own: see docs/python.md."""

import torch.nn.functional as F
from torch import nn

from ctap.nn.conv import FrameConv
from ctap.nn.length_regulator import regulate


class ConvEncoder(nn.Module):
    """Dilated convolutions with skips: a frame sees ``2 ** (layers + 1) - 1`` frames, and no clock."""

    def __init__(self, n_mels: int, embed_dim: int, channels: int = 256, layers: int = 5) -> None:
        super().__init__()
        self.enter = nn.Linear(n_mels, channels)
        self.convs = nn.ModuleList(FrameConv(channels, channels, 3, 2**i) for i in range(layers))
        self.leave = nn.Sequential(nn.Linear(channels, embed_dim), nn.LayerNorm(embed_dim))

    def forward(self, mel, mask=None, offset=0):
        """Normalised log-mel [B, T, n_mels] to S [B, T, d]."""
        x = self.enter(mel)
        for conv in self.convs:
            x = x + F.gelu(conv(x, mask))
        return self.leave(x)


class ConvPhonemeEncoder(nn.Module):
    """A convolution over phones, each of which then lasts its frames, and one over frames."""

    def __init__(self, n_tokens: int, embed_dim: int, channels: int = 256) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, channels, padding_idx=0)
        self.phones = FrameConv(channels, channels, 3)
        self.frames = FrameConv(channels, channels, 5)
        self.leave = nn.Sequential(nn.Linear(channels, embed_dim), nn.LayerNorm(embed_dim))

    def forward(self, tokens, durations, size, mask=None, offset=0):
        """Phones and the frames of each [B, L] to P [B, T=size, d]."""
        x = F.gelu(self.phones(self.embedding(tokens), tokens > 0))
        return self.leave(F.gelu(self.frames(regulate(x, durations, size), mask)))


class HingeLoss(nn.Module):
    """S and P of a frame are to be nearer than those of two frames, by a margin."""

    def __init__(self, margin: float = 0.5) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, s, p, mask, scale, phones, instances):
        """S and P [B, T, d] under ``mask`` [B, T] to a scalar; ``phones`` [B, T] names each frame's phone."""
        s, p = F.normalize(s[mask].float(), dim=-1), F.normalize(p[mask].float(), dim=-1)
        cosines = s @ p.T
        too_near = F.relu(self.margin + cosines - cosines.diagonal()[:, None])
        others = phones[mask][:, None] != phones[mask][None, :]
        return (too_near * others).sum() / others.sum().clamp(min=1) + (1 - cosines.diagonal()).mean()
