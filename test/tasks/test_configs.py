"""Every shipped configuration is built, the paper's size too, and takes one step."""

from pathlib import Path

import pytest
import torch

from ctap.config import from_dict, load_yaml
from ctap.data.dataset import train_loader
from ctap.errors import UserError
from ctap.nn.ctap import CTAP
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.model_dir import Parts
from ctap.text.tokens import TokenTable
from test import tiny

CONF = Path(__file__).parents[2] / "egs" / "TEMPLATE" / "ctap1" / "conf"
CONFIGS = sorted(CONF.glob("*.yaml"))


def task_of(path):
    name = path.stem.split("_")[0]
    return {"ctap": "pretrain"}.get(name, name)


def test_there_is_a_configuration_of_every_training():
    assert {task_of(p) for p in CONFIGS} == set(TRAININGS)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_one_step(path, dump, tmp_path):
    name = task_of(path)
    config_class, build = TRAININGS[name]
    config = from_dict(config_class, load_yaml(path), str(path))
    assert config.trainer.max_steps % config.trainer.epoch_steps == 0
    config.data.batch_size, config.data.batch_frames = 1, 100
    sources = Sources(dump / "train")
    if name != "pretrain":
        torch.manual_seed(0)
        ctap = CTAP(
            from_dict(type(TRAININGS["pretrain"][0]().model), tiny.MODEL, "test"), len(TokenTable.mandarin())
        )
        from ctap.audio.settings import AudioSettings

        Parts(TokenTable.mandarin(), AudioSettings(), ctap).save(tmp_path / "model")
        sources.init = tmp_path / "model"
    training = build(config, sources)
    task = training.task
    loader = train_loader(
        training.train,
        config.data,
        prompt_frames=training.prompt_frames,
        epoch_steps=1,
        position=lambda: 0,
        seed=0,
    )
    task.report = lambda *args: None
    optimizer = task.configure_optimizers()["optimizer"]
    loss = task.train().training_step(next(iter(loader)), 0)
    loss.backward()
    optimizer.step()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p).all() for p in task.parameters())


def test_paper_size_is_the_papers():
    """Section 3.1: 6, 4 and 6 transformer layers, hidden dimension 512, batches of 8, Adam at 2e-4."""
    config = from_dict(TRAININGS["pretrain"][0], load_yaml(CONF / "ctap.yaml"), "ctap.yaml")
    model = config.model
    stacks = (model.speech_encoder, model.phoneme_encoder, model.decoder)
    assert [s.layers for s in stacks] == [6, 4, 6]
    assert {s.dim for s in stacks} == {512}
    assert {s.positions for s in stacks} == {"absolute"}
    assert len(model.prompt_encoder.channels) == 6
    assert model.prompt_encoder.frames == 300
    assert (config.data.batch_size, config.optim.lr, config.trainer.max_steps) == (8, 2e-4, 800_000)


def test_an_unknown_key_and_a_wrong_type_are_named():
    with pytest.raises(UserError, match="batch_sice"):
        from_dict(TRAININGS["pretrain"][0], {"data": {"batch_sice": 3}}, "x.yaml")
    with pytest.raises(UserError, match=r"x\.yaml.*lr"):
        from_dict(TRAININGS["pretrain"][0], {"optim": {"lr": "fast"}}, "x.yaml")
