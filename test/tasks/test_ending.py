"""A training that is told to end: one more step, a checkpoint, and the same weights when it is run again."""

import functools
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from ctap.bin.train import train
from ctap.config import from_dict
from ctap.errors import UserError
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.ending import TrainingEndedError
from test import tiny


def config(**trainer):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "model": tiny.MODEL}
    return from_dict(TRAININGS["pretrain"][0], {**values, "trainer": {**tiny.TRAINER, **trainer}}, "test")


def with_readers(chosen):
    return replace(chosen, data=replace(chosen.data, num_workers=2))


@pytest.fixture(scope="module")
def undisturbed(dump, tmp_path_factory):
    """Whole trainings, by the batches of a step; each is made once."""
    root, given = tmp_path_factory.mktemp("undisturbed"), Sources(dump / "train", dump / "dev")

    @functools.cache
    def whole(accumulate):
        train("pretrain", config(accumulate=accumulate), given, root / str(accumulate))
        return root / str(accumulate)

    return whole


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize(("accumulate", "batch", "ended"), [(1, 5, 6), (1, 3, 4), (2, 8, 5)])
def test_told_to_end_and_run_again_equals_undisturbed(
    number, accumulate, batch, ended, dump, undisturbed, tmp_path, monkeypatch
):
    """In an epoch of 4 steps, in its last step, and between the batches of a step; of 8 steps in all."""
    chosen, given = config(accumulate=accumulate), Sources(dump / "train", dump / "dev")
    whole, resumed = undisturbed(accumulate), tmp_path / "ended"
    step, seen, before = Task.training_step, [], signal.getsignal(number)

    def told(self, *arguments):
        if len(seen) == batch:
            os.kill(os.getpid(), number)
        seen.append(self.global_step)
        return step(self, *arguments)

    monkeypatch.setattr(Task, "training_step", told)
    with pytest.raises(TrainingEndedError, match=f"{number.name} after step {ended}; .*last.ckpt") as error:
        train("pretrain", chosen, given, resumed)
    assert error.value.status == 128 + number
    assert signal.getsignal(number) == before
    assert torch.load(resumed / "last.ckpt", weights_only=True)["global_step"] == ended
    monkeypatch.setattr(Task, "training_step", step)
    train("pretrain", chosen, given, resumed)
    a, b = (torch.load(d / "model/ctap.pt", weights_only=True) for d in (whole, resumed))
    assert all(torch.equal(a[k], b[k]) for k in a)
    last = [torch.load(d / "last.ckpt", weights_only=True) for d in (whole, resumed)]
    assert all(torch.equal(last[0]["state_dict"][k], v) for k, v in last[1]["state_dict"].items())


def test_told_to_end_with_weights_that_are_no_numbers_keeps_the_last_good_checkpoint(
    dump, tmp_path, monkeypatch
):
    chosen, step, seen = config(max_steps=12), Task.training_step, []

    def lost(self, *arguments):
        seen.append(self.global_step)
        loss = step(self, *arguments)
        if len(seen) == 6:  # within the second epoch of 4 steps
            os.kill(os.getpid(), signal.SIGTERM)
            return loss * float("nan")
        return loss

    monkeypatch.setattr(Task, "training_step", lost)
    with pytest.raises(UserError, match="step 6: the loss is not finite; the last checkpoint is of before"):
        train("pretrain", chosen, Sources(dump / "train", dump / "dev"), tmp_path / "x")
    kept = torch.load(tmp_path / "x/last.ckpt", weights_only=True)
    assert kept["global_step"] == 4
    assert all(value.isfinite().all() for value in kept["state_dict"].values())


def test_the_last_step_of_an_epoch_may_not_lose_the_weights_either(dump, tmp_path, monkeypatch):
    """Its loss is a number, its gradient none; the mean of the losses does not show it."""
    step = Task.training_step

    def lost(self, *arguments):
        loss = step(self, *arguments)
        if self.global_step == 7:
            loss = loss + (0.0 * next(p for p in self.parameters() if p.requires_grad).sum()).sqrt()
        return loss

    monkeypatch.setattr(Task, "training_step", lost)
    with pytest.raises(UserError, match="step 8: the loss is not finite"):
        train("pretrain", config(), Sources(dump / "train"), tmp_path / "x")
    assert torch.load(tmp_path / "x/last.ckpt", weights_only=True)["global_step"] == 4


def test_a_users_interrupt_stays_one(dump, tmp_path, monkeypatch):
    """Lightning makes it an exit with status 1, which is that of a fault."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Task, "training_step", interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train("pretrain", config(), Sources(dump / "train"), tmp_path / "x")
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_all_processes_leaves_those_that_read_to_the_training(number, dump, tmp_path):
    """Launchers and Slurm signal the whole group; without its readers, a training could not end its step."""
    script = f"""
import os
from pathlib import Path
from ctap.bin.train import train
from ctap.errors import UserError
from ctap.tasks.base import Task
from ctap.tasks.build import Sources
from test.tasks.test_ending import config, with_readers

step, seen = Task.training_step, []

def told(self, *arguments):
    if len(seen) == 5:
        os.killpg(0, {number.value})
    seen.append(self.global_step)
    return step(self, *arguments)

Task.training_step = told
try:
    train("pretrain", with_readers(config()), Sources({str(dump / "train")!r}), Path({str(tmp_path / "x")!r}))
except UserError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, start_new_session=True
    )
    assert f"ended by {number.name} after step 6" in done.stdout, done.stderr
    assert torch.load(tmp_path / "x/last.ckpt", weights_only=True)["global_step"] == 6
