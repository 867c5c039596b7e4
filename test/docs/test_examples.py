"""The examples of docs/python.md, run: a model of one's own by YAML alone, a training from Python."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from lightning import Callback

import ctap
from ctap.bin.train import main
from ctap.config import from_dict, load_config
from ctap.errors import UserError
from ctap.loss.contrastive import ContrastiveConfig
from ctap.models.inference import Model
from ctap.nn.ctap import CTAPConfig
from ctap.nn.transformer import StackConfig
from ctap.tasks.build import Sources
from ctap.tasks.optimiser import OptimConfig
from ctap.tasks.pretrain import LossConfig, PretrainConfig
from ctap.tasks.settings import TrainerConfig
from test import tiny
from test.tiny_model import save_tone

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs/examples"


def test_the_page_lists_what_a_model_can_do() -> None:
    """Every public call with all its arguments, and no other."""
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    section = page.partition("## What a loaded model can do")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)\((.*?)\)` \|(.*)$", section, re.MULTILINE)
    calls = {k: v for k, v in vars(Model).items() if not k.startswith("_") and inspect.isfunction(v)}
    assert {name for name, _, _ in rows} == calls.keys()
    for name, first, rest in rows:
        named = [*first.split(", "), *re.findall(r"`(\w+)", rest)]
        assert set(inspect.signature(calls[name]).parameters) - {"self"} <= set(named), name


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples, importable as from their own directory."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return EXAMPLES


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tone(tmp_path_factory.mktemp("wav") / "a.wav")


def test_an_own_speech_encoder_needs_yaml_alone(
    examples: Path, dump: Path, wav: Path, tmp_path: Path
) -> None:
    """Trained by the command, recorded in the model directory, and built again by ctap.load."""
    words = ["--train_dir", str(dump / "train"), "--trainer.max_steps", "2", "--trainer.precision", "32-true"]
    config = str(examples / "own_encoder.yaml")
    main.execute(["pretrain", "--config", config, *words, "--out", str(tmp_path / "exp")])
    described = load_config(tmp_path / "exp/model/model.yaml")["parts"]["ctap"]["speech_encoder"]
    assert described == load_config(examples / "own_encoder.yaml")["model"]["speech_encoder"]
    model = ctap.load(tmp_path / "exp/model", device="cpu")
    assert type(model.parts.ctap.speech_encoder).__name__ == "ConvEncoder"
    assert model.embed(wav).shape == (101, 64)
    saved = torch.load(tmp_path / "exp/model/ctap.pt", weights_only=True)
    assert saved["speech_encoder.enter.weight"].shape == (64, 40)


def test_arguments_of_an_own_module_may_be_given_one_by_one(
    examples: Path, dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the toolkit's own encoder has an argument of that name, which would take its place."""
    words = ["pretrain", "--config", str(examples / "own_encoder.yaml"), "--train_dir", str(dump / "train")]
    words += ["--trainer.max_steps", "2", "--trainer.precision", "32-true", "--out", str(tmp_path / "exp")]
    key = "--model.speech_encoder"
    main.execute([*words, f"{key}.init_args.layers", "3", f"{key}.init_args.channels=16"])
    described = load_config(tmp_path / "exp/model/model.yaml")["parts"]["ctap"]["speech_encoder"]
    assert described["class_path"] == "conv_encoder.ConvEncoder"
    assert described["init_args"]["layers"] == 3 and described["init_args"]["channels"] == 16
    with pytest.raises(SystemExit):
        main.execute([*words, f"{key}.layers", "3"])
    assert "model.speech_encoder is conv_encoder.ConvEncoder, whose arguments are" in capsys.readouterr().err


def test_edited_code_of_an_own_module_is_another_training(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (EXAMPLES / "conv_encoder.py").read_text()
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "edited_encoder.py").write_text(code)
    own = {"class_path": "edited_encoder.ConvEncoder", "init_args": {"channels": 16, "layers": 1}}
    config = {"model": {**tiny.MODEL, "speech_encoder": own}, "data": tiny.DATA, "optim": tiny.OPTIM}
    config["trainer"] = {**tiny.TRAINER, "max_steps": 2}
    for text in (code, code, code.replace("F.gelu(conv", "F.relu(conv")):
        (tmp_path / "edited_encoder.py").write_text(text)
        ctap.train(config, dump, tmp_path / "exp")
    assert (tmp_path / "exp.old1/model").is_dir() and not (tmp_path / "exp.old2").exists()


def test_own_phoneme_encoder_and_loss_are_what_is_trained(examples: Path, dump: Path, tmp_path: Path) -> None:
    own = {"class_path": "conv_encoder.ConvPhonemeEncoder", "init_args": {"channels": 16}}
    loss = {"contrastive": {"class_path": "conv_encoder.HingeLoss", "init_args": {"margin": 0.1}}}
    model = {**tiny.MODEL, "phoneme_encoder": own}
    config = {"model": model, "loss": loss, "data": tiny.DATA, "optim": tiny.OPTIM}
    config["trainer"] = {**tiny.TRAINER, "max_steps": 12, "epoch_steps": 4}
    ctap.train(config, dump, tmp_path / "exp")
    header, *rows = (line.split(",") for line in (tmp_path / "exp/metrics.csv").read_text().splitlines())
    losses = [float(row[header.index("val/contrastive")]) for row in rows]
    assert len(losses) == 3 and losses[-1] < losses[0] < 2.2  # a hinge of cosines, no cross-entropy
    encoder = ctap.load(tmp_path / "exp/model").parts.ctap.phoneme_encoder
    assert type(encoder).__name__ == "ConvPhonemeEncoder" and encoder.frames.conv.weight.std() > 0


def test_a_notebook_trains_watches_and_speaks(dump: Path, wav: Path, tmp_path: Path) -> None:
    script = EXAMPLES / "notebook.py"
    assert len(script.read_text().splitlines()) < 40
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(dump), str(wav), str(tmp_path), "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("retrieval") == 4 and "speech.wav" in done.stdout
    assert np.isfinite(soundfile.read(tmp_path / "speech.wav")[0]).all()


@pytest.mark.parametrize(
    ("task", "data", "message"),
    [
        ("pretraining", "", "expected one of pretrain, finetune"),
        ("pretrain", "nowhere", "expected the directory of a dump"),
    ],
)
def test_mistakes_of_a_notebook_are_named(
    dump: Path, tmp_path: Path, task: str, data: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        ctap.train({}, dump / data, tmp_path / "exp", task=task)
    with pytest.raises(UserError, match="config: expected a YAML file"):
        ctap.train(3, dump, tmp_path / "exp")
    for other in (None, [dump]):
        with pytest.raises(UserError, match="data: expected the directory of a dump, or Sources"):
            ctap.train({}, other, tmp_path / "exp")
    for other in (Callback(), [Callback], [print]):
        with pytest.raises(UserError, match=r"callbacks: expected a list of objects of lightning\.Callback"):
            ctap.train({}, dump, tmp_path / "exp", other)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (PretrainConfig(loss=LossConfig(contrastive=ContrastiveConfig(objective="soft"))), "soft_phone"),
        (PretrainConfig(optim=OptimConfig(schedule="cosine")), "inverse_sqrt"),
        (PretrainConfig(model=CTAPConfig(speech_encoder=StackConfig(positions="rope"))), "rope"),
        (PretrainConfig(trainer=TrainerConfig(max_steps=2.5)), "max_steps"),
    ],
)
def test_values_of_a_dataclass_are_checked_as_those_of_yaml_are(
    dump: Path, tmp_path: Path, config: PretrainConfig, message: str
) -> None:
    """A misspelt objective or schedule would otherwise train with another, without a word."""
    with pytest.raises(UserError, match=f"config: .*{message}"):
        ctap.train(config, dump, tmp_path / "exp")


def test_a_dataclass_and_paths_in_words_train_as_a_mapping_does(dump: Path, tmp_path: Path) -> None:
    values = {"model": tiny.MODEL, "data": tiny.DATA, "optim": tiny.OPTIM}
    values["trainer"] = {**tiny.TRAINER, "max_steps": 2}
    config = from_dict(PretrainConfig, values, "test")
    sources = Sources(str(dump / "train"), str(dump / "dev"))
    trained = [
        ctap.train(config, sources, tmp_path / "dataclass"),
        ctap.train(values, dump, tmp_path / "mapping"),
    ]
    states = [torch.load(model / "ctap.pt", weights_only=True) for model in trained]
    assert all(torch.equal(states[0][name], weight) for name, weight in states[1].items())
    described = [load_config(model.parent / "config.yaml") for model in trained]
    assert described[0] == described[1]


def test_without_its_module_a_model_says_what_is_missing(
    examples: Path, dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(examples / "conv_encoder.py", tmp_path / "my_networks.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    own = {"class_path": "my_networks.ConvEncoder", "init_args": {"channels": 8, "layers": 1}}
    config = {"model": {**tiny.MODEL, "speech_encoder": own}, "data": tiny.DATA}
    config["trainer"] = {**tiny.TRAINER, "max_steps": 1}
    model = ctap.train(config, dump, tmp_path / "exp")
    monkeypatch.delitem(sys.modules, "my_networks")
    (tmp_path / "my_networks.py").unlink()
    with pytest.raises(UserError, match=r"can't import my_networks\.ConvEncoder: .*PYTHONPATH"):
        ctap.load(model)
