"""Margin KL against torch.distributions; squared error over real frames."""

import pytest
import torch

from ctap.loss.kl import gaussian_kl, margin_kl
from ctap.loss.regression import masked_mse


def test_kl_is_that_of_torch_distributions():
    mean, log_variance = torch.randn(5, 7), torch.randn(5, 7)
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    standard = torch.distributions.Normal(torch.zeros(5, 7), torch.ones(5, 7))
    expected = torch.distributions.kl_divergence(normal, standard).sum(dim=-1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)


def test_margin_frees_what_lies_below_it():
    mean, log_variance = torch.ones(4, 6).requires_grad_(), torch.zeros(4, 6)
    assert gaussian_kl(mean, log_variance).mean().item() == pytest.approx(3.0)
    assert margin_kl(mean, log_variance, margin=1.0).item() == pytest.approx(2.0)
    below = margin_kl(mean, log_variance, margin=5.0)
    below.backward()
    assert below == 0
    assert mean.grad.abs().sum() == 0


def test_mse_counts_real_frames_only():
    prediction, target = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    prediction[1, 2:] = 1e6
    expected = torch.cat([prediction[0] - target[0], prediction[1, :2] - target[1, :2]]).square().mean()
    torch.testing.assert_close(masked_mse(prediction, target, mask), expected)


def test_the_margin_is_that_of_the_batch_and_not_of_each_prompt():
    mean = torch.tensor([[0.0], [2.0]])  # 0 and 2 nats
    assert margin_kl(mean, torch.zeros(2, 1), margin=1.0) == 0
