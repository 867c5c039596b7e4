"""A packed model: unpacked, packed again in another voice, and made of files of any date."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import ctap
from ctap.audio.settings import AudioSettings
from ctap.bin.pack import pack
from ctap.errors import UserError
from ctap.models.judge import JudgeModel, JudgeParts, load_recognizer
from ctap.models.vocoder import PRETRAINED, NeuralVocoder, load_vocoder
from ctap.nn.judge import Judge
from ctap.nn.transformer import StackConfig
from ctap.text.languages import older
from test import tiny
from test.tiny_model import save_model, save_tone


def unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        assert len(names) == len(set(names))
        opened.extractall(folder)
    return folder / archive.stem


def test_only_a_zip_file_is_written(tmp_path: Path) -> None:
    """Its root has its name, and could not be unpacked beside it."""
    with pytest.raises(UserError, match=r"voice: expected the name of a zip file, such as .*voice\.zip"):
        pack(save_model(tmp_path / "model"), tmp_path / "voice")


def test_a_packed_voice_is_packed_again_with_another_prompt(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model")
    for path in model.iterdir():
        os.utime(path, (0, 0))  # as archives that are made the same every time have it
    first, second = save_tone(tmp_path / "a.wav"), save_tone(tmp_path / "b.wav", hertz=220.0)
    pack(model, tmp_path / "voice.zip", first)
    voice = unpacked(tmp_path / "voice.zip", tmp_path)
    assert (voice / "prompt.wav").read_bytes() == first.read_bytes()
    pack(voice, tmp_path / "other.zip", second)
    other = unpacked(tmp_path / "other.zip", tmp_path)
    assert (other / "prompt.wav").read_bytes() == second.read_bytes()
    pack(voice, tmp_path / "same.zip")
    assert (unpacked(tmp_path / "same.zip", tmp_path) / "prompt.wav").read_bytes() == first.read_bytes()
    assert ctap.load(other, device="cpu").embed(first).shape[1] > 0


def save_judge(folder: Path) -> Path:
    tokens, stack = older().tokens, StackConfig(**tiny.STACK)
    JudgeParts(tokens, AudioSettings(), Judge(len(tokens), 40, stack), longest=120).save(folder)
    return folder


def test_a_judge_is_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(save_judge(tmp_path / "model"), tmp_path / "heard.zip")
    assert "use ctap recognize --model heard\n" in capsys.readouterr().out
    assert isinstance(load_recognizer(unpacked(tmp_path / "heard.zip", tmp_path), "cpu"), JudgeModel)


def test_a_vocoder_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also from a directory that is called as a vocoder is that needs none."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PRETRAINED, "griffin_lim")
    pack(Path("griffin_lim"), tmp_path / "voc.zip")
    assert "use --vocoder voc\n" in capsys.readouterr().out
    found = load_vocoder(unpacked(tmp_path / "voc.zip", tmp_path), AudioSettings())
    assert isinstance(found, NeuralVocoder)


@pytest.mark.parametrize(
    ("make", "weights"),
    [
        (save_model, "ctap.pt"),
        (save_judge, "judge.pt"),
        (lambda folder: shutil.copytree(PRETRAINED, folder), "vocoder.safetensors"),
    ],
)
def test_what_is_broken_is_not_packed(tmp_path: Path, make: Callable[[Path], object], weights: str) -> None:
    make(model := tmp_path / "model")
    (model / weights).write_bytes((model / weights).read_bytes()[:-100])
    (model / "SHA256SUMS").unlink(missing_ok=True)  # would say so first
    with pytest.raises(UserError, match=f"{weights}: can't read the weights"):
        pack(model, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()
