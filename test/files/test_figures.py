"""Medians of numbers that lie in a file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ctap.errors import UserError
from ctap.files.figures import figures

RNG = np.random.default_rng(0)
NUMBERS = {
    "odd": RNG.normal(-1, 3, 100_001),
    "even": RNG.normal(-1, 3, 600_000),  # several blocks
    "close": -0.5 - 1e-6 * RNG.integers(0, 90, 4_000),
    "ties": RNG.integers(-3, 4, 1_000).astype(float),
    "apart": np.array([-1e30, 1e-30]),
    "one": np.array([-0.25]),
}


@pytest.mark.parametrize("typecode", ["f", "d"])
@pytest.mark.parametrize("name", NUMBERS)
def test_the_median_is_numpys_to_the_bit(tmp_path: Path, name: str, typecode: str) -> None:
    numbers = NUMBERS[name]
    held = numbers.astype(typecode)
    with figures(tmp_path, typecode) as written:
        for some in np.array_split(numbers, 3):
            written.add(some.tolist())
        middle = written.median()
        assert middle == float(np.median(held))
        assert written.median(around=middle) == float(np.median(np.abs(held - middle)))
    assert not list(tmp_path.iterdir())


def test_of_nothing_there_is_none() -> None:
    with figures(None, "f") as written:
        assert math.isnan(written.median())


def test_a_place_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"), figures(tmp_path / "nowhere", "f"):
        pass
