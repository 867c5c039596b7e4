"""The tiled loss against the paper's formula in plain float64 PyTorch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.loss.contrastive import (
    ContrastiveConfig,
    ContrastiveLoss,
    plain_contrastive,
    tiled_contrastive,
)


def reference(s, p, scale):
    """Eq. 5-6, word for word: log of the diagonal of the softmax along both axes."""
    c = scale * (s @ p.T)
    speech = c.softmax(dim=1).diagonal().log().mean()
    phoneme = c.softmax(dim=0).diagonal().log().mean()
    return -0.5 * (speech + phoneme)


def inputs(n, d, scale, seed=0):
    generator = torch.Generator().manual_seed(seed)
    s, p = (torch.randn(n, d, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    return s, p, torch.tensor(scale, dtype=torch.float64, requires_grad=True)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 70),
    d=st.integers(1, 9),
    block=st.integers(1, 80),
    scale=st.floats(0.01, 5.0),
    keep=st.booleans(),
)
def test_equals_the_formula_with_gradients(n, d, block, scale, keep):
    first, second = inputs(n, d, scale), inputs(n, d, scale)
    expected = reference(*first)
    loss = tiled_contrastive(*second, block=block, keep_bytes=2**30 if keep else 0)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=1e-10)
    expected.backward()
    loss.backward()
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(b.grad, a.grad, rtol=1e-9, atol=1e-10)


def test_plain_equals_the_formula():
    arguments = inputs(37, 8, 0.3)
    torch.testing.assert_close(plain_contrastive(*arguments), reference(*arguments))


@pytest.mark.parametrize("keep_bytes", [0, 2**30])
def test_gradcheck(keep_bytes):
    s, p, scale = inputs(11, 4, 0.7)
    assert torch.autograd.gradcheck(
        lambda *x: tiled_contrastive(*x, block=4, keep_bytes=keep_bytes), (s, p, scale)
    )


def test_large_temperature_does_not_overflow():
    s, p, _ = inputs(50, 16, 1.0)
    scale = torch.tensor(500.0, dtype=torch.float64)
    loss = tiled_contrastive(s.float(), p.float(), scale.float(), block=16)
    torch.testing.assert_close(loss.double(), plain_contrastive(s, p, scale), rtol=1e-4, atol=1e-3)
    assert torch.isfinite(loss)


def test_bfloat16_is_reduced_in_float32():
    """log-sum-exp of bfloat16 logits would lose a small loss altogether."""
    s = torch.nn.functional.normalize(torch.randn(300, 64, generator=torch.Generator().manual_seed(1)), dim=1)
    half = s.bfloat16()
    loss = tiled_contrastive(half, half, torch.tensor(10.0), block=64)
    expected = plain_contrastive(half.double(), half.double(), torch.tensor(10.0, dtype=torch.float64))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)


def test_padding_takes_no_part():
    module, scale = ContrastiveLoss(ContrastiveConfig()), torch.tensor(0.3)
    s, p = torch.randn(2, 6, 8), torch.randn(2, 6, 8)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    before = module(s, p, mask, scale)
    s[1, 4:], p[1, 4:] = 1e3, -1e3
    torch.testing.assert_close(module(s, p, mask, scale), before)
