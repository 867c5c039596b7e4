"""Learning-rate schedules against figures by hand."""

from __future__ import annotations

import pytest

from ctap.tasks.base import OptimConfig


def rates(schedule: str, warmup: int, steps: int) -> list[float]:
    config = OptimConfig(warmup_steps=warmup, schedule=schedule)
    return [config.factor(step, steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", ["inverse_sqrt", "constant", "linear"])
def test_every_schedule_warms_up_to_its_highest_rate(schedule):
    found = rates(schedule, 4, 20)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert max(found) == 1.0


def test_after_the_warm_up():
    assert rates("constant", 4, 20)[4:] == [1.0] * 16
    assert rates("inverse_sqrt", 4, 20)[15] == pytest.approx(0.5)  # step 16: sqrt(4 / 16)
    linear = rates("linear", 4, 20)
    assert linear[4] == 1.0 and linear[12] == pytest.approx(0.5) and linear[-1] == pytest.approx(1 / 16)


def test_linear_stays_at_zero_behind_the_last_step():
    assert OptimConfig(warmup_steps=2, schedule="linear").factor(12, 10) == 0.0
    assert OptimConfig(warmup_steps=10, schedule="linear").factor(9, 5) == 1.0
