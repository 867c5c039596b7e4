"""The campaigns run, each on the least that it can be given; their results are those of the whole ones."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

CAMPAIGNS = Path(__file__).resolve().parents[2] / "tools/campaigns"
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "test", "/mnt")


@pytest.fixture
def corruption(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(CAMPAIGNS))
    yield importlib.import_module("corruption")
    for path in CAMPAIGNS.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_corruption(corruption: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (CAMPAIGNS / "results/corruption.txt").read_bytes()
    monkeypatch.setattr(sys, "argv", ["corruption.py", "--flips", "1", "--results", str(tmp_path)])
    assert corruption.main() == 0
    *files, total = (tmp_path / "corruption.txt").read_text().splitlines()
    assert len(files) > 10 and all("flipped: " in line for line in files) and total.startswith("0 damaged")
    assert (CAMPAIGNS / "results/corruption.txt").read_bytes() == before


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the campaigns work, one after the other."""
    return tmp_path_factory.mktemp("campaigns")


def campaign(name: str, work: Path, out: Path, *options: str) -> list[str]:
    """Run one on stage 0; the lines of its result."""
    words = [sys.executable, CAMPAIGNS / f"{name}.py", work, "--stages", "0", "--results", out, *options]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return (out / f"{name}.txt").read_text().splitlines()


@pytest.mark.slow
def test_kills(work: Path, tmp_path: Path) -> None:
    found = campaign("kills", work, tmp_path, "--kills", "2")
    assert found[-1].endswith("kills, seed 0: 1 of 1 stages as undisturbed")


@pytest.mark.slow
def test_signals(work: Path, tmp_path: Path) -> None:
    found = campaign("signals", work, tmp_path)
    assert [line.split(":")[0] for line in found[:2]] == ["stage 0, SIGINT", "stage 0, SIGTERM"]
    assert found[-1] == "0 faults in 1 stages, seed 0"


@pytest.mark.slow
def test_faults(work: Path, tmp_path: Path) -> None:
    try:
        subprocess.run(NAMESPACE, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine lets nobody mount a file system of their own")
    assert campaign("faults", work, tmp_path)[-1] == "5 of 5 as they should be, seed 0"


def test_a_place_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, CAMPAIGNS / "kills.py", tmp_path / "file"], capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
