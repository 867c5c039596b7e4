"""Ranges of the numbers in a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from numbers import Real

from ctap.errors import UserError


@dataclass(frozen=True)
class Range:
    """Numbers from ``least`` to ``most``, and between ``above`` and ``below``, which are not of them."""

    least: float = -inf
    most: float = inf
    above: float = -inf
    below: float = inf

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, Real):  # such as a word
            return False
        return self.least <= number <= self.most and self.above < number < self.below  # never NaN

    def __str__(self) -> str:
        """As in "expected 0 or more"."""
        if -inf < self.least and self.most < inf:
            return f"{self.least} to {self.most}"
        ends = {
            f"{self.least} or more": self.least,
            f"{self.most} or less": self.most,
            f"more than {self.above}": self.above,
            f"less than {self.below}": self.below,
        }
        return " and ".join(words for words, end in ends.items() if abs(end) < inf)


POSITIVE = Range(least=1)
"""Whole numbers that count something."""
NOT_NEGATIVE = Range(least=0)
SHARE = Range(least=0, below=1)
"""What may be left out of something, but not all of it."""


def check_ranges(config: object, **ranges: Range) -> None:
    """Refuse a number out of its range.

    Args:
        config: Its attributes are numbers, lists of numbers, or None, which says nothing.
        ranges: By name of the attribute.

    Raises:
        UserError: Naming the attribute, what was found and what was expected.
    """
    for name, allowed in ranges.items():
        value = getattr(config, name)
        several = value if isinstance(value, (list, tuple)) else [value]
        if any(number is not None and number not in allowed for number in several):
            raise UserError(f"{name}: expected {allowed}, got {value!r}")


def require(option: str, value: float, allowed: Range) -> None:
    """Refuse the ``value`` of an ``option`` of a command, such as ``--port``, out of its range.

    Raises:
        UserError: Naming the option, its value and what was expected.
    """
    if value not in allowed:
        raise UserError(f"{option} {value}: expected {allowed}")
