"""The refiner: what it sharpens, and what it leaves alone."""

import pytest
import torch

from ctap.config import from_dict
from ctap.data.batch import lengths_to_mask
from ctap.errors import UserError
from ctap.nn.decoder import Decoder
from ctap.nn.refiner import RefinerConfig
from ctap.nn.transformer import StackConfig
from ctap.tasks.refining import refining

STACK = {"layers": 1, "dim": 16, "heads": 2, "ffn": 32, "dropout": 0.0, "positions": "rotary"}


def decoder(**refiner):
    torch.manual_seed(0)
    stack, sizes = (
        from_dict(StackConfig, STACK, "test"),
        from_dict(RefinerConfig, {**STACK, **refiner}, "test"),
    )
    return Decoder(4, 3, 2, stack, postnet_dim=8, refiner=sizes)


def test_without_layers_there_is_none():
    net = decoder(layers=0)
    given = torch.randn(1, 9, 3), torch.randn(1, 2)
    assert net.refiner is None and torch.equal(net.speak(*given), net(*given))
    assert refining(net.train(), *2 * (torch.randn(1, 9, 4),), torch.ones(1, 9, dtype=torch.bool)) == {}
    with pytest.raises(UserError, match=r"^steps: expected 1 to 100, got 0"):
        RefinerConfig(steps=0)


def test_padding_changes_nothing():
    net = decoder(fold=2).eval()
    embedding, g = torch.randn(2, 12, 3), torch.randn(2, 2)
    mask = lengths_to_mask(torch.tensor([7, 12]), 12)
    torch.testing.assert_close(
        net.speak(embedding, g, mask)[0, :7], net.speak(embedding[:1, :7], g[:1])[0], atol=1e-5, rtol=1e-4
    )


def test_what_a_squared_error_blurs_is_sharpened():
    """Speech is +1 or -1 by chance in each utterance: its mean, 0, is no speech, and is not what is heard."""
    net = decoder(steps=20).train()
    optimizer = torch.optim.Adam(net.refiner.parameters(), lr=1e-2)
    mask, zero = torch.ones(64, 4, dtype=torch.bool), torch.zeros(64, 4, 4)
    draft = torch.zeros_like(zero, requires_grad=True)
    for _ in range(300):
        signs = torch.randint(2, (64, 1, 1)) * 2.0 - 1.0
        loss = refining(net, draft, zero + signs, mask)["flow"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert draft.grad is None  # the decoder learns nothing from it
    assert refining(net.eval(), draft, zero, mask) == {}
    with torch.no_grad():
        torch.manual_seed(1)
        x = 0.05 * torch.randn(64, 4, 4)  # not exactly the middle, which belongs to neither
        for i in range(20):
            x = x + net.refiner(x, torch.full((64,), i / 20), zero) / 20
        found = net.refiner.refine(zero)
    assert (x.mean((1, 2)).abs() > 0.5).float().mean() > 0.9
    assert torch.equal(found, net.refiner.refine(zero))


def test_each_step_begins_where_the_last_one_ended(monkeypatch):
    """Four steps, each in the direction of the draft and its own time: (0 + 1/4 + 2/4 + 3/4) / 4."""
    refiner, draft = decoder(steps=4).refiner, torch.randn(2, 3, 4)
    monkeypatch.setattr(refiner, "forward", lambda x, time, draft, mask: time[:, None, None] + draft)
    torch.testing.assert_close(refiner.refine(draft), draft + 0.375)
