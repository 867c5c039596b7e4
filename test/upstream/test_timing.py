from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.upstream.timing import Timing, windows
from ctap.upstream.waveform import conv_timing

KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)


@settings(deadline=None)
@given(
    st.integers(1, 60),
    st.sampled_from([(240, 24000), (256, 22050), (160, 16000)]),
    st.sampled_from([(16000, 320, 399), (24000, 320, 319), (16000, 320, 0), (50, 1, 0)]),
    st.integers(1, 40),
)
def test_each_frame_gets_the_one_nearest_in_time(count, toolkit, model, available):
    shift, rate = toolkit
    sample_rate, stride, twice_centre = model
    timing = Timing(sample_rate, stride, 1, twice_centre)
    index = timing.nearest(count, shift, rate, available)
    centres = [(Fraction(twice_centre, 2) + j * stride) / sample_rate for j in range(available)]
    for t, found in enumerate(index):
        away = [abs(Fraction(t * shift, rate) - centre) for centre in centres]
        assert away[found] == min(away)
        assert found == max(j for j in range(available) if away[j] == away[found])


def test_a_stack_of_convolutions_has_the_frames_that_torch_makes():
    timing = conv_timing(KERNELS, STRIDES, 16000)
    assert (timing.stride, timing.receptive) == (320, 400)  # of wav2vec 2.0, its paper's 20 and 25 ms
    for samples in (400, 401, 719, 720, 16000, 16001, 31999):
        x = torch.zeros(1, 1, samples)
        for kernel, stride in zip(KERNELS, STRIDES, strict=True):
            x = torch.nn.functional.conv1d(x, torch.ones(1, 1, kernel), stride=stride)
        assert timing.num_frames(samples) == x.shape[-1]


def test_a_frame_is_centred_on_the_samples_it_sees():
    timing = conv_timing(KERNELS, STRIDES, 16000)
    wave = torch.zeros(1, 1, 4000, requires_grad=True)
    x = wave
    for kernel, stride in zip(KERNELS, STRIDES, strict=True):
        x = torch.nn.functional.conv1d(x, torch.ones(1, 1, kernel), stride=stride)
    x[0, 0, 3].backward()
    seen = wave.grad[0, 0].nonzero()
    assert seen.min() + seen.max() == timing.twice_centre + 2 * 3 * timing.stride


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(5, 200), st.integers(0, 2))
def test_windows_keep_every_frame_once_with_its_neighbourhood(count, size, context):
    found = windows(count, size, context)
    kept = np.concatenate([np.arange(w.first, w.last) for w in found])
    assert (kept == np.arange(count)).all()
    for w in found:
        assert w.end - w.start <= size
        assert w.start == max(0, w.first - context) or len(found) == 1
        assert w.end >= min(count, w.last + context)


def test_windows_that_would_keep_nothing_are_refused():
    with pytest.raises(ValueError, match="leave nothing"):
        windows(100, 4, 2)
