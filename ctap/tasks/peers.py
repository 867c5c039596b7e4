"""Several processes of one training: when one is gone, the others end with a line that says so."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

import lightning
import torch.distributed as dist

from ctap.errors import UserError

#: What gloo, which raises a bare RuntimeError, says when the other end of a connection is gone.
GONE = re.compile(
    r"gloo.*(closed by peer|reset by peer|[Bb]roken pipe|Read error|Write error|Timed out)", re.S
)


@contextlib.contextmanager
def naming_lost_processes(trainer: lightning.Trainer) -> Iterator[None]:
    """Name, in place of what the transport says, that another process of this training is gone.

    Raises:
        UserError: One is, and why may be in its own log.
    """
    try:
        yield
    except RuntimeError as error:
        if trainer.world_size == 1 or not (isinstance(error, dist.DistError) or GONE.search(str(error))):
            raise
        raise UserError(
            f"process {trainer.global_rank} of {trainer.world_size}, on {os.uname().nodename}: another "
            "process of this training is gone, or its machine; if it was not killed, what it said last is in "
            "the log. Start again: the training goes on from its last checkpoint"
        ) from error
