"""The prompt of a recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ctap.audio.settings import AudioSettings
from ctap.bin.choose_prompt import choose_prompt
from ctap.errors import UserError
from ctap.files.tables import write_table
from test import tiny

RATE = 24000
ZEROS = np.zeros(4 * RATE, np.float32)


def data_dir(path: Path, waves: dict[str, np.ndarray]) -> Path:
    for utt, wave in waves.items():
        soundfile.write(path / f"{utt}.wav", wave, RATE)
    write_table(path / "wav.scp", {utt: path / f"{utt}.wav" for utt in waves})
    write_table(path / "utt2dur", {utt: len(wave) / RATE for utt, wave in waves.items()})
    return path


def test_the_recording_with_most_speech_in_what_is_heard_is_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waves = {
        "a": ZEROS,
        "b": np.concatenate([tiny.voice(1), ZEROS[: 3 * RATE]]),
        "c": tiny.voice(4.5),
        "d": tiny.voice(6.0),
        "e": tiny.voice(0.7),
    }
    path = data_dir(tmp_path, waves)
    (tmp_path / "b.wav").unlink()
    choose_prompt(path, tmp_path / "out")
    assert (tmp_path / "out").read_text() == f"{tmp_path}/c.wav\n"  # d has as much, c is nearer to 4 s
    assert "c: 3.0" in capsys.readouterr().out
    choose_prompt(path, tmp_path / "out", seconds=1.0, candidates=1)
    assert (tmp_path / "out").read_text() == f"{tmp_path}/e.wav\n"
    choose_prompt(path, tmp_path / "out", candidates=1)  # nearest to 4 s, not the shortest
    assert (tmp_path / "out").read_text() == f"{tmp_path}/c.wav\n"


def test_a_speaker_who_says_nothing_has_no_prompt(tmp_path: Path) -> None:
    path = data_dir(tmp_path, {"a": ZEROS, "b": ZEROS})
    with pytest.raises(
        UserError, match=r"no recording to take a prompt from; the first: a: 0\.00 s of speech"
    ):
        choose_prompt(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_as_much_as_the_encoder_hears_counts_in_frames_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_dir(tmp_path, {"a": tiny.voice(1.5), "b": np.concatenate([tiny.voice(4.0), ZEROS])})
    choose_prompt(path, tmp_path / "out", seconds=1.5)
    assert "b: 3.0" in capsys.readouterr().out
    choose_prompt(path, tmp_path / "out", seconds=1.5, heard=1.0)
    assert "a: 1.0" in capsys.readouterr().out  # as much as in b, and of the wanted length
    AudioSettings(sample_rate=22050, hop_length=256).save(tmp_path / "audio.json")
    choose_prompt(path, tmp_path / "out", seconds=1.5, settings=tmp_path / "audio.json")
    assert f"b: {round(3 * 22050 / 256) * 256 / 22050:.2f} s" in capsys.readouterr().out
    with pytest.raises(UserError, match="--heard 0: expected a frame"):
        choose_prompt(path, tmp_path / "out", heard=0)
