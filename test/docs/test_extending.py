"""docs/extending.md: what it names is where it says, and a figure takes one file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ctap.audio.settings import AudioSettings
from ctap.bin.report import report
from ctap.metrics import speech
from ctap.metrics.results import write_scores
from test import tiny

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([^`]+)` in\s+\[[^]]+\]\(\.\./([^)]+)\)", PAGE)


@pytest.mark.parametrize(("name", "path"), NAMED)
def test_what_is_named_is_there(name: str, path: str) -> None:
    assert len(NAMED) >= 5
    assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", (ROOT / path).read_text(encoding="utf-8"))


def test_a_figure_that_one_file_computes_is_on_both_pages(tmp_path, monkeypatch) -> None:
    """The file is ctap/metrics/speech.py: a line of _KINDS and a value of score_pair."""
    pair = speech.score_pair
    kinds = {**speech._KINDS, "loudness_error": {"unit": "dB", "better": "lower", "note": "new here"}}
    monkeypatch.setattr(speech, "_KINDS", kinds)
    monkeypatch.setattr(speech, "score_pair", lambda *a, **k: {**pair(*a, **k), "loudness_error": 1.25})
    wave = tiny.voice(0.6)
    scores = {"a": speech.score_pair(wave, 0.9 * wave, AudioSettings(), same_length=False)}
    keys = [key for key in kinds if key not in speech.TIMED_KEYS]
    assert tuple(keys[:-1]) == speech.PAIR_KEYS  # the list that commands use follows from _KINDS
    found = speech.metrics_of_pairs(scores, keys)
    assert np.isfinite(found["mel_cepstral_distortion"].value)
    meta = {"seed": 0, "commit": "abc", "config": "x"}
    write_scores(tmp_path / "exp" / "tts_a" / "scores.json", "tts_a", found, meta, task="tts")
    report(tmp_path / "exp", html=tmp_path / "exp" / "results.html")
    for page in ("RESULTS.md", "results.html"):
        text = (tmp_path / "exp" / page).read_text(encoding="utf-8")
        assert "loudness_error (dB)" in text and "1.25" in text and "new here" in text
