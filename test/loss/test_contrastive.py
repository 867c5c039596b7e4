"""The tiled loss against the paper's formula in plain float64 PyTorch."""

from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.loss.contrastive import ContrastiveConfig, ContrastiveLoss, Objective
from ctap.loss.contrastive_plain import plain_contrastive
from ctap.loss.contrastive_tiled import _common_shift, tiled_contrastive

OBJECTIVES = get_args(Objective)


def reference(s, p, scale):
    """Eq. 5-6, word for word: log of the diagonal of the softmax along both axes."""
    c = scale * (s @ p.T)
    speech = c.softmax(dim=1).diagonal().log().mean()
    phoneme = c.softmax(dim=0).diagonal().log().mean()
    return -0.5 * (speech + phoneme)


def reference_lse(s, p, scale):
    """The same by log-sum-exp, which large logits do not break."""
    c = scale * (s @ p.T)
    return (0.5 * (c.logsumexp(dim=1) + c.logsumexp(dim=0)) - c.diagonal()).mean()


def inputs(n, d, scale, seed=0):
    generator = torch.Generator().manual_seed(seed)
    s, p = (torch.randn(n, d, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    return s, p, torch.tensor(scale, dtype=torch.float64, requires_grad=True)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 70),
    d=st.integers(1, 9),
    tile=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    scale=st.floats(0.01, 5.0),
    keep=st.sampled_from([0, 5_000, 2**30]),
)
def test_equals_the_formula_with_gradients(n, d, tile, scale, keep):
    first, second = inputs(n, d, scale), inputs(n, d, scale)
    expected = reference(*first)
    loss = tiled_contrastive(*second, tile=tile, keep_bytes=keep)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=1e-10)
    expected.backward()
    loss.backward()
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(b.grad, a.grad, rtol=1e-9, atol=1e-10)


def test_plain_equals_the_formula():
    arguments = inputs(37, 8, 0.3)
    torch.testing.assert_close(plain_contrastive(*arguments), reference(*arguments))


@pytest.mark.parametrize("keep_bytes", [0, 200, 2**30])
@pytest.mark.parametrize("scale", [0.7, 300.0])
def test_gradcheck(keep_bytes, scale):
    """Within the range of one exponential for rows and columns, and far beyond it."""
    s, p, scale = inputs(11, 4, scale)
    assert (_common_shift(s, p, scale) is None) == (scale > 100)
    assert torch.autograd.gradcheck(
        lambda *x: tiled_contrastive(*x, tile=(4, 3), keep_bytes=keep_bytes), (s, p, scale), atol=1e-4
    )


def test_a_second_backward_gives_the_same():
    s, p, scale = inputs(20, 4, 0.7)
    loss = tiled_contrastive(s, p, scale, tile=(8, 8))
    once = torch.autograd.grad(loss, (s, p, scale), retain_graph=True)
    again = torch.autograd.grad(loss, (s, p, scale))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


@settings(max_examples=40, deadline=None)
@given(spread=st.floats(0.1, 40.0), scale=st.floats(0.01, 3.0), sign=st.sampled_from([-1, 1]))
def test_float32_loses_nothing_where_one_exponential_serves_and_where_not(spread, scale, sign):
    """Rows and columns of very unlike size, pairs that match badly: no sum may over- or underflow."""
    s, p, scale = inputs(40, 8, scale, seed=3)
    with torch.no_grad():
        s *= torch.linspace(0.01, spread, 40)[:, None]
        p *= sign * torch.linspace(spread, 0.1, 40)[:, None]
    expected = reference_lse(s, p, scale)
    small = [x.detach().float().requires_grad_() for x in (s, p, scale)]
    loss = tiled_contrastive(*small, tile=(16, 16))
    size = (scale.abs() * s.norm(dim=1).max() * p.norm(dim=1).max()).item()
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6 * (1 + size))
    expected.backward()
    loss.backward()
    for a, b in zip((s, p, scale), small, strict=True):
        limit = 1e-5 * (1 + size) * a.grad.abs().max().item() + 1e-6
        torch.testing.assert_close(b.grad.double(), a.grad, rtol=0, atol=limit)


def test_large_temperature_does_not_overflow():
    s, p, _ = inputs(50, 16, 1.0)
    scale = torch.tensor(500.0, dtype=torch.float64)
    loss = tiled_contrastive(s.float(), p.float(), scale.float(), tile=(16, 16))
    torch.testing.assert_close(loss.double(), plain_contrastive(s, p, scale), rtol=1e-4, atol=1e-3)
    assert torch.isfinite(loss)


def test_bfloat16_is_reduced_in_float32():
    """log-sum-exp of bfloat16 logits would lose a small loss altogether."""
    s = torch.nn.functional.normalize(torch.randn(300, 64, generator=torch.Generator().manual_seed(1)), dim=1)
    half = s.bfloat16()
    loss = tiled_contrastive(half, half, torch.tensor(10.0), tile=(64, 64))
    expected = plain_contrastive(half.double(), half.double(), torch.tensor(10.0, dtype=torch.float64))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)


def test_padding_takes_no_part():
    module, scale = ContrastiveLoss(ContrastiveConfig()), torch.tensor(0.3)
    s, p = torch.randn(2, 6, 8), torch.randn(2, 6, 8)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    phones = torch.arange(6).expand(2, 6)
    before = module(s, p, mask, scale, phones, phones)
    s[1, 4:], p[1, 4:] = 1e3, -1e3
    torch.testing.assert_close(module(s, p, mask, scale, phones, phones), before)


def test_the_gpu_kernel_on_a_cpu_says_what_to_take():
    loss = ContrastiveLoss(ContrastiveConfig(kind="triton"))
    s, p, mask = torch.randn(1, 5, 4), torch.randn(1, 5, 4), torch.ones(1, 5, dtype=torch.bool)
    with pytest.raises(UserError, match=r"it runs on a GPU, the batch is on the cpu; take tiled"):
        loss(s, p, mask, torch.tensor(1.0), torch.arange(5)[None], torch.arange(5)[None])


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("kind", ["tiled", "plain"])
def test_under_autocast_the_loss_stays_in_float32(kind, objective):
    """Embeddings come in bfloat16; what is done with them, backwards too, is as without autocast."""
    generator = torch.Generator().manual_seed(3)
    s, p = (torch.randn(2, 40, 16, generator=generator).bfloat16() for _ in range(2))
    mask = torch.ones(2, 40, dtype=torch.bool)
    phones = torch.arange(40).div(8, rounding_mode="floor").expand(2, 40)
    instances = phones + torch.tensor([[0], [5]])
    loss = ContrastiveLoss(ContrastiveConfig(objective=objective, kind=kind))

    def run(autocast):
        a, b = (x.clone().requires_grad_() for x in (s, p))
        scale = torch.tensor(0.9, requires_grad=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            value = loss(a, b, mask, scale, phones, instances)
        value.backward()
        return value, a.grad, b.grad, scale.grad

    for found, expected in zip(run(True), run(False), strict=True):
        assert found.dtype == expected.dtype
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_inside_a_compiled_function(objective):
    """What surrounds the loss is compiled; the loss, which looks at values, is not, and gives the same."""
    s, p, scale = (x.detach().float() for x in inputs(60, 8, 0.5))
    mask = torch.ones(2, 30, dtype=torch.bool)
    phones = torch.arange(30).div(5, rounding_mode="floor").expand(2, 30)
    loss = ContrastiveLoss(ContrastiveConfig(objective=objective))

    def step(a, b, tau):
        return loss(2 * a.view(2, 30, 8), b.view(2, 30, 8), mask, tau, phones, phones)

    results = []
    for run in (step, torch.compile(step, backend="aot_eager")):
        a, b, tau = (x.clone().requires_grad_() for x in (s, p, scale))
        value = run(a, b, tau)
        value.backward()
        results.append((value.detach(), a.grad, b.grad, tau.grad))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)
