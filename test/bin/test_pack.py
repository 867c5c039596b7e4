"""A packed model: unpacked, packed again in another voice, and made of files of any date."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

import ctap
from ctap.bin.pack import pack
from ctap.errors import UserError
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
