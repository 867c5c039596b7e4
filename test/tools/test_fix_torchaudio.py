"""tools/fix_torchaudio.py moves extension files only when torchaudio wants CUDA beside a CPU torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/fix_torchaudio.py"
#: A package that behaves as torchaudio does: without its extension it imports, with it something is wanted.
TORCHAUDIO = """
from pathlib import Path
if (Path(__file__).parent / "lib" / "_torchaudio.abi3.so").exists():
    raise OSError({message!r})
"""


def make(site: Path, message: str, cuda: str | None) -> Path:
    lib = site / "torchaudio" / "lib"
    lib.mkdir(parents=True)
    (site / "torchaudio" / "__init__.py").write_text(TORCHAUDIO.format(message=message))
    (lib / "__init__.py").write_text("")
    for name in ("_torchaudio.abi3.so", "libtorchaudio.abi3.so"):
        (lib / name).write_bytes(b"\x7fELF")
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text("from torch import version")
    (site / "torch" / "version.py").write_text(f"cuda = {cuda!r}")
    return lib


def run(site: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-S", str(SCRIPT), *options], env=environment, capture_output=True, text=True
    )


def libraries(lib: Path) -> list[str]:
    return sorted(str(path.relative_to(lib)) for path in lib.rglob("*.so"))


CUDA = "libc10_cuda.so: cannot open shared object file: No such file or directory"
BOTH = ["_torchaudio.abi3.so", "libtorchaudio.abi3.so"]


def test_sets_aside_once_and_gives_back(tmp_path: Path) -> None:
    lib = make(tmp_path, CUDA, None)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert libraries(lib) == [f"aside/{name}" for name in BOTH]
    again = run(tmp_path)
    assert again.returncode == 0 and "nothing to fix" in again.stdout
    assert run(tmp_path, "--restore").returncode == 0 and libraries(lib) == BOTH


def test_goes_on_after_a_kill_between_two_files(tmp_path: Path) -> None:
    lib = make(tmp_path, CUDA, None)
    (lib / "aside").mkdir()
    (lib / BOTH[1]).rename(lib / "aside" / BOTH[1])
    assert run(tmp_path).returncode == 0
    assert libraries(lib) == [f"aside/{name}" for name in BOTH]


@pytest.mark.parametrize(
    ("message", "cuda"),
    [
        (CUDA, "13.0"),
        ("libavutil.so.58: cannot open shared object file", None),
        ("undefined symbol: _ZN3", None),
    ],
)
def test_touches_nothing_in_any_other_case(tmp_path: Path, message: str, cuda: str | None) -> None:
    lib = make(tmp_path, message, cuda)
    done = run(tmp_path)
    assert done.returncode == 1 and message in done.stdout
    assert libraries(lib) == BOTH


def test_puts_back_what_did_not_help(tmp_path: Path) -> None:
    lib = make(tmp_path, CUDA, None)
    (tmp_path / "torchaudio" / "__init__.py").write_text(f"raise OSError({CUDA!r})")
    assert run(tmp_path).returncode == 1
    assert libraries(lib) == BOTH


def test_says_when_there_is_no_torchaudio(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 1 and "not installed" in done.stdout
