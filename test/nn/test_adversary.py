"""The speaker adversary: blind to padding, with turned gradients."""

import torch
import torch.nn.functional as F

from ctap.nn.adversary import SpeakerAdversary


def test_padding_takes_no_part():
    torch.manual_seed(0)
    adversary, s = SpeakerAdversary(4, 3), torch.randn(2, 30, 4)
    mask = torch.arange(30) < torch.tensor([[30], [12]])
    alone = adversary(s[1:, :12], mask[1:, :12])
    assert torch.allclose(adversary(s, mask)[1:], alone, atol=1e-6)


def test_the_gradient_towards_s_is_turned_and_no_other():
    torch.manual_seed(0)
    adversary, s = SpeakerAdversary(4, 3), torch.randn(2, 20, 4, requires_grad=True)
    mask, speakers = torch.ones(2, 20, dtype=torch.bool), torch.tensor([0, 2])
    loss = F.cross_entropy(adversary(s, mask), speakers)
    loss.backward()
    with torch.no_grad():
        against = F.cross_entropy(adversary(s - 0.1 * s.grad, mask), speakers)  # a descent, as for S
        for p in adversary.parameters():
            p -= 0.1 * p.grad
        along = F.cross_entropy(adversary(s, mask), speakers)
    assert against > loss > along
