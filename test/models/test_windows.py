"""Utterances of any length through networks that see so many frames at once."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.bin.train import train
from ctap.config import from_dict
from ctap.data.dataset import FeatureSet
from ctap.metrics.retrieval import retrieval
from ctap.models.model_dir import Parts
from ctap.models.windows import AnyLength, TrainedLengths, windowed, windows
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.tasks.build import TRAININGS, Sources
from test import tiny
from test.conftest import make_dump


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
    sizes["refiner"] = stack
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
        ctap.decoder.spread.fill_(1.5)  # around the mean of the utterance, which drifts; not that of a window
        drifting = p + torch.linspace(-2, 2, size)[:, None]
        torch.testing.assert_close(
            networks.speak(drifting, g), ctap.decoder.speak(drifting[None], g[None])[0]
        )


def test_conditions_of_durations_are_windowed_over_phones():
    torch.manual_seed(0)
    ctap = CTAP(from_dict(CTAPConfig, tiny.MODEL, "test"), 20).eval()
    tokens, prompt = torch.randint(2, 20, (60,)), torch.randn(40, 40)
    mask = torch.ones(1, 60, dtype=torch.bool)
    with torch.inference_mode():
        whole = ctap.duration_condition(tokens[None], mask, prompt[None])[0]
        g = ctap.prompt_encoder(ctap.normalize(prompt)[None])[0][0]
        assert torch.equal(AnyLength(ctap, TrainedLengths()).condition(tokens, g), whole)
        parts = AnyLength(ctap, TrainedLengths(phoneme_encoder=30)).condition(tokens, g)
    assert parts.shape == whole.shape
    torch.testing.assert_close(parts[:, 8:], whole[:, 8:])  # G


def test_further_training_on_shorter_utterances_keeps_the_longer_length():
    trained = TrainedLengths(0, 0, 0, 0, 0)
    assert trained.window("decoder") == 1000  # not trained: the default
    trained.reached(700, "decoder")
    trained.reached(300, "decoder", "asr")
    assert (trained.decoder, trained.asr, trained.window("asr")) == (700, 300, 300)


def test_a_minute_of_speech_is_as_good_as_its_parts(tmp_path):
    """A tiny model with a clock, trained on a second at a time: utterances, and all of them joined."""
    make_dump(tmp_path, "train", 40, seed=0)
    make_dump(tmp_path, "dev", 80, seed=1)
    stack = {**tiny.STACK, "dim": 32, "ffn": 64, "dropout": 0.0, "positions": "absolute"}
    common = {
        "data": {**tiny.DATA, "batch_frames": 1600, "max_frames": 100},
        "optim": {"lr": 1e-2, "warmup_steps": 10, "schedule": "linear"},
        "trainer": {**tiny.TRAINER, "max_steps": 40, "epoch_steps": 40, "keep_best": 0},
    }
    networks = dict.fromkeys(("speech_encoder", "phoneme_encoder", "decoder"), stack)
    own = {
        "pretrain": {"model": {**tiny.MODEL, "embed_dim": 16, **networks}},
        "asr": {"model": stack, "ctc_weight": 0.0},
    }
    sources = Sources(tmp_path / "train")
    for name in ("pretrain", "asr"):
        config = from_dict(TRAININGS[name][0], {**common, **own[name]}, "test")
        train(name, config, sources, tmp_path / name)
        sources = replace(sources, init=tmp_path / name / "model")
    parts = Parts.load(tmp_path / "asr" / "model")
    assert parts.trained == TrainedLengths(100, 100, 100, 100, 0)

    heard = FeatureSet(tmp_path / "dev", parts.tokens)
    mels = [parts.ctap.normalize(torch.from_numpy(heard.mels[u].copy())) for u in heard.utts]
    tokens, durations = ([torch.from_numpy(x) for x in xs] for xs in (heard.tokens, heard.durations))
    phones = torch.cat([t.repeat_interleave(d) for t, d in zip(tokens, durations, strict=True)])

    def figures(trained, utterances):
        """Phone retrieval within 3 frames, and the share of frames whose phone is recognised."""
        any_length = AnyLength(parts.ctap, trained)
        with torch.inference_mode():
            s = [any_length.speech(mel) for mel, _, _ in utterances]
            p = torch.cat([any_length.phonemes(t, d) for _, t, d in utterances])
            found = [windowed(lambda x: parts.asr(x)[0], x, trained.window("asr")).argmax(1) for x in s]
        near = retrieval(torch.cat(s), p, phones, lengths=[len(m) for m in mels], scope="utterance")
        return near["speech_to_phone/within_3"], (torch.cat(found) == phones).float().mean().item()

    short = list(zip(mels, tokens, durations, strict=True))
    joined = [(torch.cat(mels), torch.cat(tokens), torch.cat(durations))]
    assert len(phones) > 5500
    by_parts, windows_of_all = figures(parts.trained, short), figures(parts.trained, joined)
    at_once = figures(TrainedLengths(*[len(phones)] * 5), joined)
    assert min(by_parts) > 0.8
    assert all(a > b - 0.03 for a, b in zip(windows_of_all, by_parts, strict=True))
    assert all(a < b - 0.05 for a, b in zip(at_once, windows_of_all, strict=True))  # what windows are for
