"""Windows of utterances."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ctap.data.cropping import clip_window, crop_durations, most_phones


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 60))
def test_most_phones_is_the_most_of_all_windows(durations, size):
    spans = np.array(durations)
    total = int(spans.sum())
    tokens = np.arange(len(spans))
    starts = range(max(1, total - min(size, total) + 1))
    counts = [len(crop_durations(tokens, spans, start, min(size, total))[0]) for start in starts]
    assert most_phones(spans, size) == max(counts)


@pytest.mark.parametrize("frames", [3, 10, 25])
def test_prompts_are_windows_or_repeats(frames):
    mel = np.arange(frames)[:, None].astype(np.float32)
    window = clip_window(mel, 10, np.random.default_rng(0))
    assert window.shape == (10, 1)
    assert (np.diff(window[:, 0]) % frames == 1 % frames).all()


@pytest.mark.parametrize("frames", [4, 12])
def test_every_window_may_be_a_prompt(frames):
    drawn = (clip_window(np.arange(frames)[:, None], 10, np.random.default_rng(i)) for i in range(40))
    assert {int(window[0, 0]) for window in drawn} == {0, 1, 2}


@pytest.mark.parametrize("frames", [7, 40, 41, 399])
def test_the_prompt_in_use_is_the_middle_of_speech_whatever_holds_it(frames):
    mel = torch.arange(frames, dtype=torch.float32)[:, None].expand(-1, 4)
    prompt = clip_window(mel, 40)
    assert prompt.shape == (40, 4)
    if frames >= 40:
        assert prompt[0, 0] == (frames - 40) // 2
    repeated = mel.repeat(-(-40 // frames), 1)
    start = (len(repeated) - 40) // 2
    assert torch.equal(prompt, repeated[start : start + 40])
    np.testing.assert_array_equal(prompt, clip_window(mel.numpy(), 40))
