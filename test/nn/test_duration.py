"""Duration models: the diffusion process, its sampler, and whole frames."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctap.errors import UserError
from ctap.nn.duration import DurationConfig, DurationModel

CONFIG = DurationConfig(layers=4, channels=16, steps=50, sampling_steps=10, predictor_channels=16)


def test_noise_schedule_is_the_linear_one():
    model = DurationModel(4, 2, DurationConfig())
    beta = torch.linspace(1e-4, 0.06, 100)
    torch.testing.assert_close(model.alpha_bar, torch.cumprod(1 - beta, dim=0))
    assert model.alpha_bar[-1] < 0.06  # close to pure noise


def test_sampler_inverts_the_process_of_a_perfect_denoiser():
    """With the true noise at every step, DDIM returns the very sample it came from."""
    model = DurationModel(4, 2, CONFIG)
    clean = torch.randn(3, 7).clamp(-3, 3)

    def perfect(z, step, condition, mask):
        level = model.alpha_bar[step][:, None]
        return (z - level.sqrt() * clean) / (1 - level).sqrt()

    model.denoiser.forward = perfect
    mask = torch.ones(3, 7, dtype=torch.bool)
    torch.testing.assert_close(model.sample(torch.zeros(3, 7, 6), mask), clean, atol=1e-4, rtol=1e-3)


def test_seed_decides_the_sample():
    model = DurationModel(4, 2, CONFIG).eval()
    condition, mask = torch.randn(1, 6, 6), torch.ones(1, 6, dtype=torch.bool)
    draws = [model.sample(condition, mask, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    torch.testing.assert_close(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_temperature_is_the_spread_of_what_is_drawn():
    """With the best denoiser of standard normal durations, draws are normal with that deviation."""
    drawn = {}
    for temperature in (1.0, 0.3):
        model = DurationModel(4, 2, dataclasses.replace(CONFIG, temperature=temperature))
        model.denoiser.forward = lambda z, step, *_, m=model: (1 - m.alpha_bar[step][:, None]).sqrt() * z
        mask = torch.ones(400, 5, dtype=torch.bool)
        drawn[temperature] = model.sample(torch.zeros(400, 5, 6), mask, torch.Generator().manual_seed(0))
    assert drawn[1.0].std().item() == pytest.approx(1.0, abs=0.1)
    torch.testing.assert_close(drawn[0.3], 0.3 * drawn[1.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.2, 60.0), min_size=1, max_size=30))
def test_whole_frames_keep_the_length_and_leave_no_phone_out(frames):
    model = DurationModel(4, 2, CONFIG, mean=2.0, std=1.0)
    wanted = torch.tensor([frames])
    mask = torch.ones_like(wanted, dtype=torch.bool)
    whole = model.to_frames(torch.log1p(wanted) - 2.0, mask)
    assert (whole >= 1).all()
    total = wanted.clamp(min=1).sum().item()
    assert abs(whole.sum().item() - total) <= 0.5 + (whole == 1).sum().item() * 0.51


def test_durations_are_bounded_whatever_is_predicted():
    """Beyond four deviations z is clamped, and then the frames of a phone; padding counts nothing."""
    z = torch.tensor([[-50.0, 0.0, 4.0, 20.0, 1e30, float("nan")]])
    mask = torch.tensor([[True] * 5 + [False]])
    narrow = DurationModel(4, 2, CONFIG, mean=2.0, std=0.5)
    frames = narrow.to_frames(z.nan_to_num(0.0, posinf=1e30), mask)
    assert frames.tolist()[0][0] == 1
    assert frames[0, 2:5].float() == pytest.approx([53.6] * 3, abs=0.6)
    assert frames[0, 5] == 0
    wide = DurationModel(4, 2, dataclasses.replace(CONFIG, max_frames=70), mean=2.0, std=1.5)
    assert wide.to_frames(z[:, 2:5], mask[:, 2:5]).tolist() == [[70, 70, 70]]
    assert wide.to_frames(z[:, 2:5], mask[:, 2:5], speed=0.5).tolist() == [[140, 140, 140]]
    narrow.denoiser.forward = lambda z, *_: 100 - z
    assert narrow.sample(torch.zeros(1, 6, 6), mask).abs().max() == 4
    with pytest.raises(UserError, match="not a number"):
        narrow.to_frames(z, torch.ones_like(mask))
    with pytest.raises(UserError, match="speed 0"):
        narrow.to_frames(z[:, :2], mask[:, :2], speed=0.0)


def test_learns_durations_that_depend_on_the_phone():
    """Overfit: two kinds of phone with their own duration are told apart by both models."""
    torch.manual_seed(0)
    kinds = torch.randint(2, (16, 10))
    durations = torch.where(kinds == 0, 4, 20)
    condition = torch.nn.functional.one_hot(kinds, 6).float()
    mask = torch.ones_like(kinds, dtype=torch.bool)
    logs = torch.log1p(durations.float())
    model = DurationModel(4, 2, CONFIG, logs.mean().item(), logs.std().item())
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(250):
        optimizer.zero_grad()
        sum(model.losses(durations, condition, mask)).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for z in (model.sample(condition, mask), model.predictor(condition, mask)):
            frames = model.to_frames(z, mask).float()
            assert frames[kinds == 0].mean() == pytest.approx(4, abs=1.5)
            assert frames[kinds == 1].mean() == pytest.approx(20, abs=4)


def test_padding_is_not_learned():
    model, mask = DurationModel(4, 2, CONFIG), torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    model.denoiser.forward = lambda z, step, condition, mask: torch.where(mask, z, 1e6)
    model.predictor.forward = lambda condition, mask: torch.where(mask, 0.0, 1e6)
    assert max(model.losses(torch.full((2, 5), 4), torch.zeros(2, 5, 6), mask)) < 10


def test_padding_takes_no_part():
    model = DurationModel(4, 2, CONFIG).eval()
    condition, z, step = torch.randn(1, 5, 6), torch.randn(1, 5), torch.tensor([7])
    real = torch.ones(1, 5, dtype=torch.bool)
    longer = torch.cat([condition, torch.full((1, 3, 6), 1e3)], dim=1)
    mask = torch.tensor([[True] * 5 + [False] * 3])
    alone = model.predictor(condition, real), model.denoiser(z, step, condition, real)
    rubbish = torch.cat([z, torch.full((1, 3), 1e3)], dim=1)
    beside = model.predictor(longer, mask), model.denoiser(rubbish, step, longer, mask)
    for found, expected in zip(beside, alone, strict=True):
        torch.testing.assert_close(found[:, :5], expected, atol=1e-5, rtol=1e-4)


def test_the_denoiser_sees_the_step_and_as_far_as_its_dilations_reach():
    """1 + 2 + 4 + 8 phones on each side."""
    model, condition = DurationModel(4, 2, CONFIG).eval(), torch.zeros(1, 40, 6)
    z, mask = torch.zeros(1, 40), torch.ones(1, 40, dtype=torch.bool)
    before = model.denoiser(z, torch.tensor([7]), condition, mask)
    assert not torch.allclose(before, model.denoiser(z, torch.tensor([30]), condition, mask), atol=1e-3)
    z[0, 20] = 5.0
    moved = (model.denoiser(z, torch.tensor([7]), condition, mask) != before)[0].nonzero().flatten()
    assert (moved.min(), moved.max()) == (5, 35)


def test_the_predictor_drops_out_in_training_alone():
    model = DurationModel(4, 2, dataclasses.replace(CONFIG, dropout=1 - 1e-9)).train()
    condition, mask = torch.randn(1, 6, 6), torch.ones(1, 6, dtype=torch.bool)
    assert (model.predictor(condition, mask) == model.predictor.project.bias).all()
    assert model.eval().predictor(condition, mask).std() > 0.01


def test_noise_of_every_step_is_learned_by_its_absolute_error():
    """An utterance has a step of its own, any of them; who says 0 errs by the mean of |x|, x normal."""
    model, steps, losses = DurationModel(4, 2, CONFIG), [], []
    model.denoiser.forward = lambda z, step, *_: steps.append(step) or torch.zeros_like(z)
    mask = torch.ones(50, 8, dtype=torch.bool)
    for _ in range(20):
        losses.append(model.losses(torch.full((50, 8), 4), torch.zeros(50, 8, 6), mask)[0])
    assert set(torch.cat(steps).tolist()) == set(range(50))
    assert all(len(set(step.tolist())) > 10 for step in steps)
    assert torch.stack(losses).mean().item() == pytest.approx((2 / torch.pi) ** 0.5, abs=0.03)
