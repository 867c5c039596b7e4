"""The spread of mels, which a squared error takes and use gives back.

Not in the paper. Of all mels that fit, a decoder that is trained with a squared error (Eq. 4) gives the mean.
So its mels vary less in time than those of recordings, the more so the finer the detail: the higher half of
their cepstral coefficients may lose a third of its deviation or more, and speech sounds muffled. In use, the
deviation of each coefficient from its mean over the utterance is multiplied by what it lacks, as measured on
recordings of the training: the global variance of Toda and Tokuda, "A speech parameter generation algorithm
considering global variance", 2007, in the linear form of Silen et al., "Ways to implement global variance in
statistical speech synthesis", 2012.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ctap.audio.cepstrum import cepstral_basis
from ctap.nn.masking import masked_mean, zero_padding

LIMITS = 0.5, 3.0  # of factors: a coefficient that hardly moves is not made to


def _basis(mel: Tensor) -> Tensor:
    """:func:`ctap.audio.cepstrum.cepstral_basis` for mels such as ``mel`` [..., M]."""
    n_mels = int(mel.shape[-1])  # while ONNX is exported, a tensor
    return torch.tensor(cepstral_basis(n_mels), dtype=torch.float32).to(mel)


def _deviations(cepstra: Tensor, mask: Tensor | None) -> Tensor:
    """Cepstra ``[B, T, M]`` less their means over the real frames of each utterance; 0 on padding."""
    return zero_padding(cepstra - masked_mean(cepstra, mask), mask)


def spread_out(mel: Tensor, factors: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mels ``[B, T, M]`` with cepstra ``factors`` [M] times as far from their mean over each utterance."""
    basis = _basis(mel)
    return mel + (_deviations(mel @ basis, mask) * (factors - 1)) @ basis.T


class SpreadMeter:
    """Sums up how far the cepstra of mels are from their means, of recordings and of what is decoded.

    Args:
        n_mels: Mel bins.
    """

    def __init__(self, n_mels: int) -> None:
        self.recorded, self.decoded = torch.zeros(2, n_mels, dtype=torch.float64)

    def add(self, recorded: Tensor, decoded: Tensor, mask: Tensor) -> None:
        """Two mels ``[B, T, M]`` of the same utterances, with ``mask`` [B, T] True on real frames."""
        for total, mel in ((self.recorded, recorded.float()), (self.decoded, decoded.float())):
            total += _deviations(mel @ _basis(mel), mask).double().square().sum((0, 1)).cpu()

    def factors(self) -> Tensor:
        """What deviations of what is decoded lack ``[M]``, within :data:`LIMITS`; 1 where nothing moves."""
        ratio = (self.recorded / self.decoded).sqrt()
        return torch.where(torch.isfinite(ratio), ratio, 1.0).clamp(*LIMITS).float()
