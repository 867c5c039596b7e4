from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.audio.frames import boundaries_to_durations, durations_to_boundaries, num_frames, resampled_length
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError, WaveInfo, utterance_frames
from ctap.errors import UserError

SETTINGS = AudioSettings()


@settings(deadline=None)
@given(st.integers(1, 10**10), st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000, 11025]))
def test_resampled_length_is_the_exact_ceiling(samples, rate):
    assert resampled_length(samples, rate, 24000) == math.ceil(Fraction(samples) * 24000 / rate)


def test_frames_of_known_lengths():
    assert [num_frames(n, SETTINGS) for n in (1, 239, 240, 24000)] == [1, 1, 2, 101]
    # One second and one sample of AISHELL-3: 24000.54 samples, rounded up.
    assert utterance_frames(WaveInfo(44101, 44100, 1), SETTINGS) == 101


def test_frames_of_a_missing_file(tmp_path):
    with pytest.raises(AudioError, match="no such audio file"):
        utterance_frames(tmp_path / "x.wav", SETTINGS)


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=40), st.data())
def test_durations_sum_and_follow_the_boundaries(lengths, data):
    ends = list(accumulate(lengths))
    frames = num_frames(round(ends[-1] * 24000), SETTINGS)
    total = max(frames, len(ends))
    durations = boundaries_to_durations(ends, total, SETTINGS)
    assert sum(durations) == total
    assert min(durations) >= 1
    if min(lengths) > 0.0201:
        # Long segments: each boundary is where the frame centres pass it, nothing drifts.
        for end, edge in zip(ends[:-1], accumulate(durations), strict=False):
            assert (edge - 1) * 0.01 <= end + 2e-5
            assert edge * 0.01 >= end - 2e-5


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_boundaries_give_the_durations_back(durations):
    ends = durations_to_boundaries(durations, SETTINGS)
    assert boundaries_to_durations(ends, sum(durations), SETTINGS) == durations


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=60))
def test_multiples_of_the_shift_are_not_left_to_rounding_errors(durations):
    # As other aligners write them: boundary k at k * 10 ms, printed with few decimals.
    ends = [float(f"{edge * 0.01:.3f}") for edge in accumulate(durations)]
    assert boundaries_to_durations(ends, sum(durations), SETTINGS) == durations


def test_short_segments_take_a_frame_from_a_neighbour():
    assert boundaries_to_durations([0.1, 0.1, 0.1, 0.2], 21, SETTINGS) == [10, 1, 1, 9]
    assert boundaries_to_durations([0.2, 0.2, 0.2], 21, SETTINGS) == [19, 1, 1]


@pytest.mark.parametrize(
    ("ends", "total"), [([], 5), ([0.1, 0.2], 1), ([0.2, 0.1], 30), ([0.1, math.nan], 30)]
)
def test_impossible_boundaries_are_refused(ends, total):
    with pytest.raises(UserError):
        boundaries_to_durations(ends, total, SETTINGS)
