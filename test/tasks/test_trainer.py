"""Options of the trainer: accumulation, early stopping, loggers, devices; tau under its cap."""

import csv
import math
import shutil
from dataclasses import replace

import lightning
import numpy as np
import pytest
import torch

from ctap.bin.train import train
from ctap.config import from_dict
from ctap.data.dataset import train_loader
from ctap.errors import UserError
from ctap.models.model_dir import Parts
from ctap.nn.ctap import CTAP, CTAPConfig
from ctap.own import OwnModule
from ctap.report.curves import read_curves
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS, Sources, build_finetune
from ctap.tasks.settings import TrainerConfig
from ctap.text.units import train_units
from ctap.training import run
from test import tiny


def config(name="pretrain", **trainer):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": {**tiny.TRAINER, **trainer}}
    return from_dict(
        TRAININGS[name][0], {**values, "model": tiny.MODEL} if name == "pretrain" else values, "test"
    )


def rows_of(out):
    with (out / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def model(dump, tmp_path_factory):
    return train("pretrain", config(), Sources(dump / "train"), tmp_path_factory.mktemp("exp") / "ctap")


def accumulated_by_hand(chosen, sources):
    """Loss and frames of every batch of ``max_steps`` steps of ``accumulate`` batches, in plain PyTorch."""
    training = build_finetune(chosen, sources)
    task = training.task.train()
    made = task.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    settings = chosen.trainer
    batches = iter(
        train_loader(
            training.train, chosen.data, prompt_frames=training.prompt_frames,
            epoch_steps=settings.max_steps, max_steps=settings.max_steps, accumulate=settings.accumulate,
            position=lambda: 0, seed=settings.seed,
        )
    )  # fmt: skip
    losses, number = [], 0
    for _ in range(settings.max_steps):
        optimizer.zero_grad()
        for _ in range(settings.accumulate):
            torch.manual_seed((settings.seed * 1_000_003 + number) * 4099)
            batch = next(batches)
            loss = task.losses(batch)["loss"]
            losses.append((loss.item(), int(batch.lengths.sum())))
            (loss / settings.accumulate).backward()
            number += 1
        torch.nn.utils.clip_grad_norm_(task.parameters(), settings.gradient_clip)
        optimizer.step()
        schedule.step()
    return losses


def test_accumulated_steps_are_those_of_plain_pytorch(dump, model, tmp_path):
    """Two epochs of two steps of three batches: data, seeds, steps and learning rates."""
    chosen = config("finetune", accumulate=3, max_steps=4, epoch_steps=2, accelerator="cpu")
    sources = Sources(dump / "train", init=model)
    train("finetune", chosen, sources, tmp_path / "x")
    losses = accumulated_by_hand(chosen, sources)
    epochs = losses[:6], losses[6:]
    means = [sum(loss * n for loss, n in epoch) / sum(n for _, n in epoch) for epoch in epochs]
    assert [float(r["train/loss"]) for r in rows_of(tmp_path / "x")] == pytest.approx(means, rel=1e-4)
    assert [r["step"] for r in rows_of(tmp_path / "x")] == ["2", "4"]


def test_accumulating_training_resumes_exactly(dump, model, tmp_path):
    sources = Sources(dump / "train", dump / "dev", init=model)
    few = config("finetune", accumulate=2, max_steps=2, epoch_steps=2)
    more = config("finetune", accumulate=2, max_steps=4, epoch_steps=2)
    for out, steps in (("a", (few, more)), ("b", (more,))):
        for chosen in steps:
            train("finetune", chosen, sources, tmp_path / out)
    a, b = (torch.load(tmp_path / f / "last.ckpt", weights_only=True)["state_dict"] for f in ("a", "b"))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_an_extended_linear_schedule_has_its_own_rates_from_the_first_step(dump, tmp_path):
    class Watch(lightning.Callback):
        def on_train_batch_start(self, trainer, task, batch, index):
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    chosen, rates = config(max_steps=4), []
    chosen.optim.schedule = "linear"
    for steps in (4, 8):
        chosen.trainer.max_steps = steps
        run("pretrain", chosen, Sources(dump / "train"), tmp_path / "x", [Watch()])
    expected = [chosen.optim.factor(i, 4 if i < 4 else 8) * chosen.optim.lr for i in range(8)]
    assert rates == pytest.approx(expected, rel=1e-12) and rates[4] > 0


def test_training_that_gets_no_better_ends_early(dump, model, tmp_path, caplog):
    """Without learning, the second validation is no better than the first: two of patience, three in all."""
    stuck = config("finetune", patience=2, max_steps=40, epoch_steps=2)
    stuck.optim.lr = 0.0
    stuck.train = ["decoder"]  # the batch norm of the prompt encoder would move without learning
    sources = Sources(dump / "train", dump / "dev", init=model)
    out = tmp_path / "x"
    with caplog.at_level("INFO"):
        train("finetune", stuck, sources, out)
    assert [r["step"] for r in rows_of(out)][-1] == "6"
    assert "gets no better" in caplog.text
    assert Parts.load(out / "model")
    before = (out / "metrics.csv").read_text()
    train("finetune", stuck, sources, out)
    assert (out / "metrics.csv").read_text() == before


@pytest.fixture(scope="module")
def given_up(dump, model, tmp_path_factory):
    """A training without learning that a patience of 2 has ended at step 6, and what it was made of."""
    stuck = config("finetune", patience=2, max_steps=40, epoch_steps=2, logger="none")
    stuck.optim.lr = 0.0
    stuck.train = ["decoder"]
    sources = Sources(dump / "train", dump / "dev", init=model)
    out = tmp_path_factory.mktemp("exp") / "x"
    train("finetune", stuck, sources, out)
    return out, stuck, sources


def test_more_patience_goes_on(given_up, tmp_path):
    shutil.copytree(given_up[0], tmp_path / "x")
    _, stuck, sources = given_up
    longer = replace(stuck, trainer=replace(stuck.trainer, patience=4))
    train("finetune", longer, sources, tmp_path / "x")
    assert [r["step"] for r in rows_of(tmp_path / "x")] == ["2", "4", "6", "8", "10"]


def test_a_training_that_was_ended_early_trains_no_more_where_its_model_is_missing(
    given_up, tmp_path, caplog
):
    out, stuck, sources = given_up
    shutil.copytree(out, tmp_path / "x", ignore=shutil.ignore_patterns("model"))
    with caplog.at_level("INFO"):
        train("finetune", stuck, sources, tmp_path / "x")
    assert rows_of(tmp_path / "x") == rows_of(out)
    assert "stopped at step 6" in caplog.text
    a, b = (Parts.load(f / "model").ctap.state_dict() for f in (out, tmp_path / "x"))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_a_training_that_was_moved_keeps_its_best_checkpoints(dump, model, tmp_path, recwarn):
    """The average is theirs, and not the last weights, as where it stayed; a missing one is named."""
    sources = Sources(dump / "train", dump / "dev", init=model)
    few, more = (config("finetune", max_steps=n, epoch_steps=2, logger="none") for n in (4, 6))
    train("finetune", few, sources, tmp_path / "stays")
    for name in ("moved", "torn"):
        shutil.copytree(tmp_path / "stays", tmp_path / name)
    shutil.rmtree(tmp_path / "torn/best")
    with pytest.raises(UserError, match=r"torn/best/step=\d\.ckpt: this checkpoint is missing"):
        train("finetune", more, sources, tmp_path / "torn")
    for name in ("stays", "moved"):
        train("finetune", more, sources, tmp_path / name)
    a, b = (Parts.load(tmp_path / f / "model").ctap.state_dict() for f in ("stays", "moved"))
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert len(list((tmp_path / "moved/best").iterdir())) == 2
    assert not [w for w in recwarn if "dirpath" in str(w.message)]


def test_patience_without_validation_is_refused(dump, tmp_path):
    with pytest.raises(UserError, match="patience"):
        train("pretrain", config(patience=1), Sources(dump / "train"), tmp_path / "x")


@pytest.mark.parametrize(("logger", "found"), [("tensorboard", "events*"), ("csv", "metrics.csv")])
def test_a_logger_is_chosen_by_its_name(logger, found, dump, model, tmp_path):
    chosen = config("finetune", logger=logger, max_steps=4, epoch_steps=2)
    train("finetune", chosen, Sources(dump / "train", init=model), tmp_path / "x")
    assert list((tmp_path / "x" / logger).glob(found))
    assert len(rows_of(tmp_path / "x")) == 2


def test_the_csv_logger_keeps_its_rows_where_a_training_goes_on(dump, model, tmp_path, monkeypatch):
    """They are those of a training that nobody stopped; rows of a step that is taken again stand once."""
    sources = Sources(dump / "train", init=model)
    chosen = config("finetune", logger="csv", max_steps=6, epoch_steps=2)
    train("finetune", chosen, sources, tmp_path / "whole")
    step = Task.training_step

    def dies(self, batch, number):
        if self.global_step == 3:
            raise KeyError("killed")
        return step(self, batch, number)

    with monkeypatch.context() as patched:
        patched.setattr(Task, "training_step", dies)
        with pytest.raises(KeyError):
            train("finetune", chosen, sources, tmp_path / "killed")
    assert "\n1,2," in (tmp_path / "killed/csv/metrics.csv").read_text()
    train("finetune", chosen, sources, tmp_path / "killed")
    whole, killed = (read_curves(tmp_path / f / "csv/metrics.csv") for f in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(np.array_equal(whole[k], killed[k]) for k in whole)
    assert killed["train/loss_step"][0].tolist() == [0, 1, 2, 3, 4, 5]


def test_no_logger_and_one_that_is_not_installed(dump, model, tmp_path, monkeypatch):
    sources = Sources(dump / "train", dump / "dev")
    train("pretrain", config(logger="none", max_steps=2), sources, tmp_path / "x")
    assert (tmp_path / "x/images/similarity.png").is_file()
    assert not (tmp_path / "x/tensorboard").exists()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install wandb"):
        train("pretrain", config(logger="wandb"), sources, tmp_path / "y")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_steps": 0}, "max_steps: expected 1 or more, got 0"),
        ({"accumulate": 0}, "accumulate: expected 1"),
        ({"gradient_clip": -1.0}, "gradient_clip: expected 0 or more"),
    ],
)
def test_impossible_numbers_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        TrainerConfig(**values)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused_in_one_line(dump, tmp_path):
    with pytest.raises(UserError, match="trainer: ") as error:
        train("pretrain", config(accelerator="gpu"), Sources(dump / "train"), tmp_path / "x")
    assert "\n" not in str(error.value)


def test_processes_of_torchrun_must_be_those_of_the_configuration(dump, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match=r"torchrun started 2 processes, but trainer\.devices 1"):
        train("pretrain", config(), Sources(dump / "train"), tmp_path / "x")


@pytest.mark.parametrize("tasks", [{}, {"SLURM_STEP_NUM_TASKS": "8"}])
def test_a_training_of_one_process_is_none_of_the_tasks_of_slurms_job(tasks, dump, tmp_path, monkeypatch):
    """Within `sbatch -n 8` Lightning took it for one of eight, and ended in a traceback."""
    for name, value in {"SLURM_NTASKS": "8", "SLURM_JOB_NAME": "train", "SLURM_PROCID": "0", **tasks}.items():
        monkeypatch.setenv(name, value)
    train("pretrain", config(max_steps=1), Sources(dump / "train"), tmp_path / "x")
    assert (tmp_path / "x/model").is_dir()


def test_tasks_that_are_not_those_of_the_configuration_are_named(dump, tmp_path, monkeypatch):
    for name in ("SLURM_NTASKS", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.setenv(name, "8")
    with pytest.raises(UserError, match=r"trainer: .*ntasks") as error:
        train("pretrain", config(devices=2, accelerator="cpu"), Sources(dump / "train"), tmp_path / "x")
    assert "\n" not in str(error.value)


def test_tau_comes_back_from_its_cap():
    """Above it, a clamp in the forward pass would leave it no gradient; it is capped after the step."""
    model = CTAP(from_dict(CTAPConfig, {**tiny.MODEL, "temperature": 99.0}, "test"), 30)
    optimizer = torch.optim.SGD([model.log_scale], lr=1.0)
    cap = 100.0 / 8
    for direction, expected in ((-1.0, cap), (0.5, None)):  # up against the cap, then down again
        for _ in range(3):
            optimizer.zero_grad()
            (direction * model.scale.log()).backward()
            assert model.log_scale.grad.item() == pytest.approx(direction)
            optimizer.step()
            model.cap_scale()
        if expected:
            assert model.scale.item() == pytest.approx(expected)
    assert model.scale.item() == pytest.approx(cap * math.exp(-1.5), rel=1e-5)


class RisingTau(torch.nn.Module):
    """In place of the contrastive loss: the lower, the larger tau is."""

    def forward(self, s, p, mask, scale, phones=None, instances=None):
        return 0.0 * (s.sum() + p.sum()) - scale.log()


def test_training_keeps_tau_under_its_cap(dump, tmp_path):
    chosen = config(max_steps=4)
    chosen.model.temperature, chosen.optim.lr = 500.0, 0.05
    chosen.loss.contrastive = OwnModule(f"{__name__}.RisingTau")
    train("pretrain", chosen, Sources(dump / "train"), tmp_path / "x")
    ctap = Parts.load(tmp_path / "x/model").ctap
    assert ctap.scale.item() == pytest.approx(100.0 / 8)


def test_a_weight_of_0_leaves_the_ctc_head_out(dump, model, tmp_path):
    """Nothing is trained that has no loss, which training on several processes would refuse."""
    train_units(["八沙是马昂中"] * 4, tmp_path / "units.model", vocab_size=12)
    chosen = from_dict(
        TRAININGS["asr"][0], {"model": tiny.STACK, "data": tiny.DATA, "ctc_weight": 0.0}, "test"
    )
    training = TRAININGS["asr"][1](
        chosen, Sources(dump / "train", init=model, units=tmp_path / "units.model")
    )
    assert training.parts.units is None and training.parts.asr.units is None
