"""Processes of one training that lose another."""

from types import SimpleNamespace

import pytest
import torch.distributed as dist

from ctap.errors import UserError
from ctap.tasks.peers import naming_lost_processes

READ = (
    "[/__w/pytorch/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:537] Read error [127.0.0.1]:45737: "
    "Connection reset by peer. This is typically caused by a remote worker hanging."
)
CLOSED = "[gloo/transport/tcp/pair.cc:553] Connection closed by peer [10.0.0.2]:2101"
NCCL = "NCCL error in: ProcessGroupNCCL.cpp:3356, remote process exited or there was a network error"


def end(error: Exception, processes: int) -> None:
    """A training of so many processes that ends on ``error``."""
    with naming_lost_processes(SimpleNamespace(world_size=processes, global_rank=1)):
        raise error


@pytest.mark.parametrize("error", [RuntimeError(READ), RuntimeError(CLOSED), dist.DistBackendError(NCCL)])
def test_a_lost_process_is_named(error):
    with pytest.raises(UserError, match=r"process 1 of 2, on .*: another process of this training is gone"):
        end(error, 2)


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), ValueError(READ)])
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)) as caught:
        end(error, 2)
    assert caught.value is error


def test_one_process_has_none_to_lose():
    with pytest.raises(RuntimeError, match="Read error"):
        end(RuntimeError(READ), 1)
