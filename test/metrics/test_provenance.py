"""What accompanies a result."""

from __future__ import annotations

import subprocess
import sys

import ctap
from ctap.metrics import provenance
from ctap.metrics.provenance import collect_meta


def checkout(folder):
    package = folder / "ctap"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("a = 1\n")
    run = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*run, *command], check=True)
    return package


def test_commit_and_local_changes(tmp_path, monkeypatch):
    package = checkout(tmp_path / "repo")
    monkeypatch.setattr(ctap, "__file__", str(package / "__init__.py"))
    head = subprocess.run(
        ["git", "-C", str(package), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    meta = collect_meta(seed=3, config={"lr": 1}, command="./run.sh", extra=1)
    assert (meta["commit"], meta["dirty"]) == (head, False)
    assert (meta["seed"], meta["config"], meta["command"], meta["extra"]) == (3, {"lr": 1}, "./run.sh", 1)
    assert meta["versions"]["torch"] and meta["versions"]["python"] == sys.version.split()[0]
    (package / "untracked.py").write_text("")
    assert collect_meta(seed=0, config="c")["dirty"] is False
    (package / "__init__.py").write_text("a = 2\n")
    assert collect_meta(seed=0, config="c")["dirty"] is True


def test_an_installed_copy_inside_another_checkout_has_no_commit(tmp_path, monkeypatch):
    package = checkout(tmp_path / "repo") / "lib" / "ctap"
    package.mkdir(parents=True)
    monkeypatch.setattr(ctap, "__file__", str(package / "__init__.py"))
    meta = collect_meta(seed=0, config="c")
    assert meta["dirty"] is None and "no git checkout" in meta["commit"]


def test_command_is_one_that_can_be_typed(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/some/where/ctap/bin/score_speech.py", "--name", "a b"])
    assert provenance.running_command() == "python -m ctap.bin.score_speech --name 'a b'"
