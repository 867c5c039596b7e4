"""``ctap``: every command can be reached by its name, explains itself, and is completed."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import jsonargparse
import pytest

import ctap.bin
from ctap.bin.entry import Entry
from ctap.bin.main import COMMANDS, GROUPS, completion, entry, main

HELPERS = {"__init__", "batch", "common", "entry", "main"}
ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_a_command() -> None:
    modules = {path.stem for path in Path(ctap.bin.__path__[0]).glob("*.py")} - HELPERS
    assert modules == {target.split()[0] for target in COMMANDS.values()}, "list it in ctap/bin/main.py"
    assert len(set(COMMANDS.values())) == len(COMMANDS)
    assert {name.split()[0] for name in COMMANDS if " " in name} == GROUPS.keys()


def unexplained(parser: jsonargparse.ArgumentParser) -> list[str]:
    """Options that have no help."""
    return [action.dest for action in parser._actions if not action.help]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, *words = COMMANDS[name].split()
    made = entry(module).entries[words[0]] if words else entry(module)
    assert isinstance(made, Entry)
    if name != "train":  # whose options are fields of configurations
        assert not unexplained(made.parser())
    with pytest.raises(SystemExit) as caught:
        main([*name.split(), "--help"])
    assert not caught.value.code
    said = capsys.readouterr().out
    assert re.match(r"usage: ctap " + r"( \[options\])? ".join(name.split()), said)
    assert made.help_text.splitlines()[0] in said


def test_a_command_does_its_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["data", "validate", str(tmp_path / "none"), "--no_text"])
    assert caught.value.code == 1
    assert "none" in capsys.readouterr().err


def test_help_lists_all_and_imports_nothing() -> None:
    code = "import sys; from ctap.bin.main import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *lines, modules = done.stdout.splitlines()
    assert [re.split(r"  +", line.strip())[0] for line in lines if re.match(r"  \S", line)] == list(COMMANDS)
    assert not {"torch", "numpy", "jsonargparse", "yaml"} & set(modules.split())


def test_a_group_lists_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    main(["score"])
    said = capsys.readouterr().out
    assert "  score speech " in said and "data validate" not in said


@pytest.mark.parametrize(
    ("words", "near"),
    [("data vaildate", "data validate"), ("synthesise", "synthesize"), ("dump_features", "features dump")],
)
def test_a_wrong_name_is_answered_with_the_nearest(
    words: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words.split())
    assert f"near: {near}" in capsys.readouterr().err


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "ctap.bash"
    path.write_text(completion("bash"))
    return path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ctap sco", ["score"]),
        ("ctap data va", ["validate"]),
        ("ctap train pre", ["pretrain"]),
        ("ctap synthesize --num", ["--num_jobs"]),
        ("ctap synthesize --durations diff", ["diffusion"]),
        ("ctap pack --out setu", ["setup.py"]),
    ],
)
def test_bash_completes(script: Path, line: str, expected: list[str]) -> None:
    ask = 'source "$1"; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n'
    ask += '_shtab_ctap ctap "${COMP_WORDS[COMP_CWORD]}" ""; printf "%s\\n" "${COMPREPLY[@]}"'
    words = ["bash", "-c", ask, "bash", str(script), line]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == expected


def test_the_name_is_installed() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    module, function = re.search(r'"console_scripts": \["ctap = ([\w.]+):(\w+)"\]', setup).groups()
    assert getattr(importlib.import_module(module), function) is main
