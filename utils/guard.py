#!/usr/bin/env python3
"""End what a recipe's script leaves running when it is killed: guard.py SCRIPT_PID, as its child.

A shell that is told to end dies at once, and what it waits for goes on without it. Whatever the script has
started has CTAP_RUN in its environment; here it is looked for by that once the script is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from launcher import GRACE, die_with_parent

QUIET = 0.5  # seconds without a process of the run: a shell between two commands has none


def main(script: int) -> None:
    """Wait for the end of the script, then end what is left of its run."""
    run = f"CTAP_RUN={os.environ['CTAP_RUN']}".encode()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # waited for below, and not lost before
    die_with_parent(signal.SIGUSR1)
    while os.getppid() == script:
        signal.sigtimedwait({signal.SIGUSR1}, 60)
    begun = seen = time.monotonic()
    while time.monotonic() < seen + QUIET:
        if left := members(run):
            seen = time.monotonic()
        sent = signal.SIGTERM if time.monotonic() < begun + GRACE else signal.SIGKILL
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, sent)
        time.sleep(0.1)


def members(run: bytes) -> list[int]:
    """The processes, but for this one, with ``run`` in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(entry.name) != os.getpid() and run in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]))
