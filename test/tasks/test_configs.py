"""Every shipped configuration is built, the paper's size too, and takes one step."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ctap.audio.wave import save_wave
from ctap.config import differences, from_dict, load_config, to_dict
from ctap.data import dataset, waves
from ctap.data.dataset import train_loader
from ctap.errors import UserError
from ctap.files.tables import write_table
from ctap.models.model_dir import Parts
from ctap.nn.ctap import CTAP
from ctap.tasks.build import TRAININGS, Sources
from ctap.text.languages import older
from test import tiny

TEMPLATE = Path(__file__).parents[2] / "egs" / "TEMPLATE"
CONF = TEMPLATE / "ctap1" / "conf"
CONFIGS = sorted([*CONF.rglob("*.yaml"), *(TEMPLATE / "voc1" / "conf").glob("*.yaml")])
CONFIGS = [path for path in CONFIGS if path.parent.name != "audio"]  # mel settings: test/audio/test_logmel.py


def task_of(path):
    name = path.stem.split("_")[0]
    return {"ctap": "pretrain", "acoustic": "finetune"}.get(name, name)


def test_there_is_a_configuration_of_every_training():
    assert {task_of(p) for p in CONFIGS} == set(TRAININGS)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_a_configuration_is_what_it_is_whatever_it_stands_on(path):
    """A changed base changes what stands on it: configurations.json has them all written out."""
    written_out = json.loads(Path(__file__).with_name("configurations.json").read_text(encoding="utf-8"))
    kind = TRAININGS[task_of(path)][0]
    expected = from_dict(kind, written_out[str(path.relative_to(TEMPLATE))], path.name)
    assert differences(to_dict(expected), to_dict(from_dict(kind, load_config(path), str(path)))) == {}


@pytest.mark.parametrize("preset", sorted(CONF.glob("*.conf")), ids=lambda p: p.stem)
def test_a_preset_names_configurations_of_the_right_trainings(preset):
    lines = [line.split("=", 1) for line in preset.read_text().splitlines() if line and line[0] != "#"]
    named = {
        key.removesuffix("_config"): CONF.parent / value for key, value in lines if key.endswith("_config")
    }
    assert {"train", "finetune", "labeled", "asr"} <= set(named)
    kinds = {"labeled": "finetune", "acoustic": "finetune", "duration_adapt": "duration"}
    own = {"finetune", "duration", "asr", "judge", "semantic"}
    for key, path in named.items():
        assert task_of(path) == kinds.get(key, key if key in own else "pretrain")
        assert path.is_file()


def recordings(folder):
    """A data directory of two tones."""
    time = np.arange(36000) / 24000
    for pitch in (110, 220):
        save_wave(folder / f"{pitch}.wav", 0.2 * np.sign(np.sin(2 * np.pi * pitch * time)), 24000)
    write_table(folder / "wav.scp", {str(pitch): folder / f"{pitch}.wav" for pitch in (110, 220)})
    return folder


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_one_step(path, dump, tmp_path):
    name = task_of(path)
    config_class, build = TRAININGS[name]
    config = from_dict(config_class, load_config(path), str(path))
    sources = Sources(dump / "train")
    config.data.num_workers = 0
    if name == "vocoder":
        config.data.batch_size = 2
        sources.train_dir = recordings(tmp_path)
    else:
        config.data.batch_size, config.data.batch_frames = 1, 100
    if path.stem.startswith("acoustic"):
        sources.given = dump
    elif name not in ("pretrain", "judge", "vocoder"):
        torch.manual_seed(0)
        ctap = CTAP(
            from_dict(type(TRAININGS["pretrain"][0]().model), tiny.MODEL, "test"), len(older().tokens)
        )
        from ctap.audio.settings import AudioSettings

        Parts(older().tokens, AudioSettings(), ctap).save(tmp_path / "model")
        sources.init = tmp_path / "model"
    training = build(config, sources)
    task = training.task
    batches = waves if name == "vocoder" else dataset
    prompts = {} if name == "vocoder" else {"prompt_frames": training.prompt_frames}
    loader = batches.train_loader(
        training.train,
        config.data,
        **prompts,
        epoch_steps=1,
        max_steps=1,
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


@pytest.mark.parametrize("objective", ["soft_instance", "soft_phone", "exclude_phone", "sigmoid"])
def test_one_step_with_each_contrastive_objective(objective, dump):
    """Phones and phone instances reach the loss, and whatever it learns of its own learns."""
    config_class, build = TRAININGS["pretrain"]
    values = {"model": tiny.MODEL, "data": tiny.DATA, "optim": tiny.OPTIM, "trainer": tiny.TRAINER}
    values["loss"] = {"contrastive": {"objective": objective}}
    config = from_dict(config_class, values, "test")
    training = build(config, Sources(dump / "train"))
    task = training.task.train()
    prompt_frames = training.prompt_frames
    loader = train_loader(
        training.train,
        config.data,
        prompt_frames=prompt_frames,
        epoch_steps=1,
        max_steps=1,
        position=lambda: 0,
        seed=0,
    )
    logged = {}
    task.report = lambda stage, figures, weight: logged.update(figures)
    loss = task.training_step(next(iter(loader)), 0)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in task.parameters())
    assert ("bias" in logged) == (objective == "sigmoid")


def test_paper_size_is_the_papers():
    """Section 3.1: 6, 4 and 6 transformer layers, hidden dimension 512, batches of 8, Adam at 2e-4."""
    config = from_dict(TRAININGS["pretrain"][0], load_config(CONF / "ctap.yaml"), "ctap.yaml")
    model = config.model
    stacks = (model.speech_encoder, model.phoneme_encoder, model.decoder)
    assert [s.layers for s in stacks] == [6, 4, 6]
    assert {s.dim for s in stacks} == {512}
    assert {s.positions for s in stacks} == {"absolute"}
    assert len(model.prompt_encoder.channels) == 6
    assert model.prompt_encoder.frames == 300
    assert (config.data.batch_size, config.optim.lr, config.trainer.max_steps) == (8, 2e-4, 800_000)


STACK_6 = {"layers": 6, "dim": 512, "heads": 8, "ffn": 2048, "dropout": 0.1, "fold": 1}
NO_DECODER = {"loss.mse_weight": (1.0, 0.0), "loss.kl_weight": (1.0, 0.0)}
MSE_EMBED = {"loss.embed_weight": (0.0, 1.0)}


STACKS = ("speech_encoder", "phoneme_encoder", "decoder")
ROTARY = {f"model.{stack}.positions": ("absolute", "rotary") for stack in STACKS}
UNFOLDED = {
    f"{part}.fold": (2, 1) for part in (*(f"model.{stack}" for stack in STACKS), "loss.phoneme_decoder")
}
UNFOLDED["optim.name"] = ("muon", "adam")


@pytest.mark.parametrize(
    ("name", "base", "expected"),
    [
        ("ctap_no_decoder", "ctap", NO_DECODER),
        ("ctap_mse_embed", "ctap", MSE_EMBED),
        ("ctap_phoneme_decoder", "ctap", {"loss.phoneme_weight": (0.0, 1.0)}),
        ("ctap_no_decoder_mini", "ablations/ctap_paper_mini", NO_DECODER),
        ("ctap_mse_embed_mini", "ablations/ctap_paper_mini", MSE_EMBED),
        ("ctap_phoneme_decoder_mini", "ablations/ctap_paper_mini", {"loss.phoneme_weight": (0.0, 4.0)}),
        ("ctap_rotary_mini", "ablations/ctap_phoneme_decoder_mini", ROTARY),
        ("ctap_rotary_mini", "ctap_mini", UNFOLDED),
        ("ctap_ours", "ablations/ctap_phoneme_decoder", ROTARY),
    ],
)
def test_an_ablation_differs_in_what_its_name_says(name, base, expected):
    """Section 3.2: the rows of Table 1 share everything but what their names say."""

    def read(path):
        config = to_dict(from_dict(TRAININGS["pretrain"][0], load_config(CONF / f"{path}.yaml"), path))
        if not config["loss"]["phoneme_weight"]:
            del config["loss"]["phoneme_decoder"]  # not built
        elif "mini" not in path:
            positions = config["model"]["decoder"]["positions"]
            assert config["loss"].pop("phoneme_decoder") == {**STACK_6, "positions": positions}
        return config

    changed = differences(read(base), read(f"ablations/{name}"))
    changed.pop("loss.phoneme_decoder", None)
    assert changed == expected


def test_an_unknown_key_and_a_wrong_type_are_named():
    with pytest.raises(UserError, match="batch_sice"):
        from_dict(TRAININGS["pretrain"][0], {"data": {"batch_sice": 3}}, "x.yaml")
    with pytest.raises(UserError, match=r"x\.yaml.*lr"):
        from_dict(TRAININGS["pretrain"][0], {"optim": {"lr": "fast"}}, "x.yaml")
