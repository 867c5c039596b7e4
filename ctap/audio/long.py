"""Log-mel and waveforms of any length, a part at a time: an hour takes no more memory than a minute does.

What goes in and comes out is held whole; what lies between (spectra, twelve times as large) is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ctap.audio.logmel import log_mel
from ctap.audio.parts import PART, by_parts
from ctap.audio.settings import AudioSettings

FADE = 4  # frames on both sides of a cut, over which one waveform fades into the next


def long_log_mel(wave: Tensor, settings: AudioSettings) -> Tensor:
    """:func:`ctap.audio.logmel.log_mel` of one waveform ``[N]``: the same values."""
    edge = 1 + settings.n_fft // settings.hop_length  # more than a frame reaches, enough to be reflected
    with torch.autocast(wave.device.type, enabled=False):  # whatever a caller computes in
        return torch.cat(by_parts(log_mel, wave, settings, edge))


def quiet_cuts(mel: Tensor) -> list[int]:
    """Both ends of ``mel`` [T, M], and quiet frames that cut it into parts of at most ``PART``."""
    cuts = [0]
    while len(mel) - cuts[-1] > PART:
        # the third before the end of a part, but so that there is room for fading before the end of all
        low, high = cuts[-1] + 2 * PART // 3, min(cuts[-1] + PART, len(mel) - 2 * FADE)
        cuts.append(low + int(mel[low:high].mean(dim=1).argmin()))
    return [*cuts, len(mel)]


def vocode(vocoder: Callable[[Tensor], np.ndarray], mel: Tensor, settings: AudioSettings) -> np.ndarray:
    """A waveform of log-mel ``mel`` [T, M]: the vocoder's own, or faded from part to part where it is long.

    Args:
        vocoder: As :class:`ctap.audio.vocoder.Vocoder`.
        mel: Natural-log, de-normalised mel.
        settings: Its audio settings.

    Returns:
        Samples ``[N]``, with ``num_frames(N, settings) == T``.
    """
    if getattr(vocoder, "any_length", False):  # it goes part by part itself
        return vocoder(mel)
    hop, wave = settings.hop_length, np.zeros(0, np.float32)
    for start, stop in itertools.pairwise(quiet_cuts(mel)):
        first, last = max(0, start - FADE), min(len(mel), stop + FADE + 1)
        part = vocoder(mel[first:last])
        if last < len(mel):
            part = part[: (last - 1 - first) * hop]
        shared = len(wave) - first * hop
        if shared:
            rise = np.linspace(0, 1, shared, dtype=np.float32)
            part[:shared] = wave[-shared:] * (1 - rise) + part[:shared] * rise
        wave = np.concatenate([wave[: first * hop], part])
    return wave
