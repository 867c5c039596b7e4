"""The house in order: packages import one way, files in no circle, neither files nor functions grow long."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import ctap

PACKAGE = Path(ctap.__file__).parent
#: From the bottom up. What stands in a line imports from the lines above it, and not from its neighbours.
ORDER = (
    ("errors", "threads", "stages", "compiled"),
    ("files", "device", "own"),
    ("config", "jobs", "audio", "ranges"),
    ("text", "kaldi", "listening"),
    ("align", "data", "nn", "loss", "upstream", "metrics"),
    ("models",),
    ("tasks", "report", "serving"),
    ("training",),
    ("bin",),
)
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
MOST_LINES = {"file": 320, "function": 60}
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
FILES = {
    ".".join(("ctap", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"  # ctap.load, on first use
}


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and module of every import from the package, those in functions and for type checking included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name if name in FILES else node.module for name in names]
        elif isinstance(node, ast.ImportFrom):
            found = ["ctap."]  # relative ones are refused: they do not say where from
        else:
            continue
        yield from ((node.lineno, name) for name in found if name.startswith("ctap."))


def refuse_circles(programs: Mapping[str, str]) -> None:
    """Raise at a circle of files, and name it; ``programs`` are the texts of modules, by their names."""
    graph = {name: {module for _, module in imports(ast.parse(text))} for name, text in programs.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_imports_go_one_way() -> None:
    assert {name.split(".")[1] for name in FILES} == LEVEL.keys()
    against = []
    programs = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
    for name, text in programs.items():
        own = name.split(".")[1]
        for line, module in imports(ast.parse(text)):
            other = module.split(".")[1]
            if other != own and LEVEL.get(other, len(ORDER)) >= LEVEL[own]:
                against.append(f"{FILES[name]}:{line}: {own} imports {module}")
    assert not against, "\n".join(against)
    refuse_circles(programs)


@pytest.mark.parametrize("package", ["from ctap.nn.conv import Stack", "from ctap.nn import conv"])
def test_a_circle_through_the_file_of_a_package_is_seen(package: str) -> None:
    refuse_circles({"ctap.nn": package, "ctap.nn.conv": "import torch"})
    with pytest.raises(graphlib.CycleError):
        refuse_circles({"ctap.nn": package, "ctap.nn.conv": "from ctap.nn import anything"})


@pytest.mark.parametrize(
    "program",
    [
        "from ctap.report.plots import plot_mels",
        "def f():\n    import ctap.report.plots",
        "if TYPE_CHECKING:\n    from ctap.report import plots",
        "from ctap import report",
    ],
)
def test_an_import_is_seen_wherever_it_stands(program: str) -> None:
    [(_, module)] = imports(ast.parse(program))
    assert module.startswith("ctap.report")


def test_files_and_functions_are_short() -> None:
    long = []
    for path in FILES.values():
        text = path.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > MOST_LINES["file"]:
            long.append(f"{path}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            lines = node.end_lineno - node.lineno + 1 if isinstance(node, FUNCTION) else 0
            if lines > MOST_LINES["function"]:
                long.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    assert not long, "\n".join(long)
