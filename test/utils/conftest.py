"""Helpers to run shell snippets for real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Run a bash script from the temporary directory, with utils on the path."""

    def run(
        script: str, *arguments: str, check: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "recipe.sh"
        path.write_text("#!/usr/bin/env bash\nset -euo pipefail\n" + script)
        plain = {k: v for k, v in os.environ.items() if k not in ("CTAP_CMD", "CUDA_VISIBLE_DEVICES")}
        plain["PATH"] = f"{ROOT / 'utils'}:{plain['PATH']}"
        done = subprocess.run(
            ["bash", str(path), *arguments],
            cwd=tmp_path,
            env={**plain, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run
