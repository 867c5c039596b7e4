"""Loops over single numbers, compiled by numba."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

_ONE_AT_A_TIME = threading.Lock()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` in machine code, kept on the disk; the first call loads numba, which takes a second."""
    made: list[Callable[..., Any]] = []

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        if not made:
            with _ONE_AT_A_TIME:
                if not made:
                    import numba

                    made.append(numba.njit(cache=True, nogil=True)(function))
        return made[0](*args)

    return call
