"""Each objective against its definition in float64, tiled and plain, in one process and in two."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.loss import contrastive_tiled
from ctap.loss.contrastive import ContrastiveConfig, ContrastiveLoss

OBJECTIVES = ["paper", "soft_instance", "soft_phone", "exclude_phone", "sigmoid"]


def reference(config, s, p, scale, phones, instances, bias):
    """The objectives, pair by pair."""
    n = len(s)
    c = scale * (s @ p.T)
    own = torch.eye(n, dtype=torch.bool)
    if config.objective == "sigmoid":
        probability = (c + bias).sigmoid()
        return -torch.where(own, probability, 1 - probability).log().sum() / n
    if config.objective == "exclude_phone":
        e = c.exp() * (own | (phones[:, None] != phones))
        return -0.5 * ((c.exp().diagonal() ** 2) / (e.sum(dim=0) * e.sum(dim=1))).log().mean()
    total = 0.0
    for i in range(n):
        if config.objective == "soft_instance":
            like = [j for j in range(n) if instances[i] == instances[j] and abs(i - j) <= config.radius]
        elif config.objective == "soft_phone":
            like = [j for j in range(n) if phones[i] == phones[j]]
        else:
            like = [i]
        for j in range(n):
            q = (1 - config.share) * (i == j) + config.share * (j in like) / len(like)
            total = total - 0.5 * q * (c[i].log_softmax(dim=0)[j] + c[:, i].log_softmax(dim=0)[j])
    return total / n


def batch(lengths, d, seed):
    """S, P [B, T, d], mask, phones and instances [B, T], phones of a few frames; padding holds junk."""
    generator = torch.Generator().manual_seed(seed)
    size = max(lengths)
    s, p = (torch.randn(len(lengths), size, d, generator=generator, dtype=torch.float64) for _ in range(2))
    mask = torch.arange(size) < torch.tensor(lengths)[:, None]
    starts = torch.rand(len(lengths), size, generator=generator) < 0.4
    instances = starts.long().cumsum(dim=1) + torch.arange(len(lengths))[:, None] * (size + 1)
    phones = torch.randint(0, 4, (int(instances.max()) + 1,), generator=generator)[instances]
    return s, p, mask, phones, instances


def with_gradients(loss, *tensors):
    return [loss.detach(), *torch.autograd.grad(loss, tensors)]


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("kind", ["tiled", "plain"])
@settings(max_examples=12, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    d=st.integers(1, 6),
    share=st.floats(0, 1),
    radius=st.integers(1, 4),
    tile=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    scale=st.floats(0.05, 2.0),
    seed=st.integers(0, 99),
)
def test_equals_its_definition_with_gradients(objective, kind, lengths, d, share, radius, tile, scale, seed):
    config = ContrastiveConfig(kind, objective=objective, share=share, radius=radius, bias=-2.0)
    module = ContrastiveLoss(config).double()
    s, p, mask, phones, instances = batch(lengths, d, seed)
    scale = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    tensors = [s.requires_grad_(), p.requires_grad_(), scale, *module.parameters()]
    bias = tensors[3] if len(tensors) > 3 else None
    expected = reference(config, s[mask], p[mask], scale, phones[mask], instances[mask], bias)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrastive_tiled, "TILE", tile)
        loss = module(s, p, mask, scale, phones, instances)
    for a, b in zip(with_gradients(loss, *tensors), with_gradients(expected, *tensors), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_large_logits_do_not_overflow(objective):
    """Beyond the range of one exponential; tiles in which a row has nothing but left-out pairs included."""
    s, p, mask, phones, instances = batch([30, 30], 8, 0)
    phones = torch.zeros_like(phones)
    phones[1, 20:] = 1
    scale = torch.tensor(300.0, dtype=torch.float64)
    losses = {}
    for kind in ("tiled", "plain"):
        a, b = s.float().requires_grad_(), p.clone().requires_grad_()
        module = ContrastiveLoss(ContrastiveConfig(kind, objective=objective))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(contrastive_tiled, "TILE", (8, 8))
            losses[kind] = with_gradients(module(a.double(), b, mask, scale, phones, instances), a, b)
    for x, y in zip(losses["tiled"], losses["plain"], strict=True):
        assert torch.isfinite(x).all()
        torch.testing.assert_close(x, y, rtol=1e-5, atol=1e-6)


def test_settings_out_of_range_are_refused():
    with pytest.raises(UserError, match=r"^share: expected"):
        ContrastiveConfig(share=1.5)
    with pytest.raises(UserError, match=r"^radius: expected"):
        ContrastiveConfig(radius=0)


def _one_process(rank, address):
    """A process of two, with the first or the last two of the three utterances' frames."""
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    s, p, mask, phones, instances = batch([7, 5, 1], 4, 5)
    own = slice(0, 2) if rank == 0 else slice(2, 3)
    for objective in OBJECTIVES:
        module = ContrastiveLoss(ContrastiveConfig(objective=objective, gather=True, bias=-2.0)).double()
        scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
        a, b = s[own].clone().requires_grad_(), p[own].clone().requires_grad_()
        # each process counts for itself: the last instance of the one has the number of the other's first
        local = instances[own] + (instances[1, 4] - instances[2, 0] if rank else 0)
        loss = module(a, b, mask[own], scale, phones[own], local)
        found = with_gradients(loss, a, b, scale, *module.parameters())

        joined = ContrastiveLoss(ContrastiveConfig(objective=objective, bias=-2.0)).double()
        c, d = s.clone().requires_grad_(), p.clone().requires_grad_()
        expected = with_gradients(
            joined(c, d, mask, scale, phones, instances), c, d, scale, *joined.parameters()
        )
        # gradients come back summed over processes; DDP's mean over the two then is the joined batch's
        for i in (1, 2):
            expected[i] = 2 * expected[i][own]
        for x, y in zip(found, expected, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-9, atol=1e-10)
    dist.destroy_process_group()


def test_two_processes_equal_one_on_the_joined_batch(tmp_path):
    multiprocessing.spawn(_one_process, (f"file://{tmp_path}/meet",), nprocs=2)
