"""How many threads the numeric libraries of a job use."""

from __future__ import annotations

import os


def limit_threads() -> None:
    """Let torch and BLAS compute on ``OMP_NUM_THREADS`` threads from here on, on one where that is not set.

    For commands that run as several jobs, or in threads of their own: otherwise libraries take every core
    and wait for each other in loops. On 2 cores, one of them busy, alignment took ten times as long.
    (The variable itself counts only when a library is loaded.)
    """
    import torch
    from threadpoolctl import threadpool_limits

    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]  # the outermost level of a list
    count = max(1, int(first)) if first.isdecimal() else 1
    torch.set_num_threads(count)
    threadpool_limits(count)
