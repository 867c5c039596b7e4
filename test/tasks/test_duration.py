"""Training of the duration models: what one that goes on from a model takes from there."""

from dataclasses import replace

import pytest
import torch

from ctap.bin.train import train
from ctap.config import from_dict, load_yaml
from ctap.data.dataset import train_loader
from ctap.errors import UserError
from ctap.models.model_dir import Parts
from ctap.tasks.build import TRAININGS, Sources
from test import tiny

SIZES = {"layers": 2, "channels": 8, "steps": 10, "predictor_channels": 8}


def config(task="duration", model=None, **data):
    trainer = {**tiny.TRAINER, "max_steps": 1, "logger": "none"}
    values = {"data": {**tiny.DATA, **data}, "optim": tiny.OPTIM, "trainer": trainer, "model": model or {}}
    return from_dict(TRAININGS[task][0], values, "test")


@pytest.fixture(scope="module")
def sources(dump, tmp_path_factory):
    """The dump, with a CTAP and durations that nobody trained."""
    root = tmp_path_factory.mktemp("models")
    TRAININGS["pretrain"][1](config("pretrain", tiny.MODEL), Sources(dump / "train")).parts.save(
        root / "ctap"
    )
    first = Sources(dump / "train", init=root / "ctap")
    TRAININGS["duration"][1](config(model=SIZES), first).parts.save(root / "durations")
    return replace(first, duration_init=root / "durations")


def test_what_is_left_open_is_taken_from_the_model_to_start_from(sources, tmp_path):
    """Options of use may be asked for, and the experiment's configuration tells what the model has."""
    asked = {"sampling_steps": 5, "temperature": 0.5, "max_frames": 90, "dropout": 0.3}
    train("duration", config(model=asked), sources, tmp_path / "x")
    before, after = (Parts.load(path).duration for path in (sources.duration_init, tmp_path / "x/model"))
    assert after.config == replace(before.config, **asked)
    assert torch.equal(before.alpha_bar, after.alpha_bar)
    assert load_yaml(tmp_path / "x/config.yaml")["model"] == vars(after.config)
    built = TRAININGS["duration"][1](config(model=asked), sources).task
    assert built.duration.predictor.dropout.p == 0.3
    same = TRAININGS["duration"][1](config(model=SIZES), sources).task
    assert same.duration.config == before.config


def test_a_new_model_normalises_by_what_the_training_set_has(dump, sources):
    """Mean and deviation of log(1 + frames) over the phones of all utterances, here one by one."""
    model = TRAININGS["duration"][1](config(model=SIZES), replace(sources, duration_init=None)).task.duration
    lines = (dump / "train/durations").read_text().splitlines()
    logs = torch.tensor([float(n) for line in lines for n in line.split()[1:]], dtype=torch.float64).log1p()
    assert float(model.mean) == pytest.approx(logs.mean().item(), rel=1e-6)
    assert float(model.std) == pytest.approx(logs.std(unbiased=False).item(), rel=1e-6)


@pytest.mark.parametrize(("asked", "there"), [({"channels": 16}, 8), ({"beta_last": 0.1}, 0.06)])
def test_other_sizes_than_those_of_the_model_to_start_from_are_refused(sources, asked, there):
    ((name, value),) = asked.items()
    with pytest.raises(UserError, match=rf"durations: .*model\.{name} is {there} there, {value} asked for"):
        TRAININGS["duration"][1](config(model=asked), sources)


def test_phones_that_a_crop_cuts_are_predicted_whole(sources, monkeypatch):
    """Losses of a crop are those of its phones by themselves: those of remainders would teach short ones."""
    chosen = config(max_frames=60, batch_frames=60)
    training = TRAININGS["duration"][1](chosen, sources)
    stream = {"epoch_steps": 8, "max_steps": 8, "accumulate": 1, "position": lambda: 0}
    loader = train_loader(training.train, chosen.data, prompt_frames=40, seed=0, **stream)
    batch = next(b for b in loader if not torch.equal(b.whole, b.durations))
    model, mask = training.task.eval().duration, batch.phone_mask
    condition = training.task.ctap.duration_condition(batch.tokens, mask, batch.prompt)
    z = (torch.log1p(batch.whole) - model.mean) / model.std
    expected = (model.predictor(condition, mask) - z)[mask].square().mean()
    assert training.task.losses(batch)["deterministic"].item() == pytest.approx(expected.item(), rel=1e-5)
    # validation weighs a batch by its phones, and has the same noise whenever it comes
    seen = []
    monkeypatch.setattr(training.task, "report", lambda _, losses, weight: seen.append((losses, weight)))
    for number in (1, 2, 1):
        training.task.validation_step(batch, number)
    one, two, again = (losses["diffusion"].item() for losses, _ in seen)
    assert one == again != two
    assert {weight for _, weight in seen} == {int(mask.sum())}


def test_freeze_of_lightning_stops_all_of_a_training(sources):
    """A user's callback may call it; what a training itself keeps frozen has another name."""
    task = TRAININGS["duration"][1](config(), sources).task
    assert any(p.requires_grad for p in task.parameters())
    task.freeze()
    assert not any(p.requires_grad for p in task.parameters())
