"""The training of a decoder's refiner (:mod:`ctap.nn.refiner`), beside that of the decoder itself."""

from __future__ import annotations

from torch import Tensor

from ctap.loss.flow import flow_loss
from ctap.nn.decoder import Decoder


def refining(decoder: Decoder, draft: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """``flow``: the refiner's loss, whose gradient stops at the draft; nothing without a refiner.

    Used in training alone: it depends on random draws, and says little about how well mels are refined.

    Args:
        decoder: Whose mel it is.
        draft: [B, T, n_mels] predicted.
        target: [B, T, n_mels] normalised log-mel.
        mask: [B, T] bool, True on real frames.
    """
    refiner = decoder.refiner
    if refiner is None or not decoder.training:
        return {}
    known = draft.detach()
    return {"flow": flow_loss(lambda x, share: refiner(x, share, known, mask), target, mask)}
