"""The Makefile explains itself, and the environment's script stops with a reason."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
@pytest.mark.parametrize("words", [(), ("help",)])
def test_help_is_the_default_and_names_every_target(words: tuple[str, ...]) -> None:
    done = run("make", *words)
    assert done.returncode == 0, done.stderr
    shown = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    assert {"env", "demo", "test", "test-slow", "lint", "format", "bench", "clean"} <= shown


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_lists_the_benchmarks() -> None:
    done = run("make", "--no-print-directory", "bench", "CTAP_ENV=active")  # `make test` may run this
    names = [line.split()[0] for line in done.stdout.splitlines()[:-1]]
    assert {"tools/bench/scale.py", "tools/bench/gpu.sh"} <= set(names)
    assert "tools/bench/altered.py" not in names  # which two of them share
    assert done.stdout.splitlines()[-1] == "run one: python tools/bench/NAME.py --help"


def test_lists_every_shell_script_once() -> None:
    listed = run("tools/shell_scripts.sh").stdout.split()
    assert len(listed) == len(set(listed))
    assert {"egs/TEMPLATE/ctap1/ctap.sh", ".ci/run", "utils/validate_data_dir", "tools/setup_env.sh"} <= set(
        listed
    )
    # Python commands without an ending are not shell
    assert not {"utils/run_local", "utils/run_slurm"} & set(listed)
    assert not [name for name in listed if name.startswith((".venv", ".git/"))]


def old_python(folder: Path) -> Path:
    """A program that says it is Python 3.8."""
    path = folder / "python3"
    path.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.8.10" && exit 0\nexit 1\n')
    path.chmod(0o755)
    return path


def test_refuses_an_old_python(tmp_path: Path) -> None:
    done = run("tools/setup_env.sh", str(tmp_path / "env"), PYTHON=str(old_python(tmp_path)))
    assert done.returncode == 1
    assert "Python 3.8.10; Python 3.10 or newer is needed" in done.stderr
    assert not (tmp_path / "env").exists()


def test_refuses_a_python_that_is_not_there(tmp_path: Path) -> None:
    done = run("tools/setup_env.sh", str(tmp_path / "env"), PYTHON="/no/such/python")
    assert done.returncode == 1 and "/no/such/python: no such program" in done.stderr


def test_leaves_a_directory_alone_that_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run("tools/setup_env.sh", str(tmp_path))
    assert done.returncode == 1 and "is not a virtual environment" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
