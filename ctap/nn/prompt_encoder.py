"""Prompt encoder: a VAE over 3 s of speech that yields the prompt embedding G (section 2.1.2, Eq. 2).

The paper gives 6 convolutions and an SE-ResNet block (Hu et al. 2018) and cites Qiang et al. 2023 for the
VAE. Left open there and chosen here: two-dimensional convolutions with stride 2 over time and frequency, as
in the reference encoder of Skerry-Ryan et al. 2018, and a recurrent or mean summary over what remains.

Where several processes train, batch norm takes each process's own batch, and the running statistics are those
of the first: a batch of 8 prompts has some thousand values a channel, and to synchronise them would cost a
wait in every layer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ctap.errors import UserError
from ctap.ranges import POSITIVE, check_ranges

LOG_VARIANCE = 10.0  # bound of a log variance, softly: a clamp would end all gradients beyond it


@dataclass
class PromptConfig:
    """Sizes of the prompt encoder.

    Args:
        channels: Channels of the convolutions, one each.
        dim: Dimension D_g of G.
        frames: Prompt window in frames (300 = 3 s at 10 ms).
        reduction: Bottleneck of squeeze-and-excitation.
        summary: How frames become one vector: recurrent (last state of a GRU) or mean.
    """

    channels: list[int] = field(default_factory=lambda: [32, 32, 64, 64, 128, 128])
    dim: int = 512
    frames: int = 300
    reduction: int = 16
    summary: Literal["recurrent", "mean"] = "recurrent"

    def __post_init__(self) -> None:
        if not self.channels:
            raise UserError("channels: expected those of one convolution or more, got []")
        counts = ("channels", "dim", "frames", "reduction")
        check_ranges(self, **dict.fromkeys(counts, POSITIVE))

    def require_room(self, n_mels: int) -> None:
        """Refuse sizes of which a batch of one utterance leaves batch norm a single value.

        Raises:
            UserError: The convolutions halve a prompt of ``n_mels`` bands to one frame of one band.
        """
        halved = 2 ** len(self.channels)
        if max(self.frames, n_mels) <= halved:
            raise UserError(
                f"model.prompt_encoder: {len(self.channels)} convolutions halve {self.frames} frames of "
                f"{n_mels} bands to a single value, too few for batch norm in a batch of one utterance: "
                f"give fewer channels, or more than {halved} frames"
            )


class SqueezeExcitationBlock(nn.Module):
    """Residual block whose channels are re-weighted by their global mean."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        bottleneck = max(channels // reduction, 4)
        self.squeeze = nn.Linear(channels, bottleneck)
        self.excite = nn.Linear(bottleneck, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        weights = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean(dim=(2, 3))))))
        return F.relu(x + y * weights[:, :, None, None])


class PromptEncoder(nn.Module):
    """Convolutions with batch norm and ReLU, SE-ResNet block, summary, linear to mean and log variance."""

    def __init__(self, n_mels: int, config: PromptConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, bins = 1, n_mels
        for outputs in config.channels:
            layers += [
                nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
            inputs, bins = outputs, (bins + 1) // 2
        self.convolutions = nn.Sequential(*layers)
        self.residual = SqueezeExcitationBlock(inputs, config.reduction)
        self.recurrent = (
            nn.GRU(inputs * bins, inputs, batch_first=True) if config.summary == "recurrent" else None
        )
        self.statistics = nn.Linear(inputs if self.recurrent else inputs * bins, 2 * config.dim)

    def forward(self, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``prompt`` [B, frames, n_mels] (normalised log-mel) -> mean, log variance, each [B, D_g]."""
        # float32 also in mixed precision: the bfloat16 convolution of processors with AMX (torch 2.13) reads
        # memory that nobody has written, on images one or two bins wide (test/nn/test_memory.py)
        with torch.autocast(prompt.device.type, enabled=False):
            return self._statistics(prompt.float())

    def _statistics(self, prompt: Tensor) -> tuple[Tensor, Tensor]:
        x = self.residual(self.convolutions(prompt[:, None]))  # [B, C, frames / 64, bins / 64]
        x = x.permute(0, 2, 1, 3).flatten(2)
        x = x.mean(dim=1) if self.recurrent is None else self.recurrent(x)[1][-1]
        mean, log_variance = self.statistics(x).chunk(2, dim=-1)
        return mean, LOG_VARIANCE * torch.tanh(log_variance / LOG_VARIANCE)


def sample_gaussian(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Reparameterised sample of N(mean, exp(log_variance))."""
    return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
