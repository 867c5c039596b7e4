"""Numbers out of their range are refused by the name of their option, wherever they stand."""

import math

import pytest

from ctap.config import from_dict
from ctap.errors import UserError
from ctap.nn.duration import DurationConfig
from ctap.nn.vocoder import VocoderConfig
from ctap.ranges import Range
from ctap.tasks.build import TRAININGS


@pytest.mark.parametrize(
    ("allowed", "words", "inside", "outside"),
    [
        (Range(1), "1 or more", (1, 1e9), (0, -1, math.nan, "2", None)),
        (Range(0, 2**32 - 1), "0 to 4294967295", (0, 2**32 - 1), (2**32, -1)),
        (Range(0, below=1), "0 or more and less than 1", (0.0, 0.999), (1.0, -0.1)),
        (Range(above=0), "more than 0", (1e-9,), (0, math.nan)),
        (Range(most=3), "3 or less", (3, -9), (3.1,)),
    ],
)
def test_ranges_hold_numbers_and_say_what_they_hold(allowed, words, inside, outside):
    assert str(allowed) == words
    assert all(number in allowed for number in inside)
    assert not any(number in allowed for number in outside)


def nested(option, value):
    for name in reversed(option.split(".")):
        value = {name: value}
    return value


@pytest.mark.parametrize(
    ("training", "option", "value", "expected"),
    [
        ("pretrain", "optim.lr", -1.0, "0 or more"),
        ("pretrain", "optim.lr", math.nan, "0 or more"),
        ("pretrain", "optim.betas", [0.9, 1.5], "0 or more and less than 1"),
        ("pretrain", "optim.weight_decay", -1.0, "0 or more"),
        ("pretrain", "optim.warmup_steps", -5, "0 or more"),
        ("pretrain", "trainer.seed", -1, "0 to 4294967295"),
        ("pretrain", "trainer.seed", 2**40, "0 to 4294967295"),
        ("pretrain", "model.temperature", 0.0, "more than 0"),
        ("pretrain", "model.temperature_cap", 0.0, "more than 0"),
        ("pretrain", "model.embed_dim", 0, "1 or more"),
        ("pretrain", "model.postnet_dim", 0, "1 or more"),
        ("pretrain", "model.decoder.dropout", 1.5, "0 or more and less than 1"),
        ("pretrain", "model.decoder.layers", -1, "0 or more"),
        ("pretrain", "model.speech_encoder.ffn", 0, "1 or more"),
        ("pretrain", "model.phoneme_encoder.phone_layers", -1, "0 or more"),
        ("pretrain", "model.prompt_encoder.frames", 0, "1 or more"),
        ("pretrain", "model.prompt_encoder.channels", [], "one convolution or more"),
        ("pretrain", "model.prompt_encoder.channels", [4, 0], "1 or more"),
        ("pretrain", "loss.kl_margin", -1.0, "0 or more"),
        ("pretrain", "loss.kl_warmup_steps", -1, "0 or more"),
        ("pretrain", "loss.mse_weight", -1.0, "0 or more"),
        ("finetune", "kl_margin", -1.0, "0 or more"),
        ("asr", "ctc_weight", -1.0, "0 or more"),
        ("vocoder", "mel_weight", -1.0, "0 or more"),
        ("vocoder", "data.crop_frames", 1, "2 or more"),
        ("vocoder", "model.layers", 0, "1 or more"),
        ("vocoder", "model.use.updates", -1, "0 or more"),
    ],
)
def test_an_impossible_number_is_refused_by_name(training, option, value, expected):
    name = option.rpartition(".")[2]
    with pytest.raises(UserError, match=rf"{name}: expected .*{expected}, got "):
        from_dict(TRAININGS[training][0], nested(option, value), "x.yaml")


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        (DurationConfig, {"layers": 0}),
        (DurationConfig, {"channels": 7}),
        (DurationConfig, {"beta_last": 1.0}),
        (DurationConfig, {"temperature": -0.1}),
        (VocoderConfig, {"f0_bins": 1}),
    ],
)
def test_sizes_that_no_network_has_are_refused(config, sizes):
    ((name, value),) = sizes.items()
    with pytest.raises(UserError, match=f"{name}: expected .*, got {value}"):
        config(**sizes)
