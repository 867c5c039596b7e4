"""Log-mel and waveforms of any length, a part at a time: an hour takes no more memory than a minute does.

What goes in and comes out is held whole; what lies between (spectra, twelve times as large) is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ctap.audio.frames import num_frames
from ctap.audio.logmel import log_mel
from ctap.audio.settings import AudioSettings

Samples = TypeVar("Samples", np.ndarray, Tensor)

PART = 6000  # frames of a part: a minute
FADE = 4  # frames on both sides of a cut, over which one waveform fades into the next


def by_parts(
    function: Callable[[Samples, AudioSettings], Samples], wave: Samples, settings: AudioSettings, edge: int
) -> list[Samples]:
    """What ``function`` makes of the frames of a waveform ``[N]``, :data:`PART` of them at a time.

    Args:
        function: Gives of samples what belongs to their frames, ``[T, ...]``.
        wave: Samples at the settings' rate.
        settings: The audio settings.
        edge: Frames beside a part that its own may depend on.

    Returns:
        The parts, in order.
    """
    total, hop = num_frames(len(wave), settings), settings.hop_length
    parts = []
    for start in range(0, total, PART):
        first, stop = max(0, start - edge), min(start + PART, total)
        # of the last parts to the end of the samples, which may lie between two frames
        found = function(wave[first * hop : (stop + edge) * hop], settings)
        parts.append(found[start - first : stop - first])
    return parts


def long_log_mel(wave: Tensor, settings: AudioSettings) -> Tensor:
    """:func:`ctap.audio.logmel.log_mel` of one waveform ``[N]``: the same values."""
    edge = 1 + settings.n_fft // settings.hop_length  # more than a frame reaches, enough to be reflected
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
