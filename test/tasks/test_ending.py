"""A training that is told to end: one more step, a checkpoint, and the same weights when it is run again."""

import os
import signal

import pytest
import torch

from ctap.bin.train import train
from ctap.config import from_dict
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.ending import TrainingEndedError
from test import tiny


def config(**trainer):
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "model": tiny.MODEL}
    return from_dict(TRAININGS["pretrain"][0], {**values, "trainer": {**tiny.TRAINER, **trainer}}, "test")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize(("accumulate", "batch", "ended"), [(1, 5, 6), (1, 3, 4), (2, 8, 5)])
def test_told_to_end_and_run_again_equals_undisturbed(
    number, accumulate, batch, ended, dump, tmp_path, monkeypatch
):
    """In an epoch of 4 steps, in its last step, and between the batches of a step; of 8 steps in all."""
    chosen, given = config(accumulate=accumulate), Sources(dump / "train", dump / "dev")
    train("pretrain", chosen, given, tmp_path / "whole")
    step, seen, before = Task.training_step, [], signal.getsignal(number)

    def told(self, *arguments):
        if len(seen) == batch:
            os.kill(os.getpid(), number)
        seen.append(self.global_step)
        return step(self, *arguments)

    monkeypatch.setattr(Task, "training_step", told)
    with pytest.raises(TrainingEndedError, match=f"{number.name} after step {ended}; .*last.ckpt") as error:
        train("pretrain", chosen, given, tmp_path / "ended")
    assert error.value.status == 128 + number
    assert signal.getsignal(number) == before
    assert torch.load(tmp_path / "ended/last.ckpt", weights_only=True)["global_step"] == ended
    monkeypatch.setattr(Task, "training_step", step)
    train("pretrain", chosen, given, tmp_path / "ended")
    a, b = (torch.load(tmp_path / f"{d}/model/ctap.pt", weights_only=True) for d in ("whole", "ended"))
    assert all(torch.equal(a[k], b[k]) for k in a)
    last = [torch.load(tmp_path / f"{d}/last.ckpt", weights_only=True) for d in ("whole", "ended")]
    assert all(torch.equal(last[0]["state_dict"][k], v) for k, v in last[1]["state_dict"].items())


def test_a_users_interrupt_stays_one(dump, tmp_path, monkeypatch):
    """Lightning makes it an exit with status 1, which is that of a fault."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Task, "training_step", interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train("pretrain", config(), Sources(dump / "train"), tmp_path / "x")
    assert signal.getsignal(signal.SIGINT) == before
