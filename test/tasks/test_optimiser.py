"""Learning-rate schedules against figures by hand; Muon beside Adam."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ctap.nn.transformer import StackConfig, TransformerStack
from ctap.tasks.optimiser import MuonAndAdam, OptimConfig, make_optimizer


def rates(schedule: str, warmup: int, steps: int) -> list[float]:
    config = OptimConfig(warmup_steps=warmup, schedule=schedule)
    return [config.factor(step, steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["inverse_sqrt", "constant", "linear"])
def test_every_schedule_warms_up_to_its_highest_rate(schedule):
    found = rates(schedule, 4, 20)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert max(found) == 1.0


def test_after_the_warm_up():
    assert rates("constant", 4, 20)[4:] == [1.0] * 16
    assert rates("inverse_sqrt", 4, 20)[15] == pytest.approx(0.5)  # step 16: sqrt(4 / 16)
    linear = rates("linear", 4, 20)
    assert linear[4] == 1.0 and linear[12] == pytest.approx(0.5) and linear[-1] == pytest.approx(1 / 16)


def test_linear_stays_at_zero_behind_the_last_step():
    assert OptimConfig(warmup_steps=2, schedule="linear").factor(12, 10) == 0.0
    assert OptimConfig(warmup_steps=10, schedule="linear").factor(9, 5) == 1.0


def net():
    torch.manual_seed(0)
    stack = StackConfig(layers=1, dim=32, heads=2, ffn=64, dropout=0.0, positions="none")
    return nn.Sequential(nn.Linear(8, 32), TransformerStack(stack), nn.Linear(32, 4))


def take_steps(model, optimizer, count):
    for i in range(count):
        torch.manual_seed(i)
        optimizer.zero_grad()
        model(torch.randn(2, 5, 8)).square().mean().backward()
        optimizer.step()


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_muon_moves_matrices_of_stacks_along_orthogonal_ones_and_adam_the_rest():
    config = OptimConfig(name="muon", lr=1e-2, weight_decay=0.0)
    model, other = net(), net()
    before = weights(model)
    take_steps(model, make_optimizer(model, config, "bf16-mixed"), 1)
    take_steps(other, make_optimizer(other, OptimConfig(lr=1e-2), "bf16-mixed"), 1)
    after, by_adam = weights(model), weights(other)
    for name, gradient in ((n, p.grad) for n, p in model.named_parameters()):
        if "blocks" in name and gradient.ndim == 2:
            step = (before[name] - after[name]) / (1e-2 * 0.2 * max(gradient.shape) ** 0.5)
            # of all matrices of spectral norm 1, the orthogonal one gets the nuclear norm out of the gradient
            share = (step * gradient).sum() / torch.linalg.svdvals(gradient).sum()
            assert 0.6 < share < 1.3 and torch.linalg.matrix_norm(step, 2) < 1.4, name
        else:
            assert torch.equal(after[name], by_adam[name]), name


def test_muon_goes_on_from_its_saved_state():
    config = OptimConfig(name="muon", lr=1e-2)
    whole, first = net(), net()
    take_steps(whole, make_optimizer(whole, config, "bf16-mixed"), 2)
    optimizer = make_optimizer(first, config, "bf16-mixed")
    take_steps(first, optimizer, 1)
    saved, rest = copy.deepcopy(optimizer.state_dict()), net()
    rest.load_state_dict(first.state_dict())
    resumed = make_optimizer(rest, config, "bf16-mixed")
    resumed.load_state_dict(saved)
    for group in resumed.param_groups:
        assert group["lr"] == 1e-2
    torch.manual_seed(1)
    resumed.zero_grad()
    rest(torch.randn(2, 5, 8)).square().mean().backward()
    resumed.step()
    expected = weights(whole)
    assert all(torch.equal(expected[name], w) for name, w in weights(rest).items())


def test_learning_rate_of_both_parts_is_scheduled():
    optimizer = make_optimizer(net(), OptimConfig(name="muon", lr=1.0), "bf16-mixed")
    assert isinstance(optimizer, MuonAndAdam)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.25)
    assert [part.param_groups[0]["lr"] for part in optimizer._parts] == [0.25, 0.25]


def test_without_stacks_muon_is_adam():
    assert isinstance(
        make_optimizer(nn.Linear(3, 3), OptimConfig(name="muon"), "bf16-mixed"), torch.optim.AdamW
    )


@pytest.mark.parametrize("name", ["adam", "muon"])
def test_decay_is_that_asked_for(name):
    """Of weights, in all parts, and of what Adam remembers."""
    config = OptimConfig(name=name, betas=(0.8, 0.95), weight_decay=0.1)
    groups = make_optimizer(net(), config, "bf16-mixed").param_groups
    assert {group["weight_decay"] for group in groups} == {0.1}
    assert groups[-1]["betas"] == (0.8, 0.95)


@pytest.mark.parametrize(
    ("computes_in", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
def test_muon_computes_in_what_the_training_does(computes_in, dtype, monkeypatch):
    seen = set()
    monkeypatch.setattr("ctap.tasks.muon.native_bfloat16", lambda gpu: True)
    monkeypatch.setattr("ctap.tasks.muon.orthogonal", lambda x: seen.add(x.dtype) or x.float())
    model = net()
    take_steps(model, make_optimizer(model, OptimConfig(name="muon"), computes_in), 1)
    assert seen == {dtype}
