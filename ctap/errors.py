"""Errors that are the user's to mend, and how a command shows them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class UserError(RuntimeError):
    """A mistake in the user's input: the message names the place, what was expected and what to do."""

    status = 1
    """Exit status of a command that ends on it."""


def cli(main: Callable[P, R]) -> Callable[P, R]:
    """Make ``main`` a command: a :class:`UserError` becomes one ``error: ...`` line and its exit status."""

    @functools.wraps(main)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return main(*args, **kwargs)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(error.status) from None
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise SystemExit(130) from None

    return wrapped
