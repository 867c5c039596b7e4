"""How many frames an utterance has, and how times become frame counts.

Frame ``t`` is centred on second ``t * frame_shift``. Every part of the toolkit that counts frames does
it here, so that features, F0 and durations agree to the frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError

_TIE = 1e-3  # of a frame: times written with a few decimals must not fall on either side by chance


def resampled_length(num_samples: int, rate_in: int, rate_out: int) -> int:
    """Samples after resampling: ``ceil(num_samples * rate_out / rate_in)``, in whole numbers."""
    return -(-num_samples * rate_out // rate_in)


def num_frames(num_samples: int, settings: AudioSettings) -> int:
    """Frames of a waveform of ``num_samples`` at the settings' rate: ``1 + num_samples // hop_length``."""
    return 1 + num_samples // settings.hop_length


def boundaries_to_durations(
    ends_seconds: Sequence[float], total_frames: int, settings: AudioSettings
) -> list[int]:
    """Frames of each segment, from the times at which the segments end.

    A frame belongs to the segment that holds its centre; one centred exactly on a boundary belongs to
    the right one. The counts come from cumulated times, so errors do not add up, and the last segment
    ends with the utterance. Segments too short to hold a centre take one frame from a neighbour.

    Args:
        ends_seconds: end of each segment in seconds, not falling; the last is taken as the
            utterance's end whatever it says.
        total_frames: frames of the utterance, see :func:`ctap.audio.wave.utterance_frames`.
        settings: the audio settings.

    Returns:
        One count per segment, each at least 1, that sum to ``total_frames``.

    Raises:
        UserError: there are no segments, more segments than frames, or times that fall.
    """
    count = len(ends_seconds)
    if count == 0:
        raise UserError("no segments to count frames for")
    if count > total_frames:
        raise UserError(
            f"{count} segments do not fit into {total_frames} frames of {settings.frame_shift:g} s"
        )
    before = 0.0
    for end in ends_seconds:
        if not math.isfinite(end) or end < before:
            raise UserError(f"segment ends must be finite and not fall: {end} after {before}")
        before = end
    edges = [math.ceil(end / settings.frame_shift - _TIE) for end in ends_seconds]
    edges[-1] = total_frames
    last = 0
    for i, edge in enumerate(edges):
        last = min(max(edge, last + 1), total_frames - (count - 1 - i))
        edges[i] = last
    return [edge - start for start, edge in zip([0, *edges[:-1]], edges, strict=True)]


def durations_to_boundaries(durations: Sequence[int], settings: AudioSettings) -> list[float]:
    """The end of each segment in seconds: the inverse of :func:`boundaries_to_durations`.

    A boundary between two frames lies midway between their centres; the last one is given as the last
    frame's centre plus half a frame shift, which may lie up to that much beyond the waveform's end.

    Args:
        durations: frames per segment.
        settings: the audio settings.
    """
    ends, total = [], 0
    for duration in durations:
        total += duration
        ends.append((total - 0.5) * settings.frame_shift)
    return ends
