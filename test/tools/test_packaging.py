"""setup.py names what the package imports, and the constraints pin what setup.py names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import check_install  # noqa: E402

#: Imported modules that belong to another package of the list, or are asked for separately (README of tools).
ELSEWHERE = {"resemblyzer", "triton"}  # triton comes with the CUDA builds of torch


def imported(*folders: str) -> dict[str, str]:
    """Top-level modules that Python files import, each with a file that does."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if {"data", "dump", "exp"} & set(path.relative_to(ROOT).parts[3:]):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module or ""]
                else:
                    continue
                found |= {name.split(".")[0]: str(path.relative_to(ROOT)) for name in names}
    return found


def modules(requirements: list[str]) -> set[str]:
    names = [re.match(r"[\w.-]+", text)[0] for text in requirements]
    return {check_install.MODULES.get(name) or name.replace("-", "_").lower() for name in names}


def test_what_the_package_and_recipes_import_is_a_core_requirement() -> None:
    core, extras = check_install.read_lists()
    asked_for = ELSEWHERE | modules(
        extras["upstream"] + extras["quality"] + extras["serve"]
    )  # imported in functions, with advice where missing
    ours = {"ctap", *(path.stem for path in ROOT.glob("egs/*/*/local/*.py"))}
    for name, file in imported("ctap", "egs").items():
        if name in sys.stdlib_module_names or name in asked_for | ours:
            continue
        assert name in modules(core), f"{file} imports {name}, which setup.py does not list in CORE"


def test_what_is_a_core_requirement_is_used() -> None:
    core, _ = check_install.read_lists()
    used = imported("ctap", "egs")
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ctap").rglob("*.py"))
    text += "".join(p.read_text(encoding="utf-8") for p in (ROOT / "egs/TEMPLATE/ctap1").rglob("*.sh"))
    for name in modules(core):
        assert name in used or name in text.lower(), f"nothing uses {name}"


def test_every_requirement_is_pinned_at_a_version_it_allows() -> None:
    core, extras = check_install.read_lists()
    pins = check_install.read_pins()
    for requirement in [*core, *(name for names in extras.values() for name in names)]:
        name, least = re.match(r"([\w.-]+)(?:\[\w+\])?>=([\w.]+)$", requirement).groups()
        versions = pins.get(check_install.canonical(name), set())
        assert versions, f"{name} is not in tools/constraints.txt"
        assert all(check_install.numbers(v) >= check_install.numbers(least) for v in versions), name


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12"])
def test_each_python_has_one_pin_a_package(python: str) -> None:
    from packaging.requirements import Requirement

    where = {"python_version": python, "python_full_version": f"{python}.7", "sys_platform": "linux"}
    count: dict[str, int] = {}
    for line in (ROOT / "tools/constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        assert [s.operator for s in requirement.specifier] == ["=="], line
        if requirement.marker is None or requirement.marker.evaluate(where):
            count[requirement.name] = count.get(requirement.name, 0) + 1
    assert count["numpy"] == 1 and max(count.values()) == 1


def test_version_is_stated_once() -> None:
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    import ctap

    assert done.stdout.split()[-1] == ctap.__version__, done.stderr
