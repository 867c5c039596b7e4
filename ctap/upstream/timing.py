"""Which frame of a model stands for which frame of the toolkit, and windows over long recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """The times of a model's frames.

    Attributes:
        sample_rate: Rate of the model's input, Hz.
        stride: Samples from frame to frame.
        receptive: Samples that a frame needs: ``n`` samples give ``1 + (n - receptive) // stride`` frames.
        twice_centre: Twice the place of the first frame's centre, in samples (centres fall between samples).
    """

    sample_rate: int
    stride: int
    receptive: int
    twice_centre: int

    def num_frames(self, num_samples: int) -> int:
        """Frames of ``num_samples`` samples; shorter than one frame counts as one (it is padded)."""
        return 1 + max(0, num_samples - self.receptive) // self.stride

    def nearest(self, num_frames: int, shift: int, sample_rate: int, available: int) -> np.ndarray:
        """For each frame of the toolkit, the model's frame whose centre is nearest in time.

        The first and last frames reach as far as need be; of two equally near, the later one is taken.

        Args:
            num_frames: Frames of the toolkit; frame t is centred on sample ``t * shift``.
            shift: Samples from frame to frame in the toolkit.
            sample_rate: The toolkit's rate, Hz.
            available: Frames of the model.

        Returns:
            ``[num_frames]`` int64 in 0..available - 1, not falling.
        """
        # In whole numbers: with rounded ones, ties would fall to either side by chance.
        wanted = 2 * np.arange(num_frames, dtype=np.int64) * shift * self.sample_rate
        wanted += (self.stride - self.twice_centre) * sample_rate
        return np.clip(wanted // (2 * self.stride * sample_rate), 0, available - 1)

    def samples(self, first: int, last: int, num_samples: int) -> slice:
        """The samples to read for frames ``first`` to ``last - 1`` of a recording of ``num_samples``."""
        if last == self.num_frames(num_samples):
            return slice(
                first * self.stride, num_samples
            )  # what is left over counts where a model normalizes
        end = (last - 1) * self.stride + max(self.receptive, self.stride)
        return slice(first * self.stride, min(end, num_samples))


@dataclass(frozen=True)
class Window:
    """A part of a long recording, in frames: ``first:last`` is kept of what is read, ``start:end``."""

    start: int
    first: int
    last: int
    end: int


def windows(num_frames: int, size: int, context: int) -> list[Window]:
    """Cover ``num_frames`` frames by windows of at most ``size``, of which the edges are not kept.

    Args:
        num_frames: Frames in all.
        size: Most frames a window may read.
        context: Frames at either side that are read only to give the kept ones a neighbourhood.
    """
    if num_frames <= size:
        return [Window(0, 0, num_frames, num_frames)]
    keep = size - 2 * context
    if keep < 1:
        raise ValueError(f"windows of {size} frames leave nothing beside {context} frames at either side")
    return [
        Window(max(0, first - context), first, min(first + keep, num_frames),
               min(first + keep + context, num_frames))
        for first in range(0, num_frames, keep)
    ]  # fmt: skip
