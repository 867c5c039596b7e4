"""A model in use: the four verbs, the same from the command line, and long speech in bounded memory."""

from itertools import pairwise, product

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import ctap
from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.bin.convert import convert
from ctap.bin.embed import embed
from ctap.bin.recognize import recognize
from ctap.bin.synthesize import synthesize
from ctap.config import from_dict
from ctap.errors import UserError
from ctap.kaldi.ark import MatrixReader
from ctap.kaldi.io import read_table, write_table
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.duration import DurationConfig, DurationModel
from ctap.nn.phoneme_decoder import PhonemeDecoder
from ctap.nn.transformer import StackConfig
from ctap.tasks import inference
from ctap.tasks.model_dir import Parts
from ctap.text.tokens import TokenTable
from test import tiny

RATE = 24000


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    torch.manual_seed(0)
    tokens, audio = TokenTable.mandarin(), AudioSettings()
    net = CTAP(from_dict(CTAPConfig, tiny.MODEL, "test"), len(tokens), 40, [-5.0] * 40, [2.0] * 40)
    durations = DurationModel(8, 6, DurationConfig(layers=2, channels=8, predictor_channels=8), 2.3, 0.4)
    stack = from_dict(StackConfig, tiny.STACK, "test")
    asr = PhonemeDecoder(8, len(tokens), 0, stack)
    path = tmp_path_factory.mktemp("model") / "model"
    Parts(tokens, audio, net, durations, asr, asr_config=stack).save(path)
    return path


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    tone = 0.3 * np.sin(2 * np.pi * 180 * np.arange(RATE) / RATE) + 0.01 * np.random.default_rng(0).normal(
        size=RATE
    )
    soundfile.write(path, tone, RATE)
    return path


def test_load_is_what_was_saved(model_dir):
    parts = Parts.load(model_dir)
    again = model_dir.parent / "again"
    parts.save(again)
    for name in ("ctap", "duration", "asr"):
        a, b = (torch.load(p / f"{name}.pt", weights_only=True) for p in (model_dir, again))
        assert a.keys() == b.keys()
        assert all(torch.equal(a[k], b[k]) for k in a)


def test_one_embedding_every_ten_milliseconds(model_dir, wav):
    model = ctap.load(model_dir, device="cpu")
    s = model.embed(wav)
    assert s.shape == (num_frames(RATE, AudioSettings()), 8)
    wave = soundfile.read(wav, dtype="float32")[0]
    torch.testing.assert_close(model.embed(wave), s)


def test_synthesis_says_the_phones_in_the_durations(model_dir, wav):
    model = ctap.load(model_dir, device="cpu")
    phones = ["sil", "n", "i3", "h", "ao3", "sil"]
    speech = model.synthesize("ni3 hao3", wav, durations=[5, 8, 12, 7, 15, 5])
    assert speech.phones == phones
    assert speech.mel.shape == (52, 40)
    assert abs(len(speech.wave) - 52 * 240) <= 240
    assert np.isfinite(speech.wave).all()
    drawn = [model.synthesize("你好", wav, seed=s).durations for s in (1, 1)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == len(phones)
    steady = model.synthesize("你好", wav, durations="deterministic")
    assert min(steady.durations) >= 1
    with pytest.raises(UserError, match="3 durations for 6 phones"):
        model.synthesize("ni3 hao3", wav, durations=[1, 2, 3])


def test_faster_is_shorter(model_dir, wav):
    model = ctap.load(model_dir, device="cpu")
    slow, fast = (
        sum(model.predict_durations(["sil", *["a1"] * 20, "sil"], wav, speed=s)) for s in (0.5, 2.0)
    )
    assert fast < 0.5 * slow


def test_conversion_keeps_the_length(model_dir, wav):
    speech = ctap.load(model_dir, device="cpu").convert(wav, wav)
    assert abs(len(speech.wave) - RATE) <= 480


def test_recognition_labels_every_frame(model_dir, wav):
    heard = ctap.load(model_dir, device="cpu").recognize(wav)
    assert len(heard.frame_phones) == 101
    assert heard.text is None
    assert set(heard.phones) <= set(heard.frame_phones)


def test_long_speech_goes_in_windows(monkeypatch):
    """A function that looks a few frames around gives the same in windows as in one piece."""
    monkeypatch.setattr(inference, "WINDOW", 50)
    monkeypatch.setattr(inference, "MARGIN", 10)
    x = torch.randn(233, 3)

    def smooth(x):
        return torch.nn.functional.avg_pool1d(x.T[None], 5, 1, 2, count_include_pad=False)[0].T

    torch.testing.assert_close(inference.windowed(smooth, x), smooth(x))
    sizes = []
    inference.windowed(lambda y: sizes.append(len(y)) or y, x)
    assert max(sizes) <= 70


def test_a_missing_part_is_named_with_its_stage(model_dir, wav, tmp_path):
    parts = Parts.load(model_dir)
    parts.duration = parts.asr = None
    parts.save(tmp_path / "model")
    model = ctap.load(tmp_path / "model")
    with pytest.raises(UserError, match=r"'asr'.*stage 6"):
        model.recognize(wav)
    with pytest.raises(UserError, match=r"'duration'.*stage 4"):
        model.synthesize("你好", wav)
    with pytest.raises(UserError, match=r"model\.yaml is missing"):
        ctap.load(tmp_path)


def test_commands_write_what_the_functions_return(model_dir, wav, tmp_path):
    model = ctap.load(model_dir, device="cpu")
    write_table(tmp_path / "texts", {"u1": "你好", "u2": "zai4 jian4"})
    write_table(tmp_path / "wav.scp", {"u1": str(wav), "u2": str(tmp_path / "missing.wav")})
    synthesize(model_dir, wav, tmp_path / "tts", text_file=tmp_path / "texts", seed=3, device="cpu")
    said = read_table(tmp_path / "tts" / "durations")["u1"].split()
    assert list(map(int, said)) == model.synthesize("你好", wav, seed=3).durations
    assert soundfile.info(read_table(tmp_path / "tts" / "wav.scp")["u2"]).samplerate == RATE

    convert(model_dir, wav, tmp_path / "vc", scp=tmp_path / "wav.scp", device="cpu")
    assert set(read_table(tmp_path / "vc" / "wav.scp")) == {"u1"}  # the missing one is named and left out

    embed(model_dir, tmp_path / "s", wav=[wav], device="cpu")
    np.testing.assert_allclose(
        MatrixReader(tmp_path / "s" / "embed.scp")["a"], model.embed(wav).numpy(), atol=1e-6
    )

    recognize(model_dir, tmp_path / "asr", scp=tmp_path / "wav.scp", device="cpu", job=1, num_jobs=2)
    heard = read_table(tmp_path / "asr" / "durations.1")["u1"].split()
    assert sum(map(int, heard)) == 101


def test_nothing_readable_is_an_error(model_dir, tmp_path):
    write_table(tmp_path / "wav.scp", {"u": str(tmp_path / "missing.wav")})
    with pytest.raises(UserError, match="none of 1"):
        recognize(model_dir, tmp_path / "asr", scp=tmp_path / "wav.scp", device="cpu")


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 7), st.integers(1, 4), st.floats(0.0, 5.0), st.integers(0, 99))
def test_sticky_path_is_the_best_of_all_paths(frames, labels, penalty, seed):
    scores = torch.randn(frames, labels, generator=torch.Generator().manual_seed(seed))

    def worth(path):
        changes = sum(a != b for a, b in pairwise(path))
        return sum(scores[t, v].item() for t, v in enumerate(path)) - penalty * changes

    found = inference.sticky_path(scores, penalty).tolist()
    assert worth(found) == pytest.approx(max(map(worth, product(range(labels), repeat=frames))), abs=1e-4)
