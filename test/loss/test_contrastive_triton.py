"""The Triton kernel against float64: on a GPU if there is one, else in Triton's interpreter."""

import pytest
import torch

from ctap.loss.contrastive_plain import plain_contrastive

pytest.importorskip("triton", reason="triton is not installed")

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture(scope="module")
def kernel():
    from ctap.loss.contrastive_triton import triton_contrastive

    return triton_contrastive


def pair(n, d, scale, seed=0):
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.randn(n, d, generator=generator) for _ in range(3)]
    return [x.to(DEVICE).requires_grad_() for x in (*tensors, torch.tensor(scale))]


def check(loss, expected, found, wanted):
    torch.testing.assert_close(loss.double(), expected, rtol=1e-4, atol=1e-5)
    loss.backward()
    expected.backward()
    for a, b in zip(found, wanted, strict=True):
        limit = 1e-4 * b.grad.abs().max().item() + 2e-7 * max(1.0, wanted[-1].item())  # scale times rounding
        torch.testing.assert_close(a.grad.double(), b.grad, rtol=0, atol=limit)


@pytest.mark.parametrize("n, d", [(1, 1), (31, 5), (64, 16), (65, 20), (150, 40)])
@pytest.mark.parametrize("scale", [0.3, 20.0])
@pytest.mark.parametrize("left_out", [False, True])
def test_equals_the_plain_loss_in_float64(kernel, n, d, scale, left_out):
    s, p, _, tau = pair(n, d, scale)
    wide = [x.detach().double().requires_grad_() for x in (s, p, tau)]
    phones = torch.randint(0, 3, (n,), generator=torch.Generator().manual_seed(n)).to(DEVICE)
    others = (phones[:, None] == phones).fill_diagonal_(False)
    loss = kernel(s, p, tau, phones=phones if left_out else None)
    expected = plain_contrastive(*wide, left_out=others if left_out else None)
    check(loss, expected, (s, p, tau), wide)


def test_targets_other_than_the_own_frame(kernel):
    s, p, target, tau = pair(70, 12, 0.5)
    wide = [x.detach().double().requires_grad_() for x in (s, p, target, tau)]
    logits = wide[3] * wide[0] @ wide[1].T
    lse = 0.5 * (logits.logsumexp(dim=0) + logits.logsumexp(dim=1))
    expected = (lse - wide[3] * (wide[0] * wide[2]).sum(dim=1)).mean()
    check(kernel(s, p, tau, target=target), expected, (s, p, target, tau), wide)
