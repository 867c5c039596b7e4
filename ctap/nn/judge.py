"""The judge: a recogniser of phones on log-mel alone, with nothing of CTAP in it."""

from __future__ import annotations

from torch import Tensor, nn

from ctap.nn.speech_encoder import SpeechEncoder
from ctap.nn.statistics import keep_statistics
from ctap.nn.transformer import StackConfig


class Judge(nn.Module):
    """Normalised log-mel - two conv3 with GELU - transformer blocks - a linear layer over phones.

    The front end is laid out as CTAP's speech encoder, and starts from random weights of its own.

    Args:
        n_tokens: Number of phones of the token table.
        n_mels: Mel bins.
        config: Sizes of the stack.
        mean: Global mean of every mel bin, [n_mels]; 0 if not given.
        std: Global standard deviation of every mel bin, [n_mels]; 1 if not given.
    """

    def __init__(
        self,
        n_tokens: int,
        n_mels: int,
        config: StackConfig,
        mean: list[float] | None = None,
        std: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = SpeechEncoder(n_mels, config.dim, config)
        self.phones = nn.Linear(config.dim, n_tokens)
        keep_statistics(self, n_mels, mean, std)

    def forward(self, mel: Tensor, mask: Tensor | None = None) -> Tensor:
        """Log-mel ``mel`` [B, T, n_mels], as it is dumped -> logits over phones [B, T, n_tokens]."""
        return self.phones(self.encoder((mel - self.mean) / self.std, mask))
