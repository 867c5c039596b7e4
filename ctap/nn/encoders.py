"""The two encoders by their configuration: the toolkit's, or modules of the user's that were tried first.

What an own encoder has to take and give is written down in docs/python.md; a module that does not is refused
here, and not after an hour of training.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ctap.errors import UserError
from ctap.nn.phoneme_encoder import PhonemeEncoder, PhonemeStackConfig
from ctap.nn.speech_encoder import SpeechEncoder
from ctap.nn.transformer import StackConfig
from ctap.own import OwnModule, blamed

TRIED = 6  # frames of the longer of two utterances that an own encoder is tried with


def make_speech_encoder(
    n_mels: int, embed_dim: int, config: StackConfig | OwnModule, instance_norm: bool = False
) -> nn.Module:
    """Called with normalised log-mel [B, T, n_mels], mask [B, T] and an offset, it gives S [B, T, d].

    Raises:
        UserError: An own module can't be made, or does not give S.
    """
    if isinstance(config, StackConfig):
        return SpeechEncoder(n_mels, embed_dim, config, instance_norm)
    if instance_norm:
        raise UserError("model.instance_norm: an own speech encoder (class_path) does that itself")
    module = config.build("model.speech_encoder", n_mels=n_mels, embed_dim=embed_dim)
    _try(module, "model.speech_encoder", embed_dim, torch.zeros(2, TRIED, n_mels))
    return module


def make_phoneme_encoder(n_tokens: int, embed_dim: int, config: PhonemeStackConfig | OwnModule) -> nn.Module:
    """Called with tokens and durations [B, L], a size T, mask [B, T] and an offset, it gives P [B, T, d].

    Raises:
        UserError: An own module can't be made, or does not give P.
    """
    if isinstance(config, PhonemeStackConfig):
        return PhonemeEncoder(n_tokens, embed_dim, config)
    module = config.build("model.phoneme_encoder", n_tokens=n_tokens, embed_dim=embed_dim)
    tokens, durations = torch.tensor([[1, 2], [3, 0]]), torch.tensor([[2, TRIED - 2], [TRIED // 2, 0]])
    _try(module, "model.phoneme_encoder", embed_dim, tokens, durations, TRIED)
    return module


def _try(module: nn.Module, where: str, embed_dim: int, *inputs: Tensor | int) -> None:
    """Call ``module`` with two utterances, and once without a mask, and look at what comes back."""
    mask = torch.ones(2, TRIED, dtype=torch.bool)
    mask[1, TRIED // 2 :] = False
    expected, name = [2, TRIED, embed_dim], type(module).__name__
    was_training = module.training
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for given, offset in ((mask, 0), (None, 1)):
            try:
                found = module.eval()(*inputs, given, offset=offset)
            except Exception as error:  # whatever the user's module raises
                raise UserError(f"{where}: {name} fails on {TRIED} frames: {blamed(error)}") from error
            shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            if shape != expected:
                raise UserError(f"{where}: {name} gives {shape} for {TRIED} frames, expected {expected}")
    module.train(was_training)
