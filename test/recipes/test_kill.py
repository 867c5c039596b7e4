"""Killed at random moments and started again, the recipe ends with what an undisturbed run gives."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from test.recipes.conftest import Recipe


def figures(recipe):
    """All figures of all experiments."""
    return {
        (str(path.relative_to(recipe.path)), key): metric["value"]
        for path in sorted((recipe.path / "exp").rglob("scores*.json"))
        for key, metric in json.loads(path.read_text())["metrics"].items()
    }


@pytest.mark.slow
def test_ten_kills_change_nothing(tmp_path, spoken):
    whole, killed = Recipe(tmp_path / "whole"), Recipe(tmp_path / "killed")
    started = time.monotonic()
    whole.run("--corpus", str(spoken))
    length = time.monotonic() - started
    rng = random.Random(0)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "python": sys.executable}
    moments = []
    for _ in range(10):
        process = subprocess.Popen(
            killed.command("--corpus", str(spoken)),
            cwd=killed.path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        moments.append(rng.uniform(1.0, length / 4))
        try:
            process.wait(moments[-1])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    killed.run("--corpus", str(spoken))
    assert figures(killed) == figures(whole), moments
