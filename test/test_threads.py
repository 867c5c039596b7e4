"""Threads of a job's libraries, in processes of their own: the libraries here stay as they are."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import numpy, threadpoolctl, torch
from ctap.threads import limit_threads
limit_threads()
pools = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
print(torch.get_num_threads(), *sorted(set(pools)))
"""


@pytest.mark.parametrize(("variable", "expected"), [(None, "1"), ("", "1"), ("1", "1"), ("2,1", "2")])
def test_jobs_use_one_thread_unless_told(variable, expected):
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    if variable is not None:
        environment["OMP_NUM_THREADS"] = variable
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {expected}
