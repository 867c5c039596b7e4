"""A served model with every part, and a recording."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ctap.serving.served import Served, load_served
from test.tiny_model import save_model, save_tone


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tone(tmp_path_factory.mktemp("voices") / "anna.wav", seconds=1.5)


@pytest.fixture(scope="session")
def sound(tone: Path) -> str:
    """The recording in base64."""
    return base64.b64encode(tone.read_bytes()).decode("ascii")


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("exp") / "tts_a" / "model")


@pytest.fixture(scope="session")
def served(model_dir: Path, tone: Path) -> dict[str, Served]:
    return load_served([model_dir], [tone], "cpu", "pretrained")
