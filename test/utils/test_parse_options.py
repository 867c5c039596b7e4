"""The option parser of recipe scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

SCRIPT = """
here=$(cd . && pwd)
there=$(pwd)
cores=$(nproc)    # cores of this machine
# Stages
stage=0           # first stage
stop_stage=6      # last stage
skip_stages=""    # stages left out,
                  # such as "4 5"
force=false       # repeat finished steps
# Data
corpus=           # where the corpus lies
share=0.1         # of it

. parse_options.sh
later=1           # no option
printf '<%s>' "$stage" "$stop_stage" "$skip_stages" "$force" "$corpus" "$@"
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "<0><6><><false><>"),
        (["--stage", "3", "--stop-stage=-1"], "<3><-1><><false><>"),
        (
            ["--skip_stages", "4 5", "--corpus", "a 'b' $(touch evil) \"*"],
            "<0><6><4 5><false><a 'b' $(touch evil) \"*>",
        ),
        (["--corpus=--x=1 --y"], "<0><6><><false><--x=1 --y>"),
        (["--corpus", "--trainer.max_steps 3"], "<0><6><><false><--trainer.max_steps 3>"),
        (["--force", "--stage", "1"], "<1><6><><true><>"),
        (
            ["--force", "true", "--force", "false", "a b", "--stage", "3"],
            "<0><6><><false><><a b><--stage><3>",
        ),
        (["--stage", "1", "--", "--stage"], "<1><6><><false><><--stage>"),
        (["--skip_stages", "4", "--skip_stages", "4 5"], "<0><6><4 5><false><>"),
        (["--corpus", ""], "<0><6><><false><>"),
        (["-3"], "<0><6><><false><><-3>"),
        (["--force", "-3"], "<0><6><><true><><-3>"),
    ],
)
def test_values(shell, tmp_path: Path, arguments: list[str], expected: str) -> None:
    assert shell(SCRIPT, *arguments, check=True).stdout == expected
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"4 5"', "4 5"),
        ("'4 5'   # a few", "4 5"),
        ("4 # one", "4"),
        ("    # none", ""),
        ("a#b", "a#b"),
        ('--x "a b" --y', '--x "a b" --y'),
    ],
)
def test_values_of_a_file_may_have_quotes_and_comments_as_those_of_a_script_have(
    shell, tmp_path: Path, written: str, value: str
) -> None:
    (tmp_path / "x.conf").write_text(f"skip_stages={written}\n")
    assert f"<{value}>" in shell(SCRIPT, "--config", "x.conf", check=True).stdout


def test_a_file_of_options_stands_where_it_is_named(shell, tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.conf", tmp_path / "outer.conf"
    inner.write_text("stop_stage=2\ncorpus=a 'b' $(touch evil) \"*\n")
    outer.write_text(f"# stages\r\n\nstage=1\r\nconfig={inner}\nskip_stages=4 5")
    kept = "<a 'b' $(touch evil) \"*>"
    assert shell(SCRIPT, "--config", str(outer), check=True).stdout == f"<1><2><4 5><false>{kept}"
    later = ("--stage", "9", f"--config={outer}", "--stop_stage", "3", "--", "x")
    assert shell(SCRIPT, *later, check=True).stdout == f"<1><3><4 5><false>{kept}<x>"
    assert "(4 5)" in shell(SCRIPT, "--config", str(outer), "--help", check=True).stdout
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stage 3", "x.conf:2: expected name=value, got 'stage 3'"),
        ("stge=3", "x.conf:2: no option --stge; near: --stage"),
        ("_po_key=3", "x.conf:2: no option --_po_key"),
        ("stage=a", "--stage expects a number, not 'a'"),
        ("config=none.conf", "--config none.conf: can't read it"),
        ("config=x.conf", "--config x.conf: files that name each other"),
    ],
)
def test_a_wrong_file_of_options(shell, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.conf").write_text(f"# line 1\n{text}\n")
    done = shell(SCRIPT, "--config", "x.conf")
    assert done.returncode == 1 and message in done.stderr and done.stdout == ""
    assert "needs a file" in shell(SCRIPT, "--config").stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stge", "3"], "no option --stge; near: --stage"),
        (["--corpora", "x"], "near: --corpus"),
        (["--zzz", "x"], "no option --zzz (--help lists all)"),
        (["--PATH", "x"], "no option --PATH"),
        (["--later", "x"], "no option --later"),
        (["--stage"], "--stage needs a value"),
        (["--corpus", "--stage", "3"], "--corpus needs a value"),
        (["--stage", "two"], "--stage expects a number, not 'two'"),
        (["--share", "half"], "--share expects a number, not 'half'"),
        (["--force", "yes"], "--force expects true or false, not 'yes'"),
        (["-stage", "3"], "options start with two dashes"),
        (["--a;touch evil", "3"], "no option"),
    ],
)
def test_errors(shell, tmp_path: Path, arguments: list[str], message: str) -> None:
    done = shell(SCRIPT, *arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("recipe.sh: error: ") and message in done.stderr
    assert not (tmp_path / "evil").exists()


def test_help_lists_every_option_with_its_default(shell, tmp_path: Path) -> None:
    path = tmp_path / "outer.sh"
    path.write_text(
        f"#!/usr/bin/env bash\n# Usage: outer.sh [options]\n# Does it.\nset -euo pipefail\n{SCRIPT}"
    )
    done = shell("bash outer.sh --stage 2 --help\n", check=True)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["Usage: outer.sh [options]", "Does it."]
    assert "Stages" in lines and "Data" in lines
    text = " ".join(done.stdout.split())
    assert "--stage first stage (2)" in text  # what a recipe has chosen before
    assert '--skip_stages stages left out, () such as "4 5"' in text
    assert "--force repeat finished steps (false)" in text
    assert "--cores cores of this machine (" in text
    assert "--here" not in text and "--there" not in text and "later" not in text and "<" not in done.stdout


def test_options_of_a_program_may_be_named_as_those_of_the_script(shell) -> None:
    script = SCRIPT.replace("share=0.1", 'tool_args=""\nshare=0.1').replace('"$corpus"', '"$tool_args"')
    assert shell(script, "--tool_args", "--stage=3", check=True).stdout == "<0><6><><false><--stage=3>"
    assert shell(script, "--tool_args=--stage 3", check=True).stdout == "<0><6><><false><--stage 3>"
    assert "--tool_args needs a value" in shell(script, "--tool_args", "--stage", "3").stderr
