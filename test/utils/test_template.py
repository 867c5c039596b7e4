"""The recipe template: path.sh, cmd.sh, setup.sh, in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A toolkit with nothing but what recipes need to be made."""
    root = tmp_path / "tool kit"
    shutil.copytree(ROOT / "egs" / "TEMPLATE", root / "egs" / "TEMPLATE", symlinks=True)
    shutil.copytree(ROOT / "utils", root / "utils")
    (root / "ctap").mkdir()
    (root / "egs" / "TEMPLATE" / "ctap1" / "ctap.sh").write_text(
        '#!/usr/bin/env bash\necho "ctap.sh in $PWD: $*"\n'
    )
    (root / "egs" / "TEMPLATE" / "ctap1" / "ctap.sh").chmod(0o755)
    return root


def bash(script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    drop = ("VIRTUAL_ENV", "CONDA_DEFAULT_ENV", "CTAP_CMD", "PYTHONPATH")
    plain = {key: value for key, value in os.environ.items() if key not in drop}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=cwd,
        env={**plain, **environment},
        capture_output=True,
        text=True,
    )


def test_setup_makes_a_recipe_that_runs(tree: Path) -> None:
    template = tree / "egs" / "TEMPLATE" / "ctap1"
    done = bash("./setup.sh my_corpus", template)
    assert done.returncode == 0, done.stderr
    recipe = tree / "egs" / "my_corpus" / "ctap1"
    assert str((recipe / "ctap.sh").readlink()) == "../../TEMPLATE/ctap1/ctap.sh"
    for name in ("run.sh", "path.sh", "cmd.sh", "local/data.sh"):
        assert (recipe / name).is_file() and not (recipe / name).is_symlink()
    assert {p.name for p in (recipe / "conf").iterdir()} == {p.name for p in (template / "conf").iterdir()}
    done = bash("./run.sh --stage 3", recipe)
    assert done.returncode == 0 and done.stdout.startswith(f"ctap.sh in {recipe}: ")
    assert done.stdout.endswith(" --stage 3\n")
    done = bash("local/data.sh out", recipe)
    assert done.returncode == 1 and "Give --corpus DIR" in done.stderr
    assert "--corpus" in bash("local/data.sh --help", recipe).stdout
    for speaker, name in (("spk02", "a"), ("spk01", "b")):
        (tree / "corpus" / speaker).mkdir(parents=True)
        (tree / "corpus" / speaker / f"{name}.wav").touch()
    (tree / "corpus" / "spk02" / "a.txt").write_text("你 好\r\n")
    (tree / "corpus" / "spk01" / "b.txt").write_text(" \r\n")  # nothing, written on Windows
    done = bash("local/data.sh --corpus ../../../corpus out", recipe)
    assert done.returncode == 0, done.stderr
    assert (recipe / "out" / "text").read_text() == "spk02-a 你 好\n"
    assert (recipe / "out" / "wav.scp").read_text().endswith("spk02-a ../../../corpus/spk02/a.wav\n")


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "a/b", "."])
def test_setup_refuses_odd_names(tree: Path, name: str) -> None:
    before = {p.name for p in (tree / "egs").iterdir()}
    assert bash(f"./setup.sh '{name}'", tree / "egs" / "TEMPLATE" / "ctap1").returncode != 0
    assert {p.name for p in (tree / "egs").iterdir()} == before


def test_setup_refuses_what_is_there(tree: Path) -> None:
    template = tree / "egs" / "TEMPLATE" / "ctap1"
    bash("./setup.sh mine", template)
    (tree / "egs" / "mine" / "ctap1" / "run.sh").write_text("edited")
    done = bash("./setup.sh mine", template)
    assert done.returncode == 1 and "exists already" in done.stderr
    assert (tree / "egs" / "mine" / "ctap1" / "run.sh").read_text() == "edited"
    assert bash("./setup.sh TEMPLATE", template).returncode == 1


def test_path_sets_what_scripts_need(tree: Path) -> None:
    template = tree / "egs" / "TEMPLATE" / "ctap1"
    variables = "$CTAP_ROOT|$PYTHONPATH|$LC_ALL|$PYTHONUNBUFFERED|${VIRTUAL_ENV:-}"
    script = f'. ./path.sh; . ./path.sh; echo "{variables}"; command -v run_local'
    done = bash(script, template)
    root, python_path, locale, unbuffered, environment = done.stdout.splitlines()[0].split("|")
    assert root == python_path == str(tree)
    assert locale in ("C", "C.UTF-8") and unbuffered == "1" and environment == ""
    assert done.stdout.splitlines()[1] == f"{tree}/utils/run_local"
    order = bash(". ./path.sh; printf '%s\\n' b A _ a 字 | sort | tr -d '\\n'", template)
    assert order.stdout == "A_ab字"


def test_path_takes_the_toolkits_environment_unless_one_is_active(tree: Path) -> None:
    (tree / ".venv" / "bin").mkdir(parents=True)
    (tree / ".venv" / "bin" / "activate").write_text("VIRTUAL_ENV=ours\n")
    template, script = tree / "egs" / "TEMPLATE" / "ctap1", '. ./path.sh; echo "${VIRTUAL_ENV:-none}"'
    assert bash(script, template).stdout == "ours\n"
    assert bash(script, template, CONDA_DEFAULT_ENV="base").stdout == "ours\n"
    assert bash(script, template, VIRTUAL_ENV="theirs").stdout == "theirs\n"
    assert bash(script, template, CONDA_DEFAULT_ENV="theirs").stdout == "none\n"


def test_path_is_found_through_a_link_and_with_cdpath(tree: Path, tmp_path: Path) -> None:
    template = tree / "egs" / "TEMPLATE" / "ctap1"
    (tmp_path / "elsewhere" / "egs" / "TEMPLATE" / "ctap1").mkdir(parents=True)
    (tmp_path / "my recipe").symlink_to(template)
    for where in (template, tmp_path / "my recipe", tmp_path):
        path = "my recipe/path.sh" if where == tmp_path else "./path.sh"
        done = bash(f'. "{path}"; echo "$CTAP_ROOT"; cd egs', where, CDPATH=f"{tmp_path / 'elsewhere'}:/:.")
        assert done.stdout == f"{tree}\n", done.stderr  # and not the egs of CDPATH


def test_scripts_go_where_they_lie_whatever_cdpath_says(tree: Path, tmp_path: Path) -> None:
    """Each is called by a relative path, beside a directory of the same name that CDPATH would prefer."""
    template = tree / "egs" / "TEMPLATE" / "ctap1"
    shutil.copytree(ROOT / "tools", tree / "tools")
    other = tmp_path / "other"
    shutil.copytree(tree, other / "kit", symlinks=True)
    (other / "kit" / "ctap").rmdir()
    (tmp_path / "kit").symlink_to(tree)
    shell = {"CDPATH": str(other)}
    done = bash("bash kit/egs/TEMPLATE/ctap1/setup.sh mine", tmp_path, **shell)
    assert done.returncode == 0 and (tree / "egs" / "mine" / "ctap1" / "run.sh").exists(), done.stderr
    done = bash("bash kit/egs/mine/ctap1/run.sh", tmp_path, **shell)
    assert done.stdout.startswith(f"ctap.sh in {tmp_path / 'kit'}/egs/mine/ctap1: "), done.stderr
    (template / "only_here.sh").write_text("")
    assert "only_here.sh" in bash("bash kit/tools/shell_scripts.sh", tmp_path, **shell).stdout
    done = bash(". kit/utils/run_step.sh; echo $_step_utils", tmp_path, **shell)
    assert done.stdout == f"{tmp_path / 'kit' / 'utils'}\n"


def test_no_script_can_be_led_astray_by_cdpath() -> None:
    """Every other cd to a computed place, in scripts that do not unset CDPATH first, names its own."""
    listed = subprocess.run([ROOT / "tools" / "shell_scripts.sh"], capture_output=True, text=True, check=True)
    for name in [*listed.stdout.split(), ".ci/run"]:
        text = (ROOT / name).read_text()
        if "unset CDPATH" not in text:
            for line in text.splitlines():
                assert not re.search(r"(^|[(;&]|\$\()\s*cd [^-]", line), f"{name}: {line}"


def test_backends(tree: Path) -> None:
    template, script = (
        tree / "egs" / "TEMPLATE" / "ctap1",
        '. ./cmd.sh; echo "$train_cmd|$cuda_cmd|$decode_cmd"',
    )
    assert bash(script, template).stdout == "run_local|run_local|run_local\n"
    assert all(
        word.startswith("run_slurm") for word in bash(script, template, CTAP_CMD="slurm").stdout.split("|")
    )
    done = bash(script, template, CTAP_CMD="pbs")
    assert done.returncode == 1 and "unknown backend 'pbs'" in done.stderr
