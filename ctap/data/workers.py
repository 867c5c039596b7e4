"""Processes that read ahead for a training."""

from __future__ import annotations

import signal

ENDING = (signal.SIGTERM, signal.SIGUSR1)
"""What launchers, Slurm and `kill` send to end a training, and what `sbatch --signal` may be told to send."""


def leave_signals(_: int) -> None:
    """In a process that reads for a training: a signal to end is for the training, which makes one more step.

    Launchers send it to all processes. One that reads leaves when the training does, or is gone.
    """
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
