"""Compiled loops: nobody who calls none loads the compiler, and who comes first compiles for all."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numba

from ctap.compiled import compiled


def test_importing_loads_no_compiler():
    program = "import sys, ctap.align.jobs, ctap.metrics.mcd; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_threads_that_call_at_once_compile_once(monkeypatch):
    asked = []

    def njit(**options):
        asked.append(options)
        time.sleep(0.05)  # all others arrive meanwhile
        return lambda function: function

    monkeypatch.setattr(numba, "njit", njit)
    double = compiled(lambda x: 2 * x)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(double, range(8))) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert len(asked) == 1 and asked[0]["cache"]
