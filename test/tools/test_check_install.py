"""tools/check_install.py: the table tells what is there, missing, broken or old; never a traceback."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools/check_install.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_install", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_install"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def check(tool: ModuleType, requirement: str, **options):
    return tool.check_package(requirement, "group", core=True, pins={}, **options)


def test_reports_a_package_with_its_version(tool: ModuleType) -> None:
    found = check(tool, "pytest>=1.0")
    assert (found.state, found.detail, found.advice, found.fatal) == ("ok", pytest.__version__, "", False)


def test_reports_missing_and_old(tool: ModuleType) -> None:
    missing = check(tool, "no-such-package-anywhere>=1.0")
    assert missing.state == "missing" and missing.fatal and "make env" in missing.advice
    old = check(tool, "pytest>=999.1")
    assert old.state == "too old" and old.fatal and "999.1" in old.detail
    extra = tool.check_package("no-such-package-anywhere", "extra", core=False, pins={})
    assert extra.state == "not there" and not extra.fatal


@pytest.mark.parametrize(
    "error",
    [ImportError("libc10_cuda.so: cannot open shared object file"), OSError("bad ELF"), SystemExit(3)],
)
def test_a_package_that_fails_to_import_is_broken(tool: ModuleType, error: BaseException) -> None:
    def load(name: str) -> None:
        raise error

    found = check(tool, "pytest>=1.0", load=load)
    assert found.state == "broken" and found.fatal and str(error) in found.detail


def test_a_version_nobody_tried_is_said(tool: ModuleType) -> None:
    found = tool.check_package("pytest>=1.0", "group", core=True, pins={"pytest": {"0.0.1"}})
    assert found.state == "ok" and "tried: 0.0.1" in found.detail


@pytest.mark.parametrize(
    ("version", "expected"),
    [("2.13.0+cpu", (2, 13, 0)), ("0.3.6.post1", (0, 3, 6)), ("10", (10,)), ("x", ())],
)
def test_numbers(tool: ModuleType, version: str, expected: tuple[int, ...]) -> None:
    assert tool.numbers(version) == expected


def test_table_and_advice(tool: ModuleType) -> None:
    lines: list[str] = []
    rows = [
        tool.Finding("a", "good", "ok", "1.0"),
        tool.Finding("b", "bad", "missing", "", "mend it", True),
        tool.Finding("b", "worse", "missing", "", "mend it", True),
        tool.Finding("c", "extra", "not there", "", "get it"),
    ]
    tool.show(rows, lines.append)
    assert lines[:3] == ["a", "  good   ok         1.0", "b"]
    assert lines[-5:] == [
        "to do:",
        "  bad, worse: mend it",
        "optional:",
        "  extra: get it",
        "2 thing(s) missing that recipes need",
    ]


def test_without_any_package_it_says_so_and_fails() -> None:
    # -S: no site-packages, so nothing but the standard library is found
    done = subprocess.run([sys.executable, "-S", str(SCRIPT)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    rows = dict(line.split()[:2] for line in done.stdout.splitlines() if line.startswith("  "))
    assert rows["torch"] == rows["kaldiio"] == "missing" and rows["python"] == "ok"


def test_imports_nothing_but_the_standard_library_at_first() -> None:
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code, str(SCRIPT)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "numpy", "soundfile", "matplotlib", "lightning"}
