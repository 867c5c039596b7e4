"""Samples as files hold them to one channel on one scale, how loud they are, and what is odd.

Everything that reads recordings goes through :func:`one_channel`, so that features and remarks agree.
"""

from __future__ import annotations

import numpy as np

Remark = tuple[str, str]
"""A fixed phrase, which can be counted, and what differs."""

AVERAGED = "several channels, averaged"
CANCELLED = "channels cancel each other, the loudest taken"
DEAD = "dead channel, left out"
OFF_SCALE = "samples off scale, brought to -1..1"
CLIPPED = "clipped"
OFFSET = "DC offset"

SCALES = (1.0, 2.0**15, 2.0**23, 2.0**31)
"""Full scale of samples: as they should be, and integers of 16, 24 and 32 bits written as floats."""
HEADROOM = 4.0  # floats may pass full scale by 12 dB and still be on it
FAINT = 256.0  # integers of 16 bits that go no further lie 42 dB below full scale
SILENCE = 2e-4  # of full scale, -74 dB, 6 steps of 16 bits: a file whose samples keep closer to their mean
DEAD_SHARE = 1e-6  # of the loudest channel's power, -60 dB
CANCELLED_SHARE = 0.1  # of the channels' mean power: unlike noises keep half of it, like ones all
FULL_SCALE = 0.999
CLIPPED_SHARE = 1e-3  # of samples at full scale: a normalised recording has one or two
MOST_OFFSET = 0.01  # of full scale: the lowest band hears it


DB_PER_NEPER = 20 / np.log(10)  # of a natural logarithm of magnitudes


class LevelError(ValueError):
    """Samples that are not finite, or on no scale."""


def one_channel(samples: np.ndarray) -> tuple[np.ndarray, list[Remark]]:
    """Bring samples to scale and to one channel.

    Channels are averaged; one that is silent beside the others is left out; where they cancel each other, the
    loudest is taken.

    Args:
        samples: ``[N, C]`` float32.

    Returns:
        ``[N]`` float32, and what was done to it.

    Raises:
        LevelError: samples are not finite, or too large for any scale.
    """
    remarks: list[Remark] = []
    low, high = float(samples.min()), float(samples.max())
    peak = max(-low, high)
    if not np.isfinite(peak):
        raise LevelError("the audio holds NaN or infinite samples")
    scale = _scale(samples, peak)
    if scale != 1:
        samples = samples / np.float32(scale)
        remarks.append((OFF_SCALE, f"peak {peak:g}, divided by {scale:g}"))
    if samples.shape[1] == 1:
        return samples[:, 0], remarks
    wave, remark = _mixed(samples)
    return wave, [*remarks, remark]


def _scale(samples: np.ndarray, peak: float) -> float:
    """Full scale of samples with this peak."""
    if HEADROOM < peak < FAINT and not np.array_equal(samples, np.rint(samples)):
        return peak  # far too loud floats, since no integers
    for scale in SCALES:
        if peak <= HEADROOM * scale:
            return scale
    raise LevelError(f"the audio's samples go to {peak:g}, which fits no scale that samples are written in")


def _mixed(samples: np.ndarray) -> tuple[np.ndarray, Remark]:
    count = samples.shape[1]
    power = samples.var(axis=0, dtype=np.float64)
    loudest = int(power.argmax())
    alive = power > DEAD_SHARE * power[loudest]
    kept = samples[:, alive] if alive.any() else samples
    wave = kept.mean(axis=1)
    if not alive.any():
        return wave, (AVERAGED, f"{count} channels")
    if wave.var(dtype=np.float64) < CANCELLED_SHARE * power[alive].mean():
        return samples[:, loudest], (CANCELLED, f"channel {loudest + 1} of {count}")
    if not alive.all():
        dead = ", ".join(str(i + 1) for i in np.flatnonzero(~alive))
        return wave, (DEAD, f"channel {dead} of {count}")
    return wave, (AVERAGED, f"{count} channels")


def examine(wave: np.ndarray, full_scale: float = 1.0) -> tuple[bool, list[Remark]]:
    """Whether there is no sound in a recording, and what is odd about it: clipping, DC offset.

    Args:
        wave: ``[N]`` samples, floats or integers.
        full_scale: the level of full scale in their unit.

    Returns:
        Whether all samples are (nearly) the same; remarks on a recording that is used all the same.
    """
    low, high = float(wave.min()) / full_scale, float(wave.max()) / full_scale
    mean = float(wave.mean(dtype=np.float64)) / full_scale
    remarks: list[Remark] = []
    if max(-low, high) >= FULL_SCALE:
        limit = FULL_SCALE * full_scale
        share = (np.count_nonzero(wave >= limit) + np.count_nonzero(wave <= -limit)) / len(wave)
        if share > CLIPPED_SHARE:
            remarks.append((CLIPPED, f"{100 * share:.1f}% of samples at full scale"))
    if abs(mean) > MOST_OFFSET:
        remarks.append((OFFSET, f"mean {mean:+.3f} of full scale"))
    return max(high - mean, mean - low) < SILENCE, remarks


def levels(wave: np.ndarray, centres: np.ndarray, half: float) -> np.ndarray:
    """Mean power ``[T]``, in decibels of full scale, of ``half`` samples on each side of ``centres`` ``[T]``.

    What of them lies outside ``wave`` ``[N]`` does not count.
    """
    power = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    first = np.clip(centres - half, 0, len(wave)).astype(int)
    last = np.clip(centres + half, 0, len(wave)).astype(int)
    return 10 * np.log10((power[last] - power[first]) / np.maximum(last - first, 1) + 1e-12)
