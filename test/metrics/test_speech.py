"""Figures of generated speech, from waves and over lists of files, with made-up voices of known pitch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.settings import AudioSettings
from ctap.bin import score_speech
from ctap.errors import UserError
from ctap.metrics import speaker
from ctap.metrics.generated import Speech, metrics_of_recordings
from ctap.metrics.results import SIMILARITIES, read_items, read_scores
from ctap.metrics.speech import metrics_of_pairs, score_list, score_pair

SETTINGS = AudioSettings()
RATE = SETTINGS.sample_rate


def buzz(pitch, seconds=1.0, brightness=0.5, stretch=1.0, seed=0):
    """Harmonics of a slowly rising pitch, loud-soft-loud; ``pitch`` in Hz at the middle."""
    n = int(RATE * seconds * stretch)
    where = np.linspace(-1, 1, n)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * where)) / RATE
    wave = sum(brightness**k * np.sin((k + 1) * phase) for k in range(20))
    envelope = 0.55 + 0.45 * np.cos(2 * np.pi * where)
    noise = np.random.default_rng(seed).normal(size=n)
    return (0.2 * envelope * wave + 1e-4 * noise).astype(np.float32)


def test_a_copy_is_perfect():
    scores = score_pair(buzz(150), buzz(150), SETTINGS, same_length=True)
    assert scores["msep"] == 0 and scores["mel_cepstral_distortion"] == 0 and scores["voicing_error"] == 0
    assert scores["log_f0_rmse"] == 0 and scores["log_f0_correlation"] == pytest.approx(1)


def test_a_higher_voice_by_ten_hertz():
    scores = score_pair(buzz(150), buzz(160), SETTINGS, same_length=True)
    assert scores["msep"] == pytest.approx(100, rel=0.1)
    assert scores["log_f0_rmse"] == pytest.approx(math.log(160 / 150), rel=0.05)
    assert scores["log_f0_rmse_centred"] < 0.01 and scores["log_f0_correlation"] > 0.98


def test_warping_makes_slow_speech_comparable():
    slow = buzz(150, stretch=1.3)
    scores = score_pair(buzz(150), slow, SETTINGS, same_length=False)
    assert "msep" not in scores
    assert scores["log_f0_rmse"] < 0.05
    other = score_pair(buzz(150), buzz(150, brightness=0.8, stretch=1.3), SETTINGS, same_length=False)
    assert other["mel_cepstral_distortion"] > scores["mel_cepstral_distortion"] + 0.5
    with pytest.raises(UserError, match="101 frames in the reference but 131"):
        score_pair(buzz(150), slow, SETTINGS, same_length=True)


def test_silence_has_no_pitch_and_no_number():
    scores = score_pair(buzz(150), np.zeros(RATE, dtype=np.float32), SETTINGS, same_length=True)
    assert math.isnan(scores["msep"]) and scores["voicing_error"] > 0.5


@pytest.fixture
def waves(tmp_path):
    """Three utterances with their recordings, vocoded and generated speech, as wav.scp files."""
    pitches = {"u1": 140, "u2": 150, "u3": 160}

    def table(name, make, utts=pitches):
        lines = []
        for utt in utts:
            path = tmp_path / f"{name}_{utt}.wav"
            soundfile.write(path, make(pitches[utt]), RATE)
            lines.append(f"{utt} {path}\n")
        (tmp_path / f"{name}.scp").write_text("".join(lines))
        return str(tmp_path / f"{name}.scp")

    return {
        "reference": table("reference", buzz),
        "vocoded": table("vocoded", lambda pitch: buzz(pitch + 1)),
        "timed": table("timed", lambda pitch: buzz(pitch + 10)),
        "hypothesis": table("hypothesis", lambda pitch: buzz(pitch + 10, stretch=1.1)),
        "part": table("part", buzz, ["u2"]),
    }


class Pitch:
    """A 'speaker encoder' whose embedding turns with the strongest low frequency of the wave."""

    name, sample_rate = "pitch", RATE

    def __call__(self, wave):
        if not np.abs(wave).max() > 0:
            raise speaker.NoSpeechError("silent")
        spectrum = np.abs(np.fft.rfft(wave))
        angle = np.argmax(spectrum) * self.sample_rate / len(wave) / 100
        return np.array([np.cos(angle), np.sin(angle)])


def command(options):
    return [part for key, value in options.items() for part in (f"--{key}", value)]


def test_beside_stands_what_is_heard_in_the_same_utterances(waves):
    """Of u1, whose vocoded recording is another, nothing was said."""
    hypothesis, reference, vocoded = (Path(waves[name]) for name in ("part", "reference", "vocoded"))
    speech = Speech.of(hypothesis, reference, None, vocoded, None, None)
    speech.vocoded["u1"] = speech.vocoded["u3"]
    found = metrics_of_recordings(speech, AudioSettings(), nj=1, seed=0)["log_f0_rmse"]
    assert found.n == 1
    assert found.against["vocoded recording"] == pytest.approx(math.log(151 / 150), rel=0.3)


def test_a_text_to_speech_experiment(waves, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(speaker, "load_speaker_encoder", lambda name: Pitch())
    (tmp_path / "spk2utt").write_text("A u1 u2\nB u3\n")
    (tmp_path / "wav.scp").write_text(Path(waves["reference"]).read_text())
    out = tmp_path / "exp" / "tts_A" / "scores.json"
    options = {
        "reference": waves["reference"],
        "hypothesis": waves["hypothesis"],
        "vocoded": waves["vocoded"],
        "msep_hypothesis": waves["timed"],
        "target_speaker": "A",
        "seed": "3",
        "quality": "none",
        "config": "conf/x.yaml",
        "out": str(out),
    }
    score_speech.main([*command(options), "--speakers", str(tmp_path)])
    scores = read_scores(out)
    found = scores.metrics
    assert (scores.name, scores.task, scores.meta["seed"]) == ("tts_A", "tts", 3)
    assert scores.meta["settings"]["hop_length"] == 240
    assert found["msep"].value == pytest.approx(100, rel=0.1) and found["msep"].n == 3
    assert found["msep"].against["vocoded recording"] == pytest.approx(1, abs=0.3)
    assert found["msep"].interval[0] <= found["msep"].value <= found["msep"].interval[1]
    assert found["log_f0_rmse"].value == pytest.approx(math.log(160 / 150), rel=0.3)
    assert {"mel_cepstral_distortion", "log_f0_correlation", "log_f0_rmse_centred"} <= set(found)
    assert [key for key in found if "speaker" in key] == [
        "speaker_similarity/target",
        "speaker_similarity/nearest_other",
        "target_is_nearest_speaker",
        "target_speaker_rank",
    ]
    assert found["target_is_nearest_speaker"].against == {"chance": 0.5}
    assert "msep (Hz^2) ↓" in capsys.readouterr().out
    own = read_items(out)
    assert set(own) == set(found) and all(set(pairs) == {"u1", "u2", "u3"} for pairs in own.values())
    for key, pairs in own.items():
        assert sum(top for top, _ in pairs.values()) / 3 == pytest.approx(found[key].value, rel=1e-6), key
    head, *rows = [line.split("\t") for line in (out.parent / SIMILARITIES).read_text().splitlines()]
    assert head == ["utterance", "A", "B"] and [row[0] for row in rows] == ["u1", "u2", "u3"]
    for column, key in ((1, "target"), (2, "nearest_other")):
        mean = sum(float(row[column]) for row in rows) / 3
        assert mean == pytest.approx(found[f"speaker_similarity/{key}"].value, abs=1e-5)
    score_speech.main([*command(options), "--speakers", str(tmp_path), "--speaker_encoder", "none"])
    assert not (out.parent / SIMILARITIES).exists()


def test_a_conversion_is_compared_with_its_source(waves, tmp_path, monkeypatch):
    monkeypatch.setattr(speaker, "load_speaker_encoder", lambda name: Pitch())
    data = tmp_path / "speakers"
    data.mkdir()
    (data / "spk2utt").write_text("A u2\n")
    (data / "wav.scp").write_text(Path(waves["part"]).read_text())
    out = tmp_path / "scores.json"
    options = {
        "source": waves["reference"],
        "hypothesis": waves["timed"],
        "target_speaker": "A",
        "speakers": str(data),
        "quality": "none",
        "config": "c",
        "name": "vc_A",
        "out": str(out),
    }
    for reference in ([], ["--reference", waves["reference"]]):  # as the recipe says it
        score_speech.main([*command(options), *reference, "--msep_hypothesis", waves["timed"]])
        found = read_scores(out).metrics
        assert found["msep"].value == pytest.approx(100, rel=0.1)
        for key in ("msep", "log_f0_rmse", "mel_cepstral_distortion"):
            assert "another voice" in found[key].note and found[key].better == "neither"
        assert found["log_f0_correlation"].better == "higher"
    assert found["closer_to_target_than_source"].n == found["speaker_similarity/source"].n == 3
    assert "source recordings" in found["speaker_similarity/target"].against


def test_conversions_with_a_timing_of_their_own_are_scored_without_msep(waves, tmp_path):
    out = tmp_path / "scores.json"
    options = {"hypothesis": waves["hypothesis"], "source_scp": waves["reference"], "out": str(out)}
    score_speech.main(command({**options, "name": "vc_A", "speaker_encoder": "none", "quality": "none"}))
    found = read_scores(out).metrics
    assert read_scores(out).meta["config"] == "-"  # of speech from elsewhere
    assert "msep" not in found and found["mel_cepstral_distortion"].n == 3


def test_an_empty_list_is_refused_by_name(waves, tmp_path):
    (tmp_path / "none.scp").write_text("")
    options = {"reference": waves["reference"], "config": "c", "out": str(tmp_path / "scores.json")}
    with pytest.raises(UserError, match=r"none\.scp: lists no utterance"):
        score_speech.main.execute(command({**options, "hypothesis": str(tmp_path / "none.scp")}))
    with pytest.raises(UserError, match="--seed -1: expected 0 to 4294967295"):
        score_speech.main.execute([*command({**options, "hypothesis": waves["timed"]}), "--seed=-1"])


@pytest.mark.slow  # two new processes import everything once more
def test_processes_give_the_same_figures(waves, monkeypatch):
    from ctap.files.tables import read_table
    from ctap.metrics import speech

    monkeypatch.setattr(speech, "_WORTH_A_PROCESS", 1)

    reference, hypothesis = read_table(waves["reference"]), read_table(waves["hypothesis"])
    one = score_list(reference, hypothesis, SETTINGS, same_length=False)
    assert score_list(reference, hypothesis, SETTINGS, same_length=False, nj=2) == one


def test_what_can_not_be_scored_is_named_and_counted(waves, tmp_path, capsys):
    from ctap.files.tables import read_table

    reference, hypothesis = read_table(waves["part"]), read_table(waves["timed"])
    scores = score_list(reference, hypothesis, SETTINGS, same_length=True)
    assert list(scores) == ["u2"]
    assert "2 of 3 have no reference (first: u1)" in capsys.readouterr().err
    reference = read_table(waves["reference"])
    hypothesis["u1"] = str(tmp_path / "gone.wav")
    assert list(score_list(reference, hypothesis, SETTINGS, same_length=True)) == ["u2", "u3"]
    said = capsys.readouterr().err
    assert "u1" in said and "gone.wav" in said and "1 of 3 utterances not scored" in said
    with pytest.raises(UserError, match="none of 1 utterances could be scored"):
        score_list(reference, {"u1": "/nowhere.wav"}, SETTINGS, same_length=True)
    with pytest.raises(UserError, match="no utterance in common"):
        score_list({"x": "y"}, hypothesis, SETTINGS, same_length=True)


def test_figures_that_are_not_defined_do_not_count():
    scores = {"a": {"msep": 4.0}, "b": {"msep": math.nan}, "c": {"msep": 6.0}}
    metric = metrics_of_pairs(scores, ["msep"])["msep"]
    assert metric.value == 5 and metric.n == 2


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "nothing to compare with"),
        (["--config", ""], "no result goes without the configuration"),
        (["--msep_hypothesis", "x"], "needs --reference"),
    ],
)
def test_missing_options_are_named(waves, tmp_path, capsys, arguments, match):
    out = ["--out", str(tmp_path / "s.json"), "--speaker_encoder", "none", "--quality", "none"]
    with pytest.raises(SystemExit):
        score_speech.main(["--hypothesis", waves["part"], *out, *arguments])
    assert match in capsys.readouterr().err
    assert not (tmp_path / "s.json").exists()
