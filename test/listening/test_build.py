"""From lists of waves to a test: joining by speaker and utterance, sounds, the page, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.wave import AudioError
from ctap.bin.listening_test import build as build_command
from ctap.errors import UserError
from ctap.files.tables import write_table
from ctap.listening.answers import check_answer, check_listener
from ctap.listening.material import gather, list_waves, parse_systems, speakers_of
from ctap.listening.sounds import active_level, encode
from ctap.listening.store import Store
from ctap.listening.web import page
from test.listening.conftest import write_results


def test_results_of_a_recipe_are_joined_without_conversion(exp: Path) -> None:
    material = gather(
        {
            "tts": [f"{exp}/tts_{{speaker}}/test"],
            "vocoded": [f"{exp}/eval/target_{{speaker}}_vocoded"],
            "recording": [f"{exp}/eval/target_{{speaker}}"],
        },
        reference=f"{exp}/eval/target_{{speaker}}",
        target=f"{exp}/prompts/{{speaker}}",
    )
    assert [(i.speaker, i.utt) for i in material.items] == [
        (s, f"{s}000{n}") for s in ("SSB0001", "SSB0002") for n in range(3)
    ]
    item = material.items[4]
    assert item.waves["vocoded"] == f"{exp}/eval/target_SSB0002_vocoded/wav/SSB00020001.wav"
    assert item.reference == item.waves["recording"] and item.text == "今天天气很好"
    assert item.target == f"{exp}/rec/SSB000294.wav"
    assert "speakers: SSB0001, SSB0002" in material.notes  # not SSB0001_vocoded, though a path would match


def test_conversion_meets_one_sentence_in_two_voices(exp: Path, tmp_path: Path, make_tone) -> None:
    for speaker in ("SSB0001", "SSB0002"):
        make_tone(tmp_path / f"vc_{speaker}/src1.wav", 300 + int(speaker[-1]))
    make_tone(tmp_path / "sources/src1.wav", 500)
    make_tone(tmp_path / "sources/src2.wav", 600)
    material = gather(
        {"vc": [f"{tmp_path}/vc_{{speaker}}"], "source": [f"{tmp_path}/sources"]},
        reference=f"{tmp_path}/sources",
        target=f"{exp}/voices",
    )
    assert [(i.speaker, i.utt) for i in material.items] == [("SSB0001", "src1"), ("SSB0002", "src1")]
    # of each speaker's recordings in voices, the one of about 4 s
    assert [Path(i.target).stem for i in material.items] == ["SSB000194", "SSB000294"]
    assert any("source: 2 of 4 utterances are not in all lists" in note for note in material.notes)


def test_speakers_are_found_where_their_name_occurs_twice(tmp_path: Path) -> None:
    for name in ("a/tts_a", "b/tts_b", "a/tts_b", "[x]/tts_[x]"):
        (tmp_path / name).mkdir(parents=True)
    assert speakers_of(f"{tmp_path}/{{speaker}}/tts_{{speaker}}") == {"a", "b", "[x]"}


def test_what_gathering_refuses(exp: Path, tmp_path: Path, make_tone) -> None:
    tts = {"tts": [f"{exp}/tts_{{speaker}}/test"]}
    with pytest.raises(UserError, match="expected NAME=PATH"):
        parse_systems(["exp/tts"])
    with pytest.raises(UserError, match="no such directory"):
        gather({"tts": [f"{exp}/nothing"]})
    with pytest.raises(UserError, match="no speaker is found by all"):
        gather({**tts, "b": [f"{exp}/{{speaker}}_none"]})
    with pytest.raises(UserError, match="has no speaker 'SSB0009'; found: SSB0001, SSB0002"):
        gather(tts, speakers=["SSB0009"])
    with pytest.raises(UserError, match="no utterance in common"):
        gather({"a": [f"{exp}/tts_SSB0001/test"], "b": [f"{exp}/tts_SSB0002/test"]})
    with pytest.raises(UserError, match="occurs a second time"):
        gather({"a": [f"{exp}/tts_SSB0001/test", f"{exp}/eval/target_SSB0001"]})
    with pytest.raises(UserError, match="nothing says who speaks"):
        gather({"a": [f"{exp}/tts_SSB0001/test"]}, target=f"{exp}/prompts/{{speaker}}")
    make_tone(tmp_path / "d/a.wav", 300)
    (tmp_path / "d/a.flac").touch()
    with pytest.raises(UserError, match="same name"):
        list_waves(tmp_path / "d")


def test_sounds_have_one_level_whatever_their_pauses(tmp_path: Path, make_tone) -> None:
    pause = np.zeros(16000, np.float32)
    loud = np.sin(np.arange(16000) * 0.3).astype(np.float32) * 0.5
    soundfile.write(tmp_path / "a.wav", np.concatenate([pause, loud, pause, pause]), 16000)
    levels = []
    for path in (tmp_path / "a.wav", Path(make_tone(tmp_path / "b.wav", 700, amplitude=0.01))):
        sound = encode(path, sample_rate=24000, level=-26.0, max_seconds=10)
        wave, rate = soundfile.read(io.BytesIO(sound.data))
        assert rate == 24000 and sound.seconds == pytest.approx(len(wave) / rate) and sound.quieter == 0
        levels.append(10 * np.log10(np.mean(wave[np.abs(wave) > 1e-3] ** 2)))
    # dB of full scale of what is not a pause, counted by samples instead of 20 ms
    assert levels == pytest.approx([-26, -26], abs=0.3)
    click = np.zeros(16000, np.float32)
    click[::400] = 0.9
    soundfile.write(tmp_path / "c.wav", click, 16000)
    spiky = encode(tmp_path / "c.wav", sample_rate=0, level=-10.0, max_seconds=10)
    wave, rate = soundfile.read(io.BytesIO(spiky.data))
    assert rate == 16000 and 0.98 < np.abs(wave).max() <= 1 and spiky.quieter > 5
    assert active_level(wave, rate) == pytest.approx(-10 - spiky.quieter, abs=0.1)
    soundfile.write(tmp_path / "s.wav", pause, 16000)
    with pytest.raises(AudioError, match="silence"):
        encode(tmp_path / "s.wav", sample_rate=0, level=None, max_seconds=10)


def test_the_page_holds_all_sounds_and_names_no_system(make_test, tmp_path: Path) -> None:
    built = make_test(title="A & B </script> %%script%%")
    text = built.page.read_text(encoding="utf-8")
    embedded = dict(re.findall(r'<script type="text/plain" id="sound-(\w+)">([^<]+)</script>', text))
    assert sorted(embedded) == built.plan.sounds
    for name, data in embedded.items():
        assert base64.b64decode(data) == (tmp_path / f"test/sounds/{name}.flac").read_bytes()
    # six utterances by three systems, six references that are the recordings themselves, two voices
    assert len(embedded) == 6 * 3 + 2 and len(built.plan.trials) == 6 * 3 * 3
    raw = re.search(r'<script type="application/json" id="test">(.*?)</script>', text, re.S)[1]
    shown = json.loads(raw)
    assert shown["title"] == "A & B </script> %%script%%" and text.count("<script>") == 1
    assert set(shown["trials"]) == set(built.plan.trials)
    for secret in ("vocoded", "tts", "SSB000", str(tmp_path)):
        assert secret not in raw
    served = page(built.plan, None)
    assert 'id="sound-' not in served and "connect-src 'self'" in served.replace("&#x27;", "'")
    assert not re.search(r"""(src|href)=["'](?!data:)""", text), "the page must need nothing else"


@pytest.mark.parametrize(("rules", "code"), [(None, "zh"), ('{"language": "espeak:de"}', "de")])
def test_the_page_says_in_which_language_texts_are(tmp_path: Path, rules: str | None, code: str) -> None:
    write_results(tmp_path / "exp")
    said = tmp_path / "exp/eval/target_SSB0001"
    if rules:
        (said / "text.json").write_text(rules)
    build_command(tmp_path / "test", [f"recording={said}"])
    raw = re.search(r'id="test">(.*?)</script>', (tmp_path / "test/page.html").read_text("utf-8"), re.S)[1]
    assert json.loads(raw)["language"] == code


def test_building_again_gives_the_same_test(make_test) -> None:
    first = make_test(max_trials=9)
    pages = first.page.read_bytes()
    again = make_test(max_trials=9)
    assert again.plan == first.plan and again.page.read_bytes() == pages
    assert make_test(max_trials=9, seed=1).plan.id != first.plan.id


def test_choice_of_utterances_is_even_over_speakers_and_the_same_for_all_questions(make_test) -> None:
    trials = make_test(utts=2).plan.trials.values()
    assert Counter(t.speaker for t in trials) == {"SSB0001": 18, "SSB0002": 18}
    by_question = {q: {t.utt for t in trials if t.question == q} for q in ("quality", "prosody", "speaker")}
    assert len(set(map(frozenset, by_question.values()))) == 1


def test_a_broken_sound_is_left_out_for_all_systems_and_named(exp: Path, make_test) -> None:
    wave = exp / "tts_SSB0001/test/wav/SSB00010001.wav"
    kept = wave.read_bytes()
    try:
        wave.write_bytes(b"")
        built = make_test()
    finally:
        wave.write_bytes(kept)
    assert Counter(t.system for t in built.plan.trials.values()) == dict.fromkeys(built.plan.systems, 15)
    assert any("SSB0001 SSB00010001" in note and "empty" in note for note in built.notes)


def test_what_building_refuses(make_test, exp: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected some of"):
        make_test(questions=["loudness"])
    with pytest.raises(UserError, match="at least one"):
        make_test(max_trials=2)
    with pytest.raises(UserError, match=r"no utterance is left.*longer than"):
        make_test(max_seconds=0.1)
    built = make_test()
    store = Store(tmp_path / "test/answers.sqlite", built.plan)
    listener = store.join("0" * 32, "x")
    trial = built.plan.share(0)["quality"][0]
    store.save(
        check_answer(built.plan, listener, trial, {"score": 3, "seconds": 1, "plays": 1, "revision": 1})
    )
    store.close()
    make_test()  # the same test may be written again
    with pytest.raises(UserError, match="holds 1 answers to another test"):
        make_test(title="another")
    assert check_listener("0" * 32, {"name": " x ", "slot": 3}).name == "x"
    write_table(tmp_path / "wav.scp", {"u": "nowhere.wav"})
    with pytest.raises(UserError, match="needs --reference"):
        from ctap.listening.build import choose_questions

        choose_questions(gather({"a": [str(tmp_path / "wav.scp")]}).items, ["prosody"])
