"""Predicted quality: a made-up predictor through the command, DNSMOS itself where installed, or absent."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
import soundfile

from ctap.bin.score_speech import main
from ctap.errors import UserError
from ctap.metrics import quality
from ctap.metrics.quality import DNSMOS, load_quality_predictor
from ctap.metrics.results import read_items, read_scores
from ctap.metrics.speaker import NoSpeechError

RATE = 16000


class Loudness:
    """A 'predictor' whose figure is the peak of the wave."""

    name, sample_rate = "loudness", RATE
    figures = types.MappingProxyType({"loudness/peak": "peak"})

    def __call__(self, wave):
        peak = float(np.abs(wave).max())
        if peak < 1e-6:
            raise NoSpeechError("silent")
        return {"loudness/peak": peak}


def table(folder, name, peaks):
    lines = []
    for utt, peak in peaks.items():
        path = folder / f"{name}_{utt}.wav"
        wave = peak * np.sin(2 * np.pi * 200 * np.arange(RATE // 2) / RATE)
        soundfile.write(path, wave, RATE, subtype="FLOAT")
        lines.append(f"{utt} {path}\n")
    (folder / f"{name}.scp").write_text("".join(lines))
    return str(folder / f"{name}.scp")


def test_scores_of_a_predictor_stand_beside_recording_and_vocoder(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(quality, "load_quality_predictor", lambda name: Loudness())
    hypothesis = table(tmp_path, "hypothesis", {"a": 0.2, "b": 0.4, "c": 0.0})
    reference = table(tmp_path, "reference", {"a": 0.8, "b": 0.6, "z": 0.1})
    vocoded = table(tmp_path, "vocoded", {"a": 0.5, "b": 0.5, "z": 0.1})
    out = tmp_path / "tts_x" / "scores.json"
    words = ["--hypothesis", hypothesis, "--reference", reference, "--vocoded", vocoded]
    main([*words, "--speaker_encoder", "none", "--config", "c", "--out", str(out)])
    found = read_scores(out).metrics["loudness/peak"]
    assert found.value == pytest.approx(0.3, rel=1e-3) and found.n == 2 and found.better == "higher"
    assert found.against == pytest.approx({"recording": 0.7, "vocoded recording": 0.5}, rel=1e-3)
    assert "predicted, not rated" in found.note
    assert read_items(out)["loudness/peak"]["b"] == pytest.approx((0.4, 1), rel=1e-3)
    assert "no loudness: c: silent" in capsys.readouterr().err


def test_without_the_package_there_is_a_line_and_no_column(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "speechmos", None)  # importing it fails
    assert load_quality_predictor() is None
    assert "no speech quality will be predicted" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"\.\[quality\]"):
        DNSMOS()
    with pytest.raises(UserError, match="unknown predictor of quality 'pesq'; there are: dnsmos"):
        load_quality_predictor("pesq")
    one = table(tmp_path, "one", {"a": 0.2})
    words = ["--hypothesis", one, "--reference", one, "--speaker_encoder", "none", "--config", "c"]
    main([*words, "--out", str(tmp_path / "scores.json")])
    assert not [key for key in read_scores(tmp_path / "scores.json").metrics if "mos" in key]


def test_a_list_without_one_figure_is_an_error(tmp_path):
    waves = {"a": str(tmp_path / "gone.wav")}
    with pytest.raises(UserError, match="hypothesis: loudness has a figure for none of 1"):
        quality.predict_list(waves, Loudness())


def fake_package(monkeypatch, answer):
    """A package speechmos that takes what the real one takes, and returns ``answer``."""
    heard = []

    def run(sample, sr, model_type="dnsmos", return_df=True, verbose=False):
        assert sr == 16000 and sample.size and np.abs(sample).max() <= 1
        heard.append(sample)
        return answer

    package = types.ModuleType("speechmos")
    package.dnsmos = types.SimpleNamespace(run=run)
    monkeypatch.setitem(sys.modules, "speechmos", package)
    return heard


def test_figures_of_the_package_get_their_names(monkeypatch):
    answer = {"ovrl_mos": np.float64(3.1), "sig_mos": 3.5, "bak_mos": 4.0, "p808_mos": np.float32(3.75)}
    heard = fake_package(monkeypatch, answer)
    found = DNSMOS()(1.2 * np.sin(np.arange(RATE)))
    assert found == {
        "dnsmos/overall": 3.1,
        "dnsmos/signal": 3.5,
        "dnsmos/background": 4.0,
        "dnsmos/p808": 3.75,
    }
    assert heard[0].dtype == np.float32
    # DNSMOS is no mean opinion score, and is not called one
    assert not any(key.startswith("mos") or "/mos" in key for key in DNSMOS.figures)


@pytest.mark.parametrize("wave", [np.zeros(0), np.zeros(RATE), np.full(9, np.nan), np.ones((2, 9))])
def test_no_sound_has_no_quality(monkeypatch, wave):
    heard = fake_package(monkeypatch, {})
    with pytest.raises(NoSpeechError):
        DNSMOS()(wave)
    assert not heard


def test_the_package_itself_hears_noise():
    """Runs where the extra `quality` is installed: noise lowers the background score."""
    pytest.importorskip("speechmos", reason="needs the extra `quality`")
    pytest.importorskip("onnxruntime", reason="needs the extra `quality`")
    rng = np.random.default_rng(0)
    time = np.arange(3 * RATE) / RATE
    phase = 2 * np.pi * 140 * time
    tone = sum(0.6**k * np.sin((k + 1) * phase) for k in range(12)) * (
        0.5 + 0.5 * np.sin(2 * np.pi * 3 * time)
    )
    clean = (0.2 * tone / np.abs(tone).max()).astype(np.float32)
    predictor = DNSMOS()
    good, bad = predictor(clean), predictor(clean + 0.1 * rng.normal(size=clean.size))
    assert set(good) == set(predictor.figures)
    assert all(0.5 < x < 5.5 for x in (*good.values(), *bad.values()))
    assert good["dnsmos/background"] > bad["dnsmos/background"]
    assert good == predictor(clean)
