"""Utterances said together are those said alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ctap
from ctap.errors import UserError
from ctap.models.many import Wanted, synthesize_many
from test.tiny_model import save_model, save_tone


def test_together_as_alone(tmp_path: Path) -> None:
    model = ctap.load(save_model(tmp_path / "model"), device="cpu")
    voices = [model.prompt(save_tone(tmp_path / f"{hertz}.wav", hertz=hertz)) for hertz in (120, 240)]
    texts = ["ni3 hao3", "今天天气很好。", "你好！再见。", "a1"]
    wanted = [Wanted(text, voices[i % 2], 1.0 + 0.3 * i, seed=np.int64(i)) for i, text in enumerate(texts)]
    wrong = [
        Wanted("!?", voices[0]),
        Wanted("你好", voices[0], max_seconds=0.01),
        Wanted("你好", voices[0], 9.0),
    ]
    said = synthesize_many(model, [*wrong, *wanted])
    for i, reason in enumerate(("nothing to read", "that are allowed", "expected 0.2 to 5")):
        assert isinstance(said[i], UserError) and reason in str(said[i])
    for own, found in zip(wanted, said[len(wrong) :], strict=True):
        alone = model.synthesize(own.text, own.prompt, speed=own.speed, seed=own.seed)
        assert (found.phones, found.durations) == (alone.phones, alone.durations)
        np.testing.assert_allclose(found.mel.numpy(), alone.mel.numpy(), atol=1e-4)
        assert len(found.wave) == len(alone.wave)
    model.parts.trained.decoder = 40  # fewer frames than either has: both go through in windows
    for own, found in zip(wanted[:2], synthesize_many(model, wanted[:2]), strict=True):
        alone = model.synthesize(own.text, own.prompt, speed=own.speed, seed=own.seed)
        assert len(found.mel) > 40
        np.testing.assert_allclose(found.mel.numpy(), alone.mel.numpy(), atol=1e-4)


def test_without_durations_there_is_a_reason(tmp_path: Path) -> None:
    model = ctap.load(save_model(tmp_path / "model"), device="cpu")
    voice = model.prompt(save_tone(tmp_path / "a.wav"))
    model.parts.duration = None
    with pytest.raises(UserError, match="stage 4"):
        synthesize_many(model, [Wanted("你好", voice)])
