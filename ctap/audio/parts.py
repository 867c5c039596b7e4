"""A recording a minute at a time, so that an hour takes no more memory; it needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings

Samples = TypeVar("Samples")  # an array or a tensor

PART = 6000  # frames of a part: a minute


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
