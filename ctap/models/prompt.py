"""Prompts in use: the parts of a voice's recordings that the networks read (paper, section 2.1.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctap.audio.speech import NoVoiceError, voice_window
from ctap.audio.wave import samples_of
from ctap.data.cropping import clip_window
from ctap.errors import UserError
from ctap.models.checks import check_g
from ctap.models.model_dir import Parts

Wave = str | Path | np.ndarray


@dataclass(frozen=True)
class Prompt:
    """Speech of a voice, as the networks of one model hear it: G of another model means another voice.

    Attributes:
        g: [D_g] prompt embedding G: the mean over its recordings, of each the 3 s with most speech.
        mels: [N, F, n_mels] normalised log-mel of these 3 s of each.
    """

    g: Tensor
    mels: Tensor


Voice = Wave | Sequence[Wave] | Prompt
"""One recording, several, or what :func:`hear` made of them."""


def hear(
    voice: Voice, parts: Parts, log_mel: Callable[[np.ndarray], Tensor], *, strict: bool = True
) -> Prompt:
    """Hear one recording of a voice or several: the 3 s of each with most speech.

    Args:
        voice: Files, or arrays [N] at the model's rate.
        parts: The model.
        log_mel: Samples to their log-mel [T, n_mels].
        strict: Refuse recordings in which nobody speaks; of one, the middle is heard otherwise.

    Raises:
        AudioError: A recording can't be read, or nobody speaks in it; its name is said.
        UserError: There is none, or it was heard by a model of other sizes.
    """
    if isinstance(voice, Prompt):
        check_g(voice.g, parts)
        device = parts.ctap.mean.device  # it may come from a file, or from the same model elsewhere
        return replace(voice, g=voice.g.to(device), mels=voice.mels.to(device))
    several = isinstance(voice, Sequence) and not isinstance(voice, str)
    waves: Sequence[Wave] = voice if several else [voice]
    if not waves:
        raise UserError("no prompt: expected a recording of the voice wanted")
    frames = parts.ctap.config.prompt_encoder.frames
    mels = []
    for wave in waves:
        samples = samples_of(wave, parts.audio.sample_rate)
        part = slice(None)
        try:
            found = voice_window(samples, parts.audio, frames)
            part = slice(found.start, found.stop)
        except NoVoiceError as error:
            if strict:
                named = "" if isinstance(wave, np.ndarray) else f"{wave}: "
                raise NoVoiceError(f"{named}no prompt: {error}") from None
        mels.append(clip_window(parts.ctap.normalize(log_mel(samples))[part], frames))
    heard = torch.stack(mels)
    return Prompt(parts.ctap.prompt_encoder(heard)[0].mean(dim=0), heard)
