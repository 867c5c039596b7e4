"""Rectified flow where the direction is known."""

import torch

from ctap.loss.flow import flow_loss


def test_the_true_direction_has_no_error_and_padding_does_not_count():
    torch.manual_seed(0)
    target, mask = torch.randn(3, 7, 2), torch.ones(3, 7, dtype=torch.bool)
    mask[1, 4:] = False
    seen = []

    def true(place, share):
        seen.append(share)
        return (target - place) / (1 - share)[:, None, None] + 5.0 * ~mask[..., None]

    assert flow_loss(true, target, mask) < 1e-6
    assert seen[0].shape == (3,) and 0 <= seen[0].min() < seen[0].max() <= 1
    # standing still, the error is that of target - noise: 1 for the noise, and the target's own
    still = torch.stack([flow_loss(lambda place, share: 0 * place, target, mask) for _ in range(400)]).mean()
    assert abs(still - 1 - target[mask].square().mean()) < 0.1
