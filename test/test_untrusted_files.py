"""Nothing in the toolkit unpickles or runs what a file says: every call that could is looked at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(p for folder in ("ctap", "tools", "utils", "egs") for p in (ROOT / folder).rglob("*.py"))
SAFE_IF = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "from_pretrained": ("weights_only", True),
    "package.pipeline": ("trust_remote_code", False),
    "package.AutoModel": ("trust_remote_code", False),
    "tar.extractall": ("filter", "data"),
}
"""Call, and the argument that makes it harmless."""
NEVER = {"torch.jit.load", "torch.hub.load", "eval", "exec", "os.system", "os.popen"}
NEVER |= {"pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "dill.load"}
NEVER |= {"yaml.load", "yaml.unsafe_load", "yaml.full_load"}
NEVER |= {"kaldiio.load_mat", "kaldiio.load_scp", "kaldiio.load_ark"}
NO_WEIGHTS = {"AutoConfig"}
"""Classes whose ``from_pretrained`` reads JSON alone."""
KNOWN = {
    # the extractor of a compared system, a class of transformers that is named there: JSON
    "ctap/upstream/pretrained.py": ["getattr(library, class_name).from_pretrained"],
    # times kaldiio on arks that the benchmark has just written
    "tools/bench/ark.py": ["kaldiio.load_ark", "kaldiio.load_scp"],
}


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Dotted name of every function called, and the call."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def unsafe(source: str) -> list[str]:
    """Calls of ``source`` that might run what a file says."""
    found = []
    for name, call in calls(source):
        given = {word.arg: word.value for word in call.keywords}
        shell = given.get("shell")
        if name in NEVER or (isinstance(shell, ast.Constant) and shell.value):
            found.append(name)
        for dangerous, (option, value) in SAFE_IF.items():
            if name != dangerous and not name.endswith(f".{dangerous}"):
                continue
            if any(f".{harmless}." in f".{name}" for harmless in NO_WEIGHTS):
                continue
            if not isinstance(given.get(option), ast.Constant) or given[option].value != value:
                found.append(name)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_trusted(path: Path) -> None:
    found = unsafe(path.read_text(encoding="utf-8"))
    assert set(found) == set(KNOWN.get(str(path.relative_to(ROOT)), []))


def test_what_is_looked_for_is_found() -> None:
    for line in (
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(p, allow_pickle=True)",
        "pickle.load(f)",
        "yaml.load(f)",
        "eval(text)",
        "subprocess.run(line, shell=True)",
        "Model.from_pretrained(name)",
        "tar.extractall(out)",
    ):
        assert unsafe(line), line
    assert len(SOURCES) > 100
    everything = {name for path in SOURCES for name, _ in calls(path.read_text(encoding="utf-8"))}
    assert {"torch.load", "np.load", "yaml.safe_load", "package.AutoModel", "tar.extractall"} <= everything
