"""Numbers out of their range are refused by the name of their option, wherever they stand."""

import json
import math
import re

import pytest

from ctap.bin.train import main
from ctap.config import from_dict
from ctap.errors import UserError
from ctap.nn.duration import DurationConfig
from ctap.nn.vocoder import VocoderConfig
from ctap.ranges import POSITIVE, Range, require
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


def test_a_commands_option_is_refused_by_its_name():
    require("--port", 0, Range(0, 65535))
    with pytest.raises(UserError, match=r"^--port 65536: expected 0 to 65535$"):
        require("--port", 65536, Range(0, 65535))
    with pytest.raises(UserError, match=r"^--share nan: expected 1 or more$"):
        require("--share", math.nan, POSITIVE)


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
        ("vocoder", "data.pitch_range", math.nan, "0 to 24"),
        ("vocoder", "data.pitch_range", -1.0, "0 to 24"),
        ("vocoder", "data.level_range", math.inf, "0 to 60"),
        ("vocoder", "data.colour_range", math.nan, "0 to 60"),
        ("vocoder", "model.layers", 0, "1 or more"),
        ("vocoder", "model.use.updates", -1, "0 or more"),
        ("vocoder", "model.use.noise_db", math.nan, "-100 to 100"),
        ("vocoder", "model.use.voiced_above", math.nan, "-100 to 100"),
        ("vocoder", "model.use.voiced_above", -math.inf, "-100 to 100"),
    ],
)
def test_an_impossible_number_is_refused_by_name(training, option, value, expected):
    with pytest.raises(UserError, match=rf"^x.yaml: {re.escape(option)}: expected .*{expected}, got [^\n]*$"):
        from_dict(TRAININGS[training][0], nested(option, value), "x.yaml")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("optim.lr", "fast", "optim.lr: expected a number, got fast"),
        ("optim.name", "sgd", "optim.name: expected adam or muon, got sgd"),
        ("trainer.max_steps", 1.5, "trainer.max_steps: expected a whole number, got 1.5"),
        ("model.decoder.layers", -1, "model.decoder.layers: expected 0 or more, got -1"),
        ("model.speech_encoder.layers", -1, "model.speech_encoder.layers: expected 0 or more, got -1"),
        ("model.speech_encoder.layer", 1, "model.speech_encoder.layer: no such option"),
        (
            "model.speech_encoder.heads",
            3,
            "model.speech_encoder.dim 512 must be a multiple of twice the heads (3)",
        ),
        (
            "model.speech_encoder.positions",
            "sine",
            "model.speech_encoder.positions: expected absolute, random_offset, rotary or none, got sine",
        ),
        ("loss.contrastive.share", 3.0, "loss.contrastive.share: expected 0 to 1, got 3.0"),
        ("loss.weight", 3.0, "loss.weight: no such option"),
    ],
)
def test_a_wrong_value_is_a_line_on_the_command_line_and_in_a_file(option, value, said, tmp_path, capsys):
    config = tmp_path / "x.yaml"
    config.write_text(json.dumps(nested(option, value)))
    with pytest.raises(UserError) as raised:
        from_dict(TRAININGS["pretrain"][0], nested(option, value), "x.yaml")
    assert str(raised.value) == f"x.yaml: {said}"
    for words in (["--config", str(config)], [f"--{option}", str(value)]):
        if "no such" in said and words[0] != "--config" and "encoder" not in option:
            said = f"unrecognized arguments: --{option} {value}"
        with pytest.raises(SystemExit):
            main(["pretrain", *words, "--train_dir", "x", "--out", str(tmp_path / "out")], "train")
        assert capsys.readouterr().err.splitlines()[-1] == f"error: {said}"


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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"data": {"batch_size": "x"}}, "data.batch_size: expected a whole number, got x"),
        ({"data": {"batch-frames": 1}}, "data.batch-frames: no such option"),
        ({"data": {1: 2}}, "data: Key must be a string, got: 1."),
        ({"data.batch_frames": 0}, "data.batch_frames: expected 1 or more, got 0"),
        ({"data": None}, "data: expected options by name, got None"),
        ({"model": {"decoder": 7}}, "model.decoder: expected options by name, got 7"),
        (
            {"model": {"speech_encoder": {"class_path": "a.B", "init_arg": {}}}},
            "class_path and init_args, got",
        ),
        (
            {"model": {"speech_encoder": {"class_path": "a.B"}}, "loss": {"kl_margin": -1}},
            "x: loss.kl_margin: e",
        ),
        (None, "x: expected options by name, got None"),
    ],
)
def test_odd_configurations_are_a_line_too(values, said):
    with pytest.raises(UserError) as raised:
        from_dict(TRAININGS["pretrain"][0], values, "x")
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_network_of_ones_own_is_not_blamed_for_others(capsys, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("model: {speech_encoder: {class_path: a.B}}")
    words = ["--config", str(own), "--loss.mse_weight", "-1", "--train_dir", "x", "--out", str(tmp_path)]
    with pytest.raises(SystemExit):
        main(["pretrain", *words], "train")
    assert capsys.readouterr().err == "error: loss.mse_weight: expected 0 or more, got -1.0\n"
