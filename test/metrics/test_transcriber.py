"""Outside recognisers behind one interface: stand-ins for their packages, and a real tiny model."""

import json
import os
import pathlib
import sys
import types

import numpy as np
import pytest
import soundfile
import torch

from ctap.bin.common import Heard, Scored
from ctap.bin.score_transcripts import score_transcripts
from ctap.bin.transcribe import transcribe
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.metrics.recognition import transcription_rates
from ctap.metrics.transcriber import make_transcriber, without_loops

WAVE = np.zeros(8000)


def stand_in(monkeypatch, name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


def test_transformers_is_told_the_language_where_the_model_takes_one(monkeypatch, caplog):
    calls = []

    class Pipeline:
        def __init__(self, kind):
            known = types.SimpleNamespace(lang_to_id={"<|zh|>": 1, "<|en|>": 2})
            if kind.endswith(".en"):  # of which transformers says no more
                known = types.SimpleNamespace(is_multilingual=False)
            config = types.SimpleNamespace(model_type=kind.removesuffix(".en"))
            self.model = types.SimpleNamespace(config=config, generation_config=known)

        def __call__(self, heard, **options):
            calls.append((heard["sampling_rate"], heard["raw"].dtype, options))
            return {"text": "你好"}

    def pipeline(task, *, model, device, trust_remote_code):
        assert (task, device, trust_remote_code) == ("automatic-speech-recognition", "cpu", False)
        if model == "broken":
            raise OSError("no such thing")
        return Pipeline(model)

    stand_in(monkeypatch, "transformers", pipeline=pipeline)
    assert make_transcriber("transformers:whisper", language="en")(WAVE) == "你好"
    assert make_transcriber("transformers:wav2vec2", language="en")(WAVE) == "你好"
    told = {"language": "en", "task": "transcribe", "max_new_tokens": 38}  # of half a second
    assert calls[0] == (16000, np.float32, {"return_timestamps": False, "generate_kwargs": told})
    assert calls[1] == (16000, np.float32, {})
    with caplog.at_level("WARNING"):
        make_transcriber("transformers:whisper", language="yue")(WAVE)
    assert "language" not in calls[2][2]["generate_kwargs"] and "no language 'yue'" in caplog.text
    make_transcriber("transformers:whisper")(np.zeros(31 * 16000))
    assert calls[3][2] == {"return_timestamps": True, "generate_kwargs": {"task": "transcribe"}}
    caplog.clear()
    for language, words in (("en", 0), ("zh", 1)):  # one for English alone refuses to be told a task
        make_transcriber("transformers:whisper.en", language=language)(WAVE)
        assert calls[-1][2]["generate_kwargs"] == {"max_new_tokens": 38} and len(caplog.messages) == words
    with pytest.raises(UserError, match="broken: not a recogniser that transformers can load: no such thing"):
        make_transcriber("transformers:broken")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("好的好的好的", "好的好的好的"),
        ("听我说好的好的好的好的好", "听我说好的"),
        ("是不是要我" * 80 + "是不", "是不是要我"),
        ("你说,你说,你说,你说,然后他走了", "你说,然后他走了"),
        (" no no no no no, she said", " no, she said"),
        ("哈哈哈哈", "哈哈哈哈"),
        ("哈哈哈哈哈哈哈哈笑", "哈哈哈哈哈哈哈哈笑"),
        ("一共100000000元", "一共100000000元"),
        ("电话88888888", "电话88888888"),
        ("电话8 8 8 8 8 8,1212121212", "电话8 8 8 8 8 8,1212121212"),
        ("88888888你好你好你好你好", "88888888你好"),
        ("哈哈好哈哈好哈哈好哈哈好", "哈哈好"),
        ("1点1点1点1点1点", "1点"),
        ("", ""),
    ],
)
def test_a_loop_is_heard_once(text, expected):
    assert without_loops(text) == expected
    assert without_loops(expected) == expected


def test_faster_whisper_joins_its_segments(monkeypatch):
    languages, devices = [], []

    class WhisperModel:
        def __init__(self, model, device, device_index):
            devices.append((model, device, device_index))
            self.supported_languages = ["zh", "de"]

        def transcribe(self, wave, language, beam_size):
            languages.append((wave.dtype, language))
            return iter([types.SimpleNamespace(text="你"), types.SimpleNamespace(text="好")]), None

    stand_in(monkeypatch, "faster_whisper", WhisperModel=WhisperModel)
    assert make_transcriber("faster_whisper:large-v3", language="de")(WAVE) == "你好"
    assert make_transcriber("faster_whisper:large-v3", language="sw")(WAVE) == "你好"
    assert languages == [(np.float32, "de"), (np.float32, None)]
    make_transcriber("faster_whisper:large-v3", "cuda:1")
    assert devices == [*[("large-v3", "cpu", 0)] * 2, ("large-v3", "cuda", 1)]


def test_funasr(monkeypatch, caplog):
    class AutoModel:
        def __init__(self, model, device, disable_update, trust_remote_code):
            assert (model, disable_update, trust_remote_code) == ("paraformer-zh", True, False)

        def generate(self, input, fs):
            assert (input.dtype, fs) == (np.float32, 16000)
            return [{"key": "rand", "text": "你好"}]

    stand_in(monkeypatch, "funasr", AutoModel=AutoModel)
    with caplog.at_level("WARNING"):
        assert make_transcriber("funasr:paraformer-zh")(WAVE) == "你好"
    assert "only models that you trust" in caplog.text


class Trap:
    """Pickled: code that runs when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (pathlib.Path.touch, (self.path,))


@pytest.mark.parametrize("kind", ["funasr", "transformers"])
@pytest.mark.parametrize("told", [{}, {"weights_only": False}])
def test_weights_are_not_unpickled_whatever_the_package_says(monkeypatch, tmp_path, kind, told):
    """As FunASR 1.4 loads: ``torch.load(path)``; and as a package would that asked for pickles outright."""
    torch.save({"weight": Trap(tmp_path / "ran")}, tmp_path / "model.pt")

    def load(*_, model, **__):
        return torch.load(f"{model}/model.pt", map_location="cpu", **told)

    stand_in(monkeypatch, kind, AutoModel=load, pipeline=load)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(UserError, match=r"nothing is unpickled|can load"):
        make_transcriber(f"{kind}:{tmp_path}")
    assert not (tmp_path / "ran").exists()
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize("spec", ["", "whisper", "transformers:", "nonsense:x"])
def test_a_wrong_name_says_what_is_expected(spec):
    with pytest.raises(UserError, match=r"expected kind:model.*transformers, faster_whisper, funasr"):
        make_transcriber(spec)


def test_an_absent_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "funasr", None)
    with pytest.raises(UserError, match="needs the package funasr: pip install funasr"):
        make_transcriber("funasr:x")


def test_a_real_model_hears_something_or_nothing(tmp_path):
    transformers = pytest.importorskip("transformers", reason="needs the extra `upstream`")
    from test.tiny_upstreams import SPEECH

    vocabulary = tmp_path / "vocab.json"
    vocabulary.write_text(json.dumps({"<pad>": 0, "<unk>": 1, "|": 2, "你": 3, "好": 4}))
    tokenizer = transformers.Wav2Vec2CTCTokenizer(str(vocabulary), unk_token="<unk>", pad_token="<pad>")
    config = transformers.Wav2Vec2Config(**SPEECH, vocab_size=5)
    transformers.Wav2Vec2ForCTC(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "model")
    heard = make_transcriber(f"transformers:{tmp_path / 'model'}")(
        np.random.default_rng(0).normal(size=16000)
    )
    assert set(heard) <= set("你好 <unk>|")


def test_from_waves_to_error_rates(monkeypatch, tmp_path):
    """One substituted character of six, with its syllable; silence was heard in the third utterance."""
    said = {"u1": "你好", "u2": "再见", "u3": "大学"}
    phones = {"u1": "n i3 h ao3", "u2": "z ai4 j ian4", "u3": "d a4 x ve2"}
    heard = iter(["你好。", "在见", ""])
    stand_in(
        monkeypatch,
        "funasr",
        AutoModel=lambda **_: types.SimpleNamespace(generate=lambda **_: [{"text": next(heard)}]),
    )
    for utt in said:
        soundfile.write(tmp_path / f"{utt}.wav", 0.1 * np.random.default_rng(0).normal(size=24000), 24000)
    write_table(tmp_path / "wav.scp", {utt: str(tmp_path / f"{utt}.wav") for utt in said})
    (tmp_path / "ref").mkdir()
    write_table(tmp_path / "ref" / "text", said)
    write_table(tmp_path / "ref" / "phones", phones)
    transcribe("funasr:x", tmp_path / "wav.scp", tmp_path / "heard", device="cpu")
    assert read_table(tmp_path / "heard" / "text") == {"u1": "你好。", "u2": "在见", "u3": "⁇"}
    out = tmp_path / "scores.json"
    score_transcripts(Heard(tmp_path / "ref", tmp_path / "heard"), Scored(out, "tts_x"), asr="funasr:x")
    metrics = json.loads(out.read_text())["metrics"]
    assert metrics["transcribed_character_error_rate"]["value"] == pytest.approx(3 / 6)
    # 在 and 再 are read alike: only the silence is wrong
    assert metrics["transcribed_syllable_error_rate"]["value"] == pytest.approx(2 / 6)
    assert metrics["transcribed_character_error_rate"]["note"] == "heard by funasr:x"


def test_traditional_characters_and_digits_are_right_answers(tmp_path):
    """Whisper writes what it hears in either script, and numbers in digits."""
    said = {"u1": "为什么看着他", "u2": "赔两千元", "u3": "使用OK这个词"}
    (tmp_path / "ref").mkdir()
    (tmp_path / "heard").mkdir()
    write_table(tmp_path / "ref" / "text", said)
    write_table(tmp_path / "ref" / "phones", dict.fromkeys(said, "b a1"))
    heard = {"u1": "為什麽看著他？", "u2": "賠2000元", "u3": "使用 ok 這個詞"}
    write_table(tmp_path / "heard" / "text", heard)
    rates = transcription_rates(tmp_path / "ref", tmp_path / "heard")
    assert rates["character_error_rate"].rate == 0
    assert rates["character_error_rate"].per_utterance[:, 1].tolist() == [6, 4, 7]
    write_table(tmp_path / "heard" / "text", heard | {"u1": "為什麽看他", "u2": "陪2000元"})
    assert transcription_rates(tmp_path / "ref", tmp_path / "heard")["character_error_rate"].rate == 2 / 17
