"""Muon against singular values, and against PyTorch's."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ctap.tasks import muon
from ctap.tasks.muon import Muon, orthogonal

SHAPES = [(8, 8), (8, 24), (24, 8), (8, 24)]


@pytest.fixture(params=[False, True], ids=["float32", "bfloat16"])
def bfloat16(request, monkeypatch):
    monkeypatch.setattr(muon, "native_bfloat16", lambda gpu: request.param)
    return request.param


@pytest.mark.parametrize("shape", [(5, 8, 8), (3, 4, 16), (3, 16, 4)])
def test_singular_values_become_one_and_directions_stay(shape):
    torch.manual_seed(0)
    x = torch.randn(shape)
    found = orthogonal(x)
    assert ((torch.linalg.svdvals(found) > 0.3) & (torch.linalg.svdvals(found) < 1.25)).all()
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    inside = u.mT @ found @ v.mT  # in the frame of x's own singular vectors it is diagonal
    off = inside - torch.diag_embed(inside.diagonal(dim1=1, dim2=2))
    assert off.abs().max() < 1e-4
    torch.testing.assert_close(orthogonal(x[1:2])[0], found[1], atol=1e-5, rtol=1e-5)  # one by one the same
    assert torch.equal(orthogonal(torch.zeros(1, 3, 4)), torch.zeros(1, 3, 4))


def test_steps_are_those_of_pytorch(bfloat16):
    def learn(kind, **more):
        torch.manual_seed(0)
        parameters = [nn.Parameter(torch.randn(shape)) for shape in SHAPES]
        optimizer = kind(parameters, lr=0.02, weight_decay=0.1, **more)
        for i in range(6):
            torch.manual_seed(i)
            for p in parameters:
                p.grad = torch.randn_like(p)
            optimizer.step()
        return parameters

    ours = learn(Muon, half=True)
    for mine, theirs in zip(ours, learn(torch.optim.Muon, adjust_lr_fn="match_rms_adamw"), strict=True):
        # theirs is in bfloat16, of 3 digits; six steps have moved every weight by about 0.02
        assert (mine - theirs).abs().max() < 3e-3
        assert mine.dtype == torch.float32


def test_a_training_in_float32_takes_its_steps_in_float32(monkeypatch):
    found = []
    for half, native in ((False, True), (True, False), (True, True)):
        monkeypatch.setattr(muon, "native_bfloat16", lambda gpu, native=native: native)
        torch.manual_seed(0)
        p = nn.Parameter(torch.randn(8, 24))
        p.grad = torch.randn_like(p)
        Muon([p], lr=0.1, weight_decay=0.0, half=half).step()
        found.append(p.detach())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[1], found[2])


def test_what_has_no_gradient_stays():
    still, moved = nn.Parameter(torch.ones(4, 4)), nn.Parameter(torch.ones(4, 4))
    moved.grad = torch.eye(4)
    Muon([still, moved], lr=0.1, weight_decay=0.0, half=True).step()
    assert torch.equal(still, torch.ones(4, 4)) and not torch.equal(moved, torch.ones(4, 4))
