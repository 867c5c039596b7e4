"""Experiment directories: which trainings go on in them, begin anew, have ended or are refused."""

from __future__ import annotations

import pytest
import torch

from ctap.config import from_dict, load_yaml, save_yaml, to_dict
from ctap.errors import UserError
from ctap.tasks.build import TRAININGS
from ctap.tasks.experiment import Standing, end_experiment, prepare_experiment, standing
from test import tiny

KIND = TRAININGS["finetune"][0]


def finetuning(**trainer):
    """The configuration of a fine-tuning, as it is recorded."""
    values = {"data": tiny.DATA, "optim": tiny.OPTIM, "trainer": {**tiny.TRAINER, **trainer}}
    return to_dict(from_dict(KIND, values, "test"))


def prepared(out, described):
    """Whether there is something to do, for which ``out`` is then ready."""
    found, differs = standing(out, described, out / "model", restart=False, kind=KIND)
    if found is not Standing.ENDED:
        prepare_experiment(out, described, found, differs)
    return found is not Standing.ENDED


@pytest.mark.parametrize("schedule", ["linear", "constant"])
def test_other_steps_under_a_schedule_that_depends_on_them_are_warned_of(schedule, tmp_path, caplog):
    for steps in (4, 4, 6):
        (tmp_path / "x").mkdir(exist_ok=True)
        (tmp_path / "x/last.ckpt").touch()
        described = finetuning(max_steps=steps)
        described["optim"]["schedule"] = schedule
        caplog.clear()
        assert prepared(tmp_path / "x", described)
        assert bool(caplog.records) == (schedule == "linear" and steps == 6)
        assert "max_steps was 4 and is 6" in caplog.text or not caplog.records


def test_a_finished_training_that_was_extended_and_killed_goes_on(tmp_path):
    """Its model of fewer steps must not count as that of more."""
    out = tmp_path / "x"

    def ahead(steps):
        return prepared(out, finetuning(max_steps=steps))

    assert ahead(4)
    (out / "model").mkdir()
    (out / "last.ckpt").touch()
    end_experiment(out)
    assert not ahead(4)
    assert ahead(8) and ahead(8)  # killed in between
    assert (out / "model").is_dir()  # in use until there is another
    end_experiment(out)
    assert not ahead(8) and not (tmp_path / "x.old1").exists()


@pytest.mark.parametrize("ended", [True, False])
def test_fewer_steps_than_were_made_are_another_training(ended, tmp_path):
    """The model of more steps must not pass for that of fewer."""
    out = tmp_path / "x"

    def ahead(steps):
        return prepared(out, finetuning(max_steps=steps))

    assert ahead(8)
    torch.save({"global_step": 6 + 2 * ended}, out / "last.ckpt")
    if ended:
        (out / "model").mkdir()
        end_experiment(out)
        assert ahead(4) and (tmp_path / "x.old1/model").is_dir() and not (out / "last.ckpt").exists()
    else:
        assert ahead(6)  # which it has made, and need not make again
        with pytest.raises(UserError, match=r"trainer\.max_steps: 6 -> 4"):
            ahead(4)


def test_a_finished_training_without_its_checkpoint_is_moved_aside(tmp_path):
    """It can't go on: the first steps would otherwise be written over it."""
    out = tmp_path / "x"
    for steps in (4, 8):
        described = finetuning(max_steps=steps)
        assert prepared(out, described)
        (out / "model").mkdir()
        end_experiment(out)
    assert (tmp_path / "x.old1/model").is_dir()


def test_options_that_an_earlier_version_did_not_have_are_at_their_defaults(tmp_path):
    """A training goes on after the toolkit was brought up to date, unless a new option is asked for."""
    asked = {"task": "finetune", **finetuning(), "inputs": {"train": "1"}}
    out = tmp_path / "x"
    out.mkdir()
    (out / "last.ckpt").touch()
    earlier = {k: v for k, v in asked.items() if k != "voice"}
    earlier["trainer"] = {k: v for k, v in asked["trainer"].items() if k != "accumulate"}
    save_yaml(earlier, out / "config.yaml")
    moved = {**asked, "voice": {"warp": 0.1, "tilt": 0.0, "share": 1.0}}
    with pytest.raises(UserError, match=r"differs .*: voice\.warp: 0\.0 -> 0\.1; set these back"):
        prepared(out, moved)
    assert prepared(out, asked)
    assert load_yaml(out / "config.yaml") == asked and not (tmp_path / "x.old1").exists()
