"""What a model has said, written to a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from ctap.errors import UserError
from ctap.models.speech import Speech


def speech() -> Speech:
    return Speech(np.full(2400, 0.25, np.float32), 24000, torch.zeros(11, 40))


@pytest.mark.parametrize("name", ["said.wav", "said.WAV", "said"])
def test_a_wav_file_whatever_the_name(name: str, tmp_path: Path) -> None:
    speech().save(tmp_path / name)
    assert soundfile.info(tmp_path / name).format == "WAV"
    wave, rate = soundfile.read(tmp_path / name)
    assert rate == 24000 and wave == pytest.approx(np.full(2400, 0.25))


@pytest.mark.parametrize("name", ["said.mp3", "said.flac", "said.wav.ogg"])
def test_no_wav_file_under_another_kinds_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"{name}: speech is written as \.wav"):
        speech().save(tmp_path / name)
    assert not list(tmp_path.iterdir())
