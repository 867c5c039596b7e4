"""The melody of a source in conversion: its F0, moved to where the target's voice lies.

The paper converts by S and G alone (section 2.2.2), so the decoder determines the melody from S: it is
right on average, but flatter than natural speech. In a language with tones this costs intelligibility.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ctap.audio.vocoder import Vocoder
from ctap.errors import UserError
from ctap.models.model_dir import Parts
from ctap.models.vocoder import NeuralVocoder

Melody = Literal["model", "source"]


def taking_f0(vocoder: Vocoder) -> NeuralVocoder:
    """The vocoder as one that takes F0.

    Raises:
        UserError: It takes none.
    """
    if not isinstance(vocoder, NeuralVocoder):
        raise UserError(
            "F0, such as the source's melody, needs a vocoder that takes it: pretrained, or the directory of "
            "one that was trained with ctap train vocoder; this one, "
            f"{type(vocoder).__name__}, takes the mel alone"
        )
    return vocoder


def check_melody(melody: str, vocoder: Vocoder, parts: Parts) -> None:
    """Refuse a conversion with the source's melody where it is not possible.

    Raises:
        UserError: ``melody`` is no :data:`Melody`; or it is the source's, and the vocoder takes no F0 or the
            model reads no waves.
    """
    if melody not in (known := get_args(Melody)):
        raise UserError(f"melody {melody!r}: expected {' or '.join(known)}")
    if melody == "model":
        return
    taking_f0(vocoder)
    if parts.ctap.config.given:
        raise UserError(
            f"{parts.path or 'this model'} reads frames of another representation: there is no recording "
            "whose melody could be taken"
        )


def source_f0(vocoder: NeuralVocoder, source: Tensor, voice: Tensor) -> Tensor:
    """F0 [T] in Hz of log-mel ``source`` [T, n_mels], moved to the mean of ``voice`` [N, F, n_mels].

    It is that which the source is said with: frames that may be voiced have pulses, too, since noise in
    their place is what listeners mind (docs/vocoder.md, "Voicing").
    """
    return shift_f0(vocoder.said_f0(source), torch.cat([vocoder.said_f0(part) for part in voice]))


def shift_f0(f0: Tensor, voice: Tensor) -> Tensor:
    """``f0`` [T] Hz, 0 where unvoiced, with the mean of ``voice`` [N] Hz, both on a logarithmic scale.

    Where either has no voiced frame, there is nothing to go by, and it stays.
    """
    sung, heard = f0[f0 > 0].log(), voice[voice > 0].log()
    if not len(sung) or not len(heard):
        return f0
    return f0 * torch.exp(heard.mean() - sung.mean())
