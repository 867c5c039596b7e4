"""Programs that start a Python module: which Python they take."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A toolkit with its programs and an environment, and another Python on the path."""
    shutil.copytree(ROOT / "utils", tmp_path / "kit/utils")
    for folder, said in (("kit/.venv/bin/python", "ours"), ("bin/python3", "theirs")):
        program = tmp_path / folder
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\necho {said} "$PYTHONPATH" "$@"\n')
        program.chmod(0o755)
    return tmp_path


def call(tree: Path, name: str, **active: str) -> str:
    environment = {"PATH": f"{tree / 'bin'}:{os.defpath}", **active}
    program = tree / "kit/utils" / name
    done = subprocess.run([program, "a b"], env=environment, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["validate_data_dir", "fix_data_dir"])
def test_the_toolkits_python_unless_an_environment_is_active(tree: Path, name: str) -> None:
    words = f"{tree / 'kit'} -m ctap.bin.{name} a b"
    assert call(tree, name) == call(tree, name, CONDA_DEFAULT_ENV="base") == f"ours {words}"
    assert call(tree, name, VIRTUAL_ENV="/x") == call(tree, name, CONDA_DEFAULT_ENV="x") == f"theirs {words}"
    shutil.rmtree(tree / "kit/.venv")
    assert call(tree, name) == f"theirs {words}"
