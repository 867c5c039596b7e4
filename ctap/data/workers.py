"""Processes that read ahead for a training."""

from __future__ import annotations

import signal
from typing import TypeVar

from torch.utils.data import DataLoader, Dataset, Sampler

T = TypeVar("T")
ENDING = (signal.SIGTERM, signal.SIGUSR1)
"""What launchers, Slurm and `kill` send to end a training, and what `sbatch --signal` may be told to send."""


def make_loader(dataset: Dataset[T], batches: Sampler, num_workers: int) -> DataLoader[T]:
    """A loader of whole batches.

    Args:
        dataset: Makes a batch of each item of ``batches``.
        batches: What each batch consists of, in order.
        num_workers: Processes that make them, ahead of the training; 0: the training's own does, when asked.
    """
    return DataLoader(
        dataset, sampler=batches, batch_size=None, num_workers=num_workers, worker_init_fn=_leave_signals
    )


def _leave_signals(_: int) -> None:
    """In a process that reads for a training: a signal to end is for the training, which makes one more step.

    Launchers send it to all processes. One that reads leaves when the training does, or is gone.
    """
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
