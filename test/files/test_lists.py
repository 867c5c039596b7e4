"""A part of a list stands for all of it."""

import pytest

from ctap.files.lists import spread


@pytest.mark.parametrize(
    ("many", "count", "chosen"),
    [
        (7, 4, [0, 1, 3, 5]),
        (39, 20, [0, *range(1, 39, 2)]),
        (10, 1, [0]),
        (3, 4, [0, 1, 2]),
        (0, 4, []),
    ],
)
def test_what_is_chosen_is_spread_over_the_whole_list(many, count, chosen):
    assert spread(range(many), count) == chosen
