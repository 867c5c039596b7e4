"""Utterances of any length through networks that see so many frames at once."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.config import from_dict
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.tasks.windows import AnyLength, TrainedLengths, windowed, windows
from test import tiny


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(12, 900))
def test_windows_cover_every_frame_once_with_context(size, window):
    found = windows(size, window)
    assert [w.first for w in found] == [0, *(w.last for w in found[:-1])]
    assert found[-1].last == size
    assert {w.stop - w.start for w in found} == {min(size, window)}
    for before, after in pairwise(found):
        margin = window // 6
        assert before.stop - before.last >= margin and after.first - after.start >= margin


def test_what_looks_a_few_frames_around_is_the_same_in_windows():
    x = torch.randn(2333, 3)

    def smooth(x):
        return torch.nn.functional.avg_pool1d(x.mT, 15, 1, 7, count_include_pad=False).mT

    torch.testing.assert_close(windowed(smooth, x, 50), smooth(x[None])[0])
    sizes = []
    windowed(lambda y: sizes.append(y.shape[:2]) or y, x, 50)
    assert {frames for _, frames in sizes} == {50}
    assert max(count * frames for count, frames in sizes) <= 4000  # memory does not grow with the utterance


@pytest.mark.parametrize("size", [90, 700])
def test_convolutions_of_the_whole_model_are_the_same_in_windows(size):
    """Without attention every network's receptive field fits into the context of a window."""
    torch.manual_seed(0)
    stack = {**tiny.STACK, "layers": 0, "positions": "none"}
    sizes = {**tiny.MODEL, **dict.fromkeys(("speech_encoder", "phoneme_encoder", "decoder"), stack)}
    ctap = CTAP(from_dict(CTAPConfig, sizes, "test"), 20).eval()
    networks = AnyLength(ctap, TrainedLengths(80, 90, 100, 80, 80))
    mel, g = torch.randn(size, 40), torch.randn(6)
    cuts = torch.randperm(size - 1, generator=torch.Generator().manual_seed(1))[:24].sort().values + 1
    durations = torch.diff(torch.tensor([0, *cuts.tolist(), size]))
    tokens = torch.randint(2, 20, (len(durations),))
    with torch.inference_mode():
        s, p = networks.speech(mel), networks.phonemes(tokens, durations)
        torch.testing.assert_close(s, ctap.speech_encoder(mel[None])[0])
        torch.testing.assert_close(p, ctap.phoneme_encoder(tokens[None], durations[None], size)[0])
        torch.testing.assert_close(networks.decode(p, g), ctap.decoder(p[None], g[None])[0])


def test_conditions_of_durations_are_windowed_over_phones():
    torch.manual_seed(0)
    ctap = CTAP(from_dict(CTAPConfig, tiny.MODEL, "test"), 20).eval()
    tokens, prompt = torch.randint(2, 20, (60,)), torch.randn(40, 40)
    mask = torch.ones(1, 60, dtype=torch.bool)
    with torch.inference_mode():
        whole = ctap.duration_condition(tokens[None], mask, prompt[None])[0]
        assert torch.equal(AnyLength(ctap, TrainedLengths()).duration_condition(tokens, prompt), whole)
        parts = AnyLength(ctap, TrainedLengths(phoneme_encoder=30)).duration_condition(tokens, prompt)
    assert parts.shape == whole.shape
    torch.testing.assert_close(parts[:, 8:], whole[:, 8:])  # G


def test_further_training_on_shorter_utterances_keeps_the_longer_length():
    trained = TrainedLengths(0, 0, 0, 0, 0)
    assert trained.window("decoder") == 1000  # not trained: the default
    trained.reached(700, "decoder")
    trained.reached(300, "decoder", "asr")
    assert (trained.decoder, trained.asr, trained.window("asr")) == (700, 300, 300)
