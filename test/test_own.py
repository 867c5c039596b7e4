"""Modules by their import path: what is built, and what is refused with a reason."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ctap.config import from_dict, to_dict
from ctap.errors import UserError
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.nn.length_regulator import regulate
from ctap.nn.transformer import StackConfig
from ctap.own import OwnModule
from test import tiny


class Frames(nn.Module):
    """A speech encoder of one layer."""

    def __init__(self, n_mels: int, embed_dim: int, scale: float = 1.0) -> None:
        super().__init__()
        self.layer, self.scale = nn.Linear(n_mels, embed_dim), scale

    def forward(self, mel, mask=None, offset=0):
        return self.scale * self.layer(mel)


class Phones(nn.Module):
    """A phoneme encoder of one table."""

    def __init__(self, n_tokens: int, embed_dim: int) -> None:
        super().__init__()
        self.table = nn.Embedding(n_tokens, embed_dim)

    def forward(self, tokens, durations, size, mask=None, offset=0):
        return regulate(self.table(tokens), durations, size)


class Short(Frames):
    """Loses a frame."""

    def forward(self, mel, mask=None, offset=0):
        return super().forward(mel)[:, 1:]


class NoOffset(Frames):
    """Takes no offset."""

    def forward(self, mel, mask=None):
        return super().forward(mel)


class Wraps(nn.Module):
    """Takes another module."""

    def __init__(self, n_mels: int, embed_dim: int, inner: nn.Module) -> None:
        super().__init__()


def configured(speech=None, phonemes=None, **more):
    values = dict(tiny.MODEL)
    if speech:
        values["speech_encoder"] = {"class_path": speech, "init_args": more}
    if phonemes:
        values["phoneme_encoder"] = {"class_path": phonemes}
    return from_dict(CTAPConfig, values, "conf.yaml")


def test_both_encoders_are_ones_own():
    config = configured(f"{__name__}.Frames", f"{__name__}.Phones", scale=2.0)
    assert config.speech_encoder == OwnModule(f"{__name__}.Frames", {"scale": 2.0})
    state = torch.get_rng_state()
    ctap = CTAP(config, 20)
    assert isinstance(ctap.speech_encoder, Frames) and ctap.speech_encoder.scale == 2.0
    assert isinstance(ctap.phoneme_encoder, Phones) and ctap.speech_encoder.training
    assert not torch.equal(state, torch.get_rng_state())  # weights, as any network's
    assert from_dict(CTAPConfig, to_dict(config), "again") == config


def test_sizes_of_the_toolkits_own_stay_as_they_were():
    assert isinstance(configured().speech_encoder, StackConfig)
    assert configured().phoneme_encoder.dim == 16


@pytest.mark.parametrize(
    ("path", "args", "message"),
    [
        ("nowhere.Encoder", {}, "can't import nowhere.Encoder: ModuleNotFoundError.*PYTHONPATH"),
        (f"{__name__}.Missing", {}, "can't import .*AttributeError"),
        ("Encoder", {}, r"expected package\.module\.Class"),
        ("__main__.Encoder", {}, "a class of a notebook's own is lost with it"),
        ("a b.Encoder", {}, r"expected package\.module\.Class"),
        ("os.system", {}, "is not a torch.nn.Module"),
        ("subprocess.Popen", {"args": ["true"]}, "is not a torch.nn.Module"),
        (f"{__name__}.Frames", {"embed_dim": 3}, "init_args embed_dim: the toolkit gives it"),
        (f"{__name__}.Frames", {"scale": "big"}, "Expected a <class 'float'>"),
        (f"{__name__}.Frames", {"colour": 1}, "colour"),
        (f"{__name__}.Wraps", {"inner": {"class_path": "torch.nn.Identity"}}, "expected numbers, words"),
        (f"{__name__}.Short", {}, r"Short gives \[2, 5, 8\] for 6 frames, expected \[2, 6, 8\]"),
        (f"{__name__}.NoOffset", {}, "NoOffset fails on 6 frames: TypeError"),
    ],
)
def test_what_can_not_be_built_is_refused_with_a_reason(path, args, message):
    with pytest.raises(UserError, match=rf"(?s)model\.speech_encoder: .*{message}"):
        CTAP(configured(path, **args), 20)


@pytest.mark.parametrize("value", [{"class_path": 3}, {"layer": 1}, {"class_path": "a.B", "args": {}}, 4])
def test_neither_sizes_nor_a_module(value):
    with pytest.raises(UserError, match=r"conf\.yaml: .*speech_encoder"):
        from_dict(CTAPConfig, {**tiny.MODEL, "speech_encoder": value}, "conf.yaml")


def test_with_another_representation_there_is_no_own_phoneme_encoder():
    config = configured(phonemes=f"{__name__}.Phones")
    config.given = True
    with pytest.raises(UserError, match="it takes sizes"):
        CTAP(config, 20)
