"""Speech for the compared systems."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def wave() -> np.ndarray:
    """1.27 s at 24 kHz with structure in time: noise whose level and colour change."""
    rng = np.random.default_rng(0)
    n = 30_501
    noise = rng.normal(size=n)
    slow = np.convolve(noise, np.ones(40) / 40, mode="same") * 4
    mix = 0.5 + 0.5 * np.sin(np.arange(n) / 3000)
    return (0.1 * (mix * noise + (1 - mix) * slow)).astype(np.float32)
