"""What wav2vec 2.0 and HuBERT share: a stack of convolutions over the wave, and how the wave is scaled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ctap.upstream.timing import Timing


def conv_timing(kernels: Sequence[int], strides: Sequence[int], sample_rate: int) -> Timing:
    """When the frames of a stack of unpadded convolutions are: centred on what they see.

    Args:
        kernels: Kernel sizes, first layer first.
        strides: Strides.
        sample_rate: Hz.
    """
    receptive, step = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        receptive += (kernel - 1) * step
        step *= stride
    return Timing(sample_rate, math.prod(strides), receptive, twice_centre=receptive - 1)


def normalized(wave: Tensor, extractor: Any) -> Tensor:
    """The wave ``[N]`` as the extractor's settings want it: zero mean and unit variance, or as it is."""
    if not extractor.do_normalize:
        return wave
    return (wave - wave.mean()) / (wave.var(correction=0) + 1e-7).sqrt()
