"""A model in use: the four verbs, the same from the command line, text of any length, limits."""

import json
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pytest
import soundfile
import torch

import ctap
from ctap.audio.frames import num_frames
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import AudioError
from ctap.bin.batch import Recordings, SomeLeftOutError
from ctap.bin.common import Heard, Scored
from ctap.bin.convert import convert
from ctap.bin.embed import embed
from ctap.bin.entry import command
from ctap.bin.predict_mels import predict_mels
from ctap.bin.recognize import recognize
from ctap.bin.resynthesize import resynthesize
from ctap.bin.score_asr import score_asr
from ctap.bin.synthesize import synthesize
from ctap.errors import UserError
from ctap.files.tables import read_table, write_table
from ctap.jobs import Share
from ctap.kaldi.ark import MatrixReader
from ctap.models import inference
from ctap.models.model_dir import Parts
from ctap.models.pitch import source_f0
from ctap.models.windows import TrainedLengths
from ctap.text.frontend import text_to_phones
from ctap.text.reading import read
from ctap.text.rules import TextRules
from test import tiny
from test.tiny_model import RATE, save_model, save_tone

#: A sentence of eSpeak NG, which the small recipe speaks.
SPEECH = Path(__file__).parents[2] / "docs" / "sounds" / "vc_source.ogg"


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model") / "model")


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    return save_tone(tmp_path_factory.mktemp("wav") / "a.wav")


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


def test_phones_have_a_vector_every_ten_milliseconds(model_dir):
    model = ctap.load(model_dir, device="cpu")
    phones, durations = ["sil", "n", "i3"], [4, 8, 15]
    p = model.embed_phones(phones, durations)
    tokens = torch.tensor([model.parts.tokens.encode(phones)])
    with torch.no_grad():  # the network itself
        expected = model.parts.ctap.phoneme_encoder(tokens, torch.tensor([durations]), 27)[0]
    torch.testing.assert_close(p, expected)
    assert p.shape == (27, 8)
    for wrong, frames, says in ((["x7"], [3], "x7"), (["n"], [0], "is 0"), (["n"], [1, 2], "2 durations")):
        with pytest.raises(UserError, match=says):
            model.embed_phones(wrong, frames)


def test_what_comes_out_can_be_learned_from(model_dir, wav):
    """Tensors of torch's inference mode can't: a layer on top of them has no gradient."""
    model = ctap.load(model_dir, device="cpu")
    mels = model.predict_mel(["sil", "a1"], [5, 6], wav), model.convert(wav, wav).mel
    spoken = model.embed_phones(["a1"], [3])
    for found in (model.embed(wav), spoken, model.embed_prompt(wav), *mels):
        weight = torch.zeros(found.shape[-1], requires_grad=True)
        (found @ weight).sum().backward()
        torch.testing.assert_close(weight.grad, found.reshape(-1, len(weight)).sum(0))
        assert not found.requires_grad


def test_synthesis_says_the_phones_in_the_durations(model_dir, wav):
    model = ctap.load(model_dir, device="cpu")
    phones = ["sil", "n", "i3", "h", "ao3", "sil"]
    speech = model.synthesize("ni3 hao3", wav, durations=[5, 8, 12, 7, 15, 5])
    assert speech.phones == phones
    assert speech.mel.shape == (52, 40)
    assert abs(len(speech.wave) - 52 * 240) <= 240
    assert np.isfinite(speech.wave).all()
    drawn = [model.synthesize("你好", wav, seed=s).durations for s in (1, np.int64(1))]
    drawn.append(model.predict_durations(phones, wav, seed=np.uint8(1)))
    assert drawn[0] == drawn[1] == drawn[2]
    with pytest.raises(TypeError, match="float"):
        model.synthesize("你好", wav, seed=1.5)
    for seed in (2**64 - 1, 2**70, -3):  # torch takes 64 bits, and a second sentence has the next seed
        assert model.synthesize("你好！再见。", wav, seed=seed).durations
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


def test_conversion_with_the_melody_of_its_source(model_dir, wav):
    """Only F0 differs: the source's, at the height of the prompt's."""
    model = ctap.load(model_dir, device="cpu")
    own, sung = (model.convert(SPEECH, wav, melody) for melody in ("model", "source"))
    assert torch.equal(own.mel, sung.mel)
    heard = model.parts.ctap.denormalize(model.prompt(wav).mels)
    f0 = source_f0(model.vocoder, model.log_mel(SPEECH), heard)
    assert np.array_equal(sung.wave, model.speak(own.mel, f0).wave)
    assert not np.allclose(sung.wave, own.wave, atol=1e-4)
    with pytest.raises(UserError, match="melody 'sorce': expected model or source"):
        model.convert(wav, wav, "sorce")
    with pytest.raises(UserError, match="takes the mel alone"):
        ctap.load(model_dir, device="cpu", vocoder="griffin_lim").convert(wav, wav, "source")


def test_recognition_labels_every_frame(model_dir, wav):
    heard = ctap.load(model_dir, device="cpu").recognize(wav)
    assert len(heard.frame_phones) == 101
    assert heard.text is None
    assert set(heard.phones) <= set(heard.frame_phones)


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
    write_table(tmp_path / "wav.scp", {"u1": str(wav), "u2": str(wav)})
    synthesize(model_dir, wav, tmp_path / "tts", text_file=tmp_path / "texts", seed=3, device="cpu")
    synthesize(model_dir, wav, tmp_path / "one", text="你好", seed=3, device="cpu")
    for folder, utt, seed in (
        ("tts", "u1", 3 + crc32(b"u1")),
        ("one", "text", 3),
    ):  # many: each its own noise
        said = read_table(tmp_path / folder / "durations")[utt].split()
        assert list(map(int, said)) == model.synthesize("你好", wav, seed=seed).durations
    assert soundfile.info(read_table(tmp_path / "tts" / "wav.scp")["u2"]).samplerate == RATE

    convert(model_dir, wav, tmp_path / "vc", Recordings(scp=tmp_path / "wav.scp"), device="cpu")
    assert set(read_table(tmp_path / "vc" / "wav.scp")) == {"u1", "u2"}

    embed(model_dir, tmp_path / "s", Recordings([wav]), device="cpu")
    np.testing.assert_allclose(
        MatrixReader(tmp_path / "s" / "embed.scp")["a"], model.embed(wav).numpy(), atol=1e-6
    )

    recognize(model_dir, tmp_path / "asr", Recordings(scp=tmp_path / "wav.scp", num_jobs=2), device="cpu")
    heard = read_table(tmp_path / "asr" / "durations.1")["u1"].split()
    assert sum(map(int, heard)) == 101


def test_bad_inputs_are_left_out_before_the_work_and_the_rest_is_done(model_dir, wav, tmp_path, monkeypatch):
    cut = tmp_path / "cut.ogg"
    soundfile.write(cut, 0.1 * np.random.default_rng(0).standard_normal(5 * RATE), RATE)
    cut.write_bytes(cut.read_bytes()[:-2000])
    waves = {"u1": wav, "u2": tmp_path / "missing.wav", "u3": cut, "u4": wav}
    lines = [f"{utt} {path}" for utt, path in waves.items()] + ["u/5 x.wav", "u6"]
    (tmp_path / "scp").write_text("\n".join(lines) + "\n")
    texts = ["u1 你好", "u2 zai4 jiann4", "u3 Кто", "u4 再见", "u/5 你好", "u6"]
    (tmp_path / "texts").write_text("\n".join(texts) + "\n", encoding="utf-8")
    AudioSettings().save(tmp_path / "audio.json")
    scp, cpu = tmp_path / "scp", {"device": "cpu"}
    calls = {
        "tts": ("wav.scp", lambda out: synthesize(model_dir, wav, out, text_file=tmp_path / "texts", **cpu)),
        "vc": ("wav.scp", lambda out: convert(model_dir, wav, out, Recordings(scp=scp), **cpu)),
        "vocoded": (
            "wav.scp",
            lambda out: resynthesize(tmp_path / "audio.json", out, Recordings(scp=scp), **cpu),
        ),
        "asr": ("phones", lambda out: recognize(model_dir, out, Recordings(scp=scp), **cpu)),
        "s": ("embed.scp", lambda out: embed(model_dir, out, Recordings(scp=scp), **cpu)),
    }
    for name, (table, run) in calls.items():
        out = tmp_path / name
        with pytest.raises(SomeLeftOutError, match=f"2 of 6 done, listed in {out}/{table}; 4 left out"):
            run(out)
        assert set(read_table(out / table)) == {"u1", "u4"}
        bad = {line.split("\t")[0]: line for line in (out / "left_out.tsv").read_text().splitlines()[1:]}
        assert set(bad) == {"u2", "u3", "u/5", "u6"}
        assert "input that can't be used" in bad["u2"] and "input that can't be used" in bad["u3"]
        said = (
            ("jiann4", "Кто") if name == "tts" else ("missing.wav: no such audio file", "cut.ogg: truncated")
        )
        assert said[0] in bad["u2"] and said[1] in bad["u3"]


def test_a_fault_in_the_work_costs_nothing_that_was_done(model_dir, wav, tmp_path, monkeypatch):
    """NaN is seen only when a recording is read."""
    soundfile.write(tmp_path / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    write_table(tmp_path / "wav.scp", {"u1": wav, "u2": tmp_path / "nan.wav", "u3": wav})
    with pytest.raises(SomeLeftOutError, match=r"2 of 3 done, .*u2: .*nan\.wav: the audio holds NaN"):
        embed(model_dir, tmp_path / "s", Recordings(scp=tmp_path / "wav.scp"), device="cpu")
    assert list(MatrixReader(tmp_path / "s" / "embed.scp")) == ["u1", "u3"]


def test_what_a_change_of_phone_costs_is_an_option_and_is_recorded(model_dir, tmp_path):
    wav = tmp_path / "a.wav"
    time = np.arange(RATE // 5) / RATE  # tones so unlike that any weights hear a change
    tones = [0.3 * np.sin(2 * np.pi * hertz * time) for hertz in (100, 400, 1000, 3000, 7000)]
    soundfile.write(wav, np.concatenate(tones), RATE)
    model = ctap.load(model_dir, device="cpu")
    assert model.recognize(wav).frame_phones == model.recognize(wav, 4.0).frame_phones
    counts = []
    for penalty in (0.0, 4.0, 1e6):
        out = tmp_path / str(penalty)
        recognize(model_dir, out, Recordings([wav]), device="cpu", switch_penalty=penalty)
        counts.append(len(read_table(out / "durations")["a"].split()))
        assert json.loads((out / "recognition.json").read_text())["switch_penalty"] == penalty
    assert counts[0] > counts[1] >= counts[2] == 1
    said = {"phones": {"a": "n i3"}}
    for name, rows in said.items():
        write_table(tmp_path / "said" / name, rows)
    heard, scored = Heard(tmp_path / "said", tmp_path / "4.0"), Scored(tmp_path / "scores.json", "asr")
    score_asr(heard, scored, frames=False)
    meta = json.loads((tmp_path / "scores.json").read_text())["meta"]
    assert meta["recognition"] == {"model": str(model_dir), "switch_penalty": 4.0}
    with pytest.raises(UserError, match="switch_penalty -1"):
        recognize(model_dir, tmp_path, Recordings([wav]), device="cpu", switch_penalty=-1)


def test_nothing_readable_is_an_error(model_dir, tmp_path):
    write_table(tmp_path / "wav.scp", {"u": str(tmp_path / "missing.wav")})
    with pytest.raises(UserError, match="none of 1"):
        recognize(model_dir, tmp_path / "asr", Recordings(scp=tmp_path / "wav.scp"), device="cpu")


@pytest.fixture
def model(model_dir):
    """A model whose vocoder takes no time."""
    model = ctap.load(model_dir, device="cpu")
    model.vocoder = silent
    return model


def silent(mel):
    return np.zeros((len(mel) - 1) * AudioSettings().hop_length, np.float32)


LONG_TEXT = "今天天气很好，我们一起出去走走吧。" * 28 + "你知道现在几点了吗？" * 3  # 506 characters


def test_a_text_of_500_characters_is_said_sentence_by_sentence(model, wav):
    said = model.synthesize(LONG_TEXT, wav, seed=5, durations="deterministic", pause=0.6)
    assert len(LONG_TEXT) > 500
    assert said.phones[0] == said.phones[-1] == "sil"
    assert len(said.phones) == len(said.durations)
    assert sum(said.durations) == len(said.mel)
    assert num_frames(len(said.wave), model.parts.audio) == len(said.mel)
    pauses = [n for p, n in zip(said.phones, said.durations, strict=True) if p == "sil"][1:-1]
    assert pauses == [60] * 30
    # each sentence is what it is by itself, but for the pauses at its ends
    alone = model.synthesize("今天天气很好，我们一起出去走走吧。", wav, durations="deterministic")
    start = said.phones.index("sil", 1) + 1
    inner = len(alone.phones) - 2
    assert said.phones[start : start + inner] == alone.phones[1:-1]
    assert said.durations[start : start + inner] == alone.durations[1:-1]
    assert model.synthesize(LONG_TEXT, wav, durations="deterministic").durations.count(40) >= 30


def test_one_sentence_is_said_as_it_always_was(model, wav):
    """Commas do not cut a sentence of the usual length, and nothing of it depends on the pause."""
    text = "你好，再见，今天天气很好。"
    said, again = (model.synthesize(text, wav, seed=3, pause=p) for p in (0.0, 2.0))
    assert said.phones == text_to_phones(text)
    assert said.durations == model.predict_durations(said.phones, wav, seed=3) == again.durations
    tokens = torch.tensor([model.parts.tokens.encode(said.phones)])
    with torch.inference_mode():
        p = model.parts.ctap.phoneme_encoder(tokens, torch.tensor([said.durations]), len(said.mel))
        mel = model.parts.ctap.decoder.speak(p, model.embed_prompt(wav)[None])[0]
    assert torch.equal(model.parts.ctap.denormalize(mel), said.mel)


def test_every_sentence_has_durations_drawn_for_it(model, wav):
    """The same sentence twice is not said twice in the same way."""
    said = model.synthesize("你好。你好。", wav, seed=5)
    phones = text_to_phones("你好。")
    first, second = (model.predict_durations(phones, wav, seed=seed) for seed in (5, 6))
    assert said.durations == [*first[:-1], 40, *second[1:]]
    assert first != second
    fast = model.synthesize("你好。你好。", wav, seed=5, speed=2.0)
    assert fast.durations[len(first) - 1] == 40  # the pause has the length that is asked for


def test_text_is_the_best_path_without_repeats_and_then_without_blanks(model, monkeypatch):
    best = torch.tensor([[0, 2, 2, 0, 2, 3, 3, 0]])
    scores = torch.zeros(1, 8, len(model.parts.tokens)), torch.nn.functional.one_hot(best, 5).float()
    monkeypatch.setattr(model.parts, "asr", lambda x: scores)
    monkeypatch.setattr(model.parts, "units", SimpleNamespace(decode=str))
    assert model.recognize_embedding(torch.zeros(8, 8)).text == "[2, 2, 3]"


def test_a_list_of_phones_too_long_for_the_model_is_cut(model, wav):
    phones = ["sil", *["b", "a1"] * 200, "sil"]
    said = model.synthesize(phones, wav)
    assert said.phones == phones
    assert sum(said.durations) == len(said.mel)


def test_no_network_is_given_more_frames_than_it_was_trained_on(model_dir, wav):
    """Everything a model does, with 40 s of speech and a long text."""
    parts = Parts.load(model_dir)
    parts.trained = TrainedLengths(500, 400, 300, 200, 60)
    model = inference.Model(parts)
    model.vocoder = silent
    seen = {}
    for name in ("speech_encoder", "phoneme_encoder", "decoder", "asr"):
        module = parts.asr if name == "asr" else getattr(parts.ctap, name)

        def note(module, args, output, name=name):
            frames = output[0] if isinstance(output, tuple) else output
            seen[name] = max(seen.get(name, 0), frames.shape[1])

        module.register_forward_hook(note)
    wave = np.random.default_rng(0).normal(size=40 * RATE).astype(np.float32) * 0.1
    assert len(model.recognize(wave).frame_phones) == len(model.embed(wave)) == 4001
    assert len(model.convert(wave, wav).mel) == 4001
    model.synthesize(["sil", "b", "a1", "sil"], wav, durations=[500, 900, 900, 500])
    model.synthesize(LONG_TEXT, wav)
    assert seen == {"speech_encoder": 500, "phoneme_encoder": 400, "decoder": 300, "asr": 200}


def test_of_a_prompt_the_part_with_most_speech_is_heard(model, tmp_path):
    """8 s of silence around 4 s of speech: as good as the speech alone."""
    speech, silence = tiny.voice(4.0), np.zeros(4 * RATE, np.float32)
    inner = model.embed_prompt(speech)
    for before, after in ((silence, silence), (silence[:0], np.tile(silence, 2))):
        found = model.embed_prompt(np.concatenate([before, speech, after]))
        assert torch.cosine_similarity(found, inner, dim=0) > 0.99
    for nothing in (silence, silence[:1], 0.05 * np.random.default_rng(0).standard_normal(4 * RATE)):
        soundfile.write(tmp_path / "p.wav", nothing, RATE)
        with pytest.raises(UserError, match=r"p\.wav: no prompt: 0\.\d\d s of speech"):
            model.synthesize("你好", tmp_path / "p.wav")


def test_several_prompts_are_averaged(model, tmp_path):
    voices = [tiny.voice(2.0, pitch=pitch) for pitch in (110.0, 220.0)]
    each = [model.embed_prompt(voice) for voice in voices]
    assert not torch.allclose(*each, atol=1e-3)
    together = model.prompt(voices)
    torch.testing.assert_close(together.g, torch.stack(each).mean(dim=0))
    said = [model.synthesize("你好", prompt, durations="deterministic") for prompt in (voices, together)]
    assert torch.equal(said[0].mel, said[1].mel)
    phones = text_to_phones("你好")
    tokens = torch.tensor(model.parts.tokens.encode(phones))
    conditions = [model.networks.condition(tokens, model.prompt(voice).g) for voice in voices]
    both = model.networks.condition(tokens, together.g)
    torch.testing.assert_close(both, torch.stack(conditions).mean(dim=0))
    with pytest.raises(UserError, match="no prompt: expected a recording"):
        model.prompt([])


def test_a_missing_prompt_is_said_once_by_its_name(model_dir, wav, tmp_path, capsys):
    write_table(tmp_path / "texts", {"u1": "你好", "u2": "再见"})
    words = ["--model", model_dir, "--prompt", wav, tmp_path / "no.wav", "--out", tmp_path / "out"]
    for function, more in ((synthesize, ["--text_file", tmp_path / "texts"]), (convert, ["--wav", wav])):
        with pytest.raises(SystemExit) as stop:
            command(function)([*map(str, [*words, *more]), "--device", "cpu"])
        assert stop.value.code == 1
        said = capsys.readouterr().err
        assert said.count("no.wav: no such audio file") == 1 and "u1" not in said
    assert not (tmp_path / "out" / "wav.scp").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"speed": 0.0}, r"speed 0: expected 0\.2 to 5"),
        ({"speed": -1.0}, "speed -1"),
        ({"speed": float("nan")}, "speed nan"),
        ({"speed": 1e9}, r"speed 1e\+09"),
        ({"speed": 1e-9}, "speed 1e-09"),
        ({"pause": -0.1}, "pause -0.1"),
        ({"pause": float("nan")}, "pause nan"),
        ({"max_seconds": 0.05}, r"s of speech, more than the 0\.05 s"),
        ({"durations": [5, 8, 0, 7, 15, 5]}, r"duration 3 \(i3\) is 0: expected whole frames, 1 to 6000"),
        ({"durations": [5, 8, 7000, 7, 15, 5]}, r"duration 3 \(i3\) is 7000"),
        ({"durations": [5, 8, 2.5, 7, 15, 5]}, r"is 2\.5"),
        ({"durations": [5, 8, float("nan"), 7, 15, 5]}, "is nan"),
        ({"durations": [5, 8, float("inf"), 7, 15, 5]}, "is inf"),
        ({"durations": [6000] * 6, "max_seconds": 300}, r"360\.0 s of speech, more than the 300 s"),
    ],
)
def test_what_is_out_of_bounds_is_refused(model_dir, wav, options, message):
    with pytest.raises(UserError, match=message):
        ctap.load(model_dir, device="cpu").synthesize("你好", wav, **options)


def test_nothing_to_say_is_refused(model_dir, wav):
    model = ctap.load(model_dir, device="cpu")
    for say in (model.synthesize, model.predict_durations):
        with pytest.raises(UserError, match="no phones to say"):
            say([], wav)


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (np.zeros(9600, np.int16), r"int16 \[9600\]: expected one channel \[N\] of floats"),
        (np.zeros((9600, 2), np.float32), r"float32 \[9600, 2\]"),
        (np.zeros(0, np.float32), r"float32 \[0\]"),
        (np.full(9600, np.nan), "not all finite"),
    ],
)
def test_arrays_that_are_no_samples_are_refused(model_dir, wave, message):
    model = ctap.load(model_dir, device="cpu")
    for use in (model.embed, model.embed_prompt, model.recognize):
        with pytest.raises(AudioError, match=message):
            use(wave)


def test_a_model_gone_wild_is_clamped(model_dir, wav):
    """A predictor that asks for e^20 frames a phone."""
    parts = Parts.load(model_dir)
    parts.duration.predictor.project.bias.data.fill_(20.0)
    said = inference.Model(parts).synthesize("你好", wav, durations="deterministic")
    most = np.expm1(2.3 + 4 * 0.4)
    assert all(abs(n - most) <= 1 for n in said.durations)
    parts.duration.predictor.project.bias.data.fill_(float("nan"))
    with pytest.raises(UserError, match="not a number"):
        inference.Model(parts).synthesize("你好", wav, durations="deterministic")


def test_the_command_names_the_utterance(model_dir, wav, tmp_path):
    write_table(tmp_path / "phones", {"u1": "sil a1 sil", "u2": "sil a1 sil"})
    for line, message in (("3 9000 3", "u2: duration 2"), ("3 x 3", "u2: 'x' is not a whole number")):
        write_table(tmp_path / "durations", {"u1": "3 4 3", "u2": line})
        with pytest.raises(UserError, match=message):
            synthesize(
                model_dir,
                wav,
                tmp_path / "out",
                phones_file=tmp_path / "phones",
                durations_file=tmp_path / "durations",
                device="cpu",
            )


def test_text_is_read_as_the_models_training_was(model_dir, wav, tmp_path):
    """Phones said for hanzi and for pinyin are those of the labels, with and without sandhi."""
    for sandhi in (False, True):
        parts = Parts.load(model_dir)
        parts.text = TextRules(sandhi=sandhi)
        parts.save(tmp_path / str(sandhi))
        model = ctap.load(tmp_path / str(sandhi), device="cpu")
        label = read("你好", None, sandhi=sandhi)
        assert label.phones == ["n", "i2" if sandhi else "i3", "h", "ao3"]
        for text in ("你好", " ".join(label.pinyin)):
            assert model.synthesize(text, wav).phones == ["sil", *label.phones, "sil"]
            assert model.synthesize(text, wav, durations=[9] * 6).phones == ["sil", *label.phones, "sil"]


def test_predicted_mels_are_those_that_are_said_whatever_the_number_of_jobs(model_dir, wav, tmp_path):
    phones, spans = ["sil", "n", "i3", "sil"], [30, 20, 31, 20]
    data = {"wav.scp": wav, "aligned_phones": " ".join(phones), "durations": " ".join(map(str, spans))}
    for name, value in data.items():
        write_table(tmp_path / name, {"a": value, "b": value})
    for job in (1, 2):
        predict_mels(model_dir, tmp_path, tmp_path / "out", device="cpu", share=Share(job, 2))
    said = ctap.load(model_dir, device="cpu").synthesize(phones, wav, durations=spans).mel
    for job, utt in ((1, "a"), (2, "b")):
        found = MatrixReader(tmp_path / "out" / f"feats.scp.{job}")
        assert list(found) == [utt]
        np.testing.assert_allclose(found[utt], said, atol=0.05)  # stored in a byte
    write_table(tmp_path / "durations", {"a": "30 20 31 20"})
    with pytest.raises(UserError, match="durations: nothing of b and 0 more"):
        predict_mels(model_dir, tmp_path, tmp_path / "out", device="cpu")


def test_what_can_not_be_said_or_heard_is_refused_in_words(model_dir, wav):
    model = ctap.load(model_dir, device="cpu")
    with pytest.raises(UserError, match="durations 'difusion': expected diffusion or deterministic"):
        model.synthesize("你好", wav, durations="difusion")
    with pytest.raises(UserError, match="durations 'other': expected"):
        model.predict_durations(["sil", "n", "i3"], wav, source="other")
    for durations, message in ((None, "None: expected the frames"), (["5", "6"], r"\(sil\) is '5'")):
        with pytest.raises(UserError, match=message):
            model.synthesize(["sil", "a1"], wav, durations=durations)
    for text in ([3, 4], None):
        for durations in ("diffusion", [5, 6]):
            with pytest.raises(UserError, match=r"expected a text or a list of phones, .*found (3|None)"):
                model.synthesize(text, wav, durations=durations)
    for other in (torch.zeros(5, 3), np.zeros((5, 8)), torch.zeros(0, 8)):
        with pytest.raises(
            UserError, match=r"\[\d, \d\]: expected speech embeddings, a tensor \[T, 8\] with T >= 1"
        ):
            model.recognize_embedding(other)
    with pytest.raises(UserError, match="no phones to say"):
        model.predict_mel([], [], wav)
    with pytest.raises(UserError, match=r"not in UTF-8: '\\udcff' stands at its character 2"):
        model.check_text("你\udcff好")
    for penalty in (-1.0, float("nan")):
        with pytest.raises(UserError, match=r"switch_penalty .*: expected 0 or more"):
            model.recognize(wav, switch_penalty=penalty)
    for hear in (model.embed, model.prompt):
        with pytest.raises(AudioError, match="Tensor: expected a file or a numpy array"):
            hear(torch.zeros(RATE))
