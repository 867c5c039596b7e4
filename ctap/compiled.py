"""Loops over single numbers, compiled by numba."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

_ONE_AT_A_TIME = threading.Lock()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` in machine code, kept on the disk; the first call loads numba, which takes a second."""

    @functools.cache
    def made() -> Callable[..., Any]:
        import numba

        return numba.njit(cache=True, nogil=True)(function)

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        with _ONE_AT_A_TIME:
            machine = made()
        return machine(*args)

    return call
