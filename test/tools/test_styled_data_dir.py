"""Whispered and shouted copies of a data directory: another source, the same times."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.f0 import extract_f0
from ctap.audio.settings import AudioSettings
from ctap.audio.wave import load_wave
from ctap.files.tables import read_table, write_table
from test import tiny

SCRIPT = Path(__file__).resolve().parents[2] / "tools/bench/styled_data_dir.py"
RATE = 24000


def test_styles_change_the_voice_and_not_the_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wave = np.concatenate([np.zeros(RATE // 2), tiny.voice(1.0, pitch=110.0), np.zeros(RATE // 2)])
    (tmp_path / "data").mkdir()
    soundfile.write(tmp_path / "a.wav", wave, RATE)
    write_table(tmp_path / "data/wav.scp", {f"u{i}": tmp_path / "a.wav" for i in range(6)})
    monkeypatch.syspath_prepend(str(SCRIPT.parent))  # as for a script, where it finds its neighbour
    made = {}
    for style in ("calm", "whispered", "shouted", "mixed"):
        out = tmp_path / style
        words = ["--data_dir", str(tmp_path / "data"), "--out_dir", str(out), "--style", style]
        monkeypatch.setattr("sys.argv", ["styled_data_dir.py", *words])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        made[style] = load_wave(read_table(out / "wav.scp")["u0"], RATE)
        assert len(made[style]) == len(wave)
        loud = np.abs(made[style]) > 0.1 * np.abs(made[style]).max()
        assert np.flatnonzero(loud)[[0, -1]] / RATE == pytest.approx([0.5, 1.5], abs=0.03)
    pitch = {style: extract_f0(made[style], AudioSettings()) for style in ("calm", "whispered", "shouted")}
    heard = {style: f0[f0 > 0] for style, f0 in pitch.items()}
    assert np.median(heard["shouted"]) / np.median(heard["calm"]) == pytest.approx(1.7, rel=0.05)
    assert len(heard["whispered"]) < 0.2 * len(heard["calm"])
    assert set(read_table(tmp_path / "mixed/utt2style").values()) > {"calm"}
