"""The frames that centroids are trained on, drawn from a model that is none: a frame says where it lies."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from ctap.audio.settings import AudioSettings
from ctap.errors import UserError
from ctap.upstream.sampling import sample_frames

UPSTREAM = SimpleNamespace(settings=AudioSettings(), frames=lambda wave: torch.from_numpy(wave)[::240, None])


@pytest.fixture
def waves(tmp_path: Path) -> dict[str, str]:
    """Ramps of 100 frames whose level tells the utterance; one of them is not there."""
    for i in range(4):
        soundfile.write(
            tmp_path / f"{i}.wav", i + np.arange(24000) / 24000, 24000, format="WAV", subtype="FLOAT"
        )
    return {f"u{i}": str(tmp_path / f"{i}.wav") for i in range(5)}


def test_no_utterance_gives_more_than_its_share(
    waves: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    frames, read, failed = sample_frames(UPSTREAM, waves, 1000, 10, seed=0)
    assert (frames.shape, read, failed) == ((40, 1), 4, 1)
    assert "u4: left out: " in caplog.text
    assert len({tuple(np.round(own % 1, 3)) for own in frames.reshape(4, 10)}) == 4  # other places in each
    other, *_ = sample_frames(UPSTREAM, waves, 1000, 10, seed=1)
    again, *_ = sample_frames(UPSTREAM, dict(reversed(waves.items())), 1000, 10, seed=0)
    assert (frames == again).all() and sorted(other.ravel()) != sorted(frames.ravel())


def test_there_is_an_end_to_it(waves: dict[str, str]) -> None:
    frames, read, _ = sample_frames(UPSTREAM, waves, 15, 10, seed=0)
    assert (len(frames), read) == (15, 2)
    with pytest.raises(UserError, match="none of 5 recordings"):
        sample_frames(UPSTREAM, waves, 15, 10, seed=0, max_seconds=0.5)
