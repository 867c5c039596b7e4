"""run_step and its done-marks, run by bash for real."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAD = ". run_step.sh\n"
STEP = HEAD + (
    'run_step --mark marks/one --name "stage 2 feature dump" --in in --in "conf/*.yaml" '
    "--opt mel=${MEL:-40} --out out.txt "
    "-- bash -c 'echo ran changed=${CTAP_STEP_CHANGED}; cat in/* conf/*.yaml >out.txt'\n"
)


@pytest.fixture(autouse=True)
def inputs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "in" / "a").write_text("a\n")
    (tmp_path / "conf" / "x.yaml").write_text("x: 1\n")


def test_first_run_then_skip(shell, tmp_path: Path) -> None:
    first = shell(STEP, check=True)
    assert "ran changed=false" in first.stdout
    second = shell(STEP, check=True)
    line = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(recipe\.sh\) stage 2 feature dump: already done, skipped\n"
    assert re.fullmatch(line, second.stdout)
    mark = json.loads((tmp_path / "marks" / "one").read_text())
    assert mark["options"] == {"mel": "40"}
    assert set(mark["inputs"]) == {"in/", "in/a", "conf/x.yaml"}


def test_touching_an_input_is_no_change(shell, tmp_path: Path) -> None:
    shell(STEP, check=True)
    os.utime(tmp_path / "in" / "a", (1e9, 1e9))
    assert "already done" in shell(STEP, check=True).stdout


def test_changes_are_named_and_the_step_repeated(shell, tmp_path: Path) -> None:
    shell(STEP, check=True)
    (tmp_path / "in" / "a").write_text("b\n")
    (tmp_path / "in" / "sub").mkdir()
    (tmp_path / "in" / "sub" / "new").write_text("")
    (tmp_path / "conf" / "y.yaml").write_text("y: 1\n")
    (tmp_path / "conf" / "x.yaml").unlink()
    out = shell(STEP.replace("cat in/*", "cat in/a"), MEL="80", check=True).stdout
    assert "option mel: '40' -> '80'" in out
    assert "in/a has changed" in out
    assert "in/sub/new was added" in out
    assert "conf/y.yaml was added" in out
    assert "conf/x.yaml was removed" in out
    assert "ran changed=true" in out
    assert (tmp_path / "out.txt").read_text() == "b\ny: 1\n"
    out = shell(STEP.replace('--in "conf/*.yaml"', "").replace("cat in/*", "cat in/a"), check=True).stdout
    assert "conf/y.yaml is no input any more" in out


def test_change_within_one_time_stamp_is_seen(shell, tmp_path: Path) -> None:
    shell(STEP, check=True)
    state = (tmp_path / "in" / "a").stat()
    (tmp_path / "in" / "a").write_text("z\n")
    os.utime(tmp_path / "in" / "a", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert "in/a has changed" in shell(STEP, check=True).stdout


def test_hidden_files_and_job_splits_do_not_count(shell, tmp_path: Path) -> None:
    shell(STEP, check=True)
    (tmp_path / "in" / ".a.tmp-host-1-00000000").write_text("left by a killed writer")
    (tmp_path / "in" / "split4").mkdir()
    (tmp_path / "in" / "split4" / "part").write_text("x")
    assert "already done" in shell(STEP, check=True).stdout


def test_large_files_count_by_size_and_time(shell, tmp_path: Path) -> None:
    with (tmp_path / "in" / "large").open("wb") as file:
        file.truncate(65 * 2**20)
    step = STEP.replace("cat in/*", "cat in/a")
    shell(step, check=True)
    assert "already done" in shell(step, check=True).stdout
    os.utime(tmp_path / "in" / "large", (1e9, 1e9))
    assert "in/large has changed" in shell(step, check=True).stdout


def test_force_repeats(shell) -> None:
    shell(STEP, check=True)
    out = shell("force=true\n" + STEP, check=True).stdout
    assert "runs again: forced" in out and "ran changed=true" in out
    assert "already done" in shell("force=false\n" + STEP, check=True).stdout


def test_missing_output_repeats(shell, tmp_path: Path) -> None:
    shell(STEP, check=True)
    (tmp_path / "out.txt").unlink()
    out = shell(STEP, check=True).stdout
    assert "out.txt is missing" in out and "ran changed=false" in out
    assert (tmp_path / "out.txt").exists()


def test_command_that_does_not_make_its_output_fails(shell, tmp_path: Path) -> None:
    script = HEAD + "run_step --mark marks/one --out nothing.txt -- true\necho not here\n"
    for _ in range(2):
        done = shell(script)
        assert done.returncode == 1
        assert "nothing.txt is not there" in done.stderr and "not here" not in done.stdout
    assert not (tmp_path / "marks" / "one").exists()


def test_missing_input_is_a_clear_error(shell, tmp_path: Path) -> None:
    for missing in ("data/train", "data/*.scp"):
        done = shell(HEAD + f"run_step --mark marks/one --in '{missing}' -- touch ran\necho not here\n")
        assert done.returncode == 1
        assert f"input {missing} does not exist" in done.stderr
        assert "not here" not in done.stdout and not (tmp_path / "ran").exists()


def test_failing_line_inside_a_function_stops_it(shell, tmp_path: Path) -> None:
    function = 'f() {\n  echo "got $# $2"\n  false\n  echo went on\n}\n'
    script = HEAD + function + 'run_step --mark m -- f a "b  c"\necho after\n'
    done = shell(script)
    assert done.returncode == 1
    assert "got 2 b  c" in done.stdout
    assert "went on" not in done.stdout and "after" not in done.stdout
    assert "failed with status 1 (f)" in done.stderr
    assert not (tmp_path / "m").exists()


def test_function_sees_the_script_and_status_comes_through(shell) -> None:
    script = HEAD + 'name=mine\nmark=too\nf() { echo "$name $mark"; return 7; }\nrun_step --mark m -- f\n'
    done = shell(script)
    assert done.returncode == 7 and "mine too" in done.stdout


def test_arguments_are_not_evaluated(shell, tmp_path: Path) -> None:
    odd = "$(touch evil) `touch evil`; touch evil 'x' \"y\" *"
    (tmp_path / "odd").write_text(odd)
    shell(HEAD + 'run_step --mark m --opt "odd=$(cat odd)" -- printf "%s" "$(cat odd)"\n', check=True)
    assert not (tmp_path / "evil").exists()
    assert json.loads((tmp_path / "m").read_text())["options"] == {"odd": odd}


@pytest.mark.parametrize(
    "call",
    [
        "--mark m",
        "-- true",
        "--mark m --",
        "--mark m --in a b -- true",
        "--mark -- true",
        "--mark m --opt x -- true",
    ],
)
def test_wrong_call_fails(shell, call: str) -> None:
    done = shell(HEAD + f"run_step {call}\necho not here\n")
    assert done.returncode != 0 and "error" in done.stderr and "not here" not in done.stdout


def test_unreadable_mark_is_told_and_replaced(shell, tmp_path: Path) -> None:
    shell(STEP, check=True)
    (tmp_path / "marks" / "one").write_text("{half")
    assert "cannot be read" in shell(STEP, check=True).stdout
    assert "already done" in shell(STEP, check=True).stdout


def test_a_directory_is_no_mark_and_stays(shell, tmp_path: Path) -> None:
    (tmp_path / "marks/one").mkdir(parents=True)
    (tmp_path / "marks/one/precious").touch()
    done = shell(STEP)
    assert done.returncode != 0 and "would take the place of a directory" in done.stderr
    assert (tmp_path / "marks/one/precious").exists()


def test_a_step_is_asked_without_a_trace(shell, tmp_path: Path) -> None:
    ask = STEP.partition(" -- ")[0].removeprefix(HEAD).replace("run_step", "step_is_done", 1)
    script = f"{HEAD}if {ask}; then echo yes; else echo no; fi"
    assert "no" in shell(script, check=True).stdout and not (tmp_path / "marks").exists()
    shell(STEP, check=True)
    assert shell(script, check=True).stdout == "yes\n"
    (tmp_path / "out.txt").unlink()
    assert shell(script, check=True).stdout == "no\n"
    assert [p.name for p in (tmp_path / "marks").iterdir() if "lock" not in p.name] == ["one"]


def start(tmp_path: Path, script: str) -> subprocess.Popen[str]:
    (tmp_path / "killed.sh").write_text("set -euo pipefail\n" + script)
    path = f"{ROOT / 'utils'}:{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "killed.sh"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(path: Path) -> None:
    limit = time.monotonic() + 20
    while not path.exists() and time.monotonic() < limit:
        time.sleep(0.02)
    assert path.exists()


SLOW = HEAD + (
    'run_step --mark m --opt "lr=${LR:-1}" --fresh ckpt -- '
    'bash -c \'echo ran $CTAP_STEP_CHANGED $(cat ckpt 2>&1); echo "${LR:-1}" >ckpt; touch begun; '
    "${WAIT:-sleep 60}'\n"
)


def test_killed_step_goes_on_and_a_changed_one_starts_anew(shell, tmp_path: Path) -> None:
    run = start(tmp_path, SLOW)
    wait_for(tmp_path / "begun")
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not (tmp_path / "m").exists()
    out = shell(SLOW, WAIT="false").stdout
    assert "did not finish last time, goes on" in out and "ran false 1" in out
    # The attempt was made with another option: its checkpoint must not be built upon, then or after a kill.
    out = shell(SLOW, WAIT="false", LR="2").stdout
    assert "option lr: '1' -> '2'" in out and "ran true cat: ckpt: No such file" in out
    out = shell(SLOW, WAIT="true", LR="2", check=True).stdout
    assert "goes on" in out and "ran false 2" in out
    assert "already done" in shell(SLOW, LR="2", check=True).stdout


def test_without_fresh_a_changed_step_stays_changed_until_done(shell) -> None:
    script = SLOW.replace("--fresh ckpt ", "")
    shell(script, WAIT="true", check=True)
    assert "ran true" in shell(script, WAIT="false", LR="2").stdout
    assert "ran true" in shell(script, WAIT="true", LR="2", check=True).stdout


def test_what_a_killed_run_left_running_is_stopped(shell, tmp_path: Path) -> None:
    script = HEAD + "run_step --mark m -- bash -c 'echo $BASHPID >pid; exec sleep 60'\n"
    run = start(tmp_path, script)
    wait_for(tmp_path / "pid")
    time.sleep(0.1)
    left = int((tmp_path / "pid").read_text())
    run.kill()  # only the script, not what it started
    run.wait()
    assert alive(left)
    out = shell(HEAD + "run_step --mark m -- echo second\n", check=True).stdout
    assert "stops what a killed run left: " in out and str(left) in out and "second" in out
    assert not alive(left)


def test_two_live_runs_exclude_each_other(shell, tmp_path: Path) -> None:
    run = start(tmp_path, HEAD + "run_step --mark m -- bash -c 'touch begun; sleep 60'\n")
    wait_for(tmp_path / "begun")
    try:
        done = shell(HEAD + "run_step --mark m -- echo second\n")
        assert done.returncode == 1 and f"another run is at this step (process {run.pid})" in done.stderr
        assert "second" not in done.stdout
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def test_marks_that_cannot_be_written_are_named(shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "marks" / ".one.lock").mkdir(parents=True)
    for mark, where in (("file/one", "file"), ("marks/one", "marks")):
        done = shell(HEAD + f"run_step --mark {mark} -- echo ran\necho after\n")
        assert done.returncode == 1 and "ran" not in done.stdout and "after" not in done.stdout
        assert f"error: one: can't write to {where}\n" in done.stderr
        assert (
            "Traceback" not in done.stderr and done.stderr.count("\n") == 2
        )  # the shell's own words come first


def test_a_full_disk_under_the_marks(shell) -> None:
    """The limit on a file's size stands for it: the record of the inputs is longer."""
    limited = "ulimit -f 0\ntrap '' XFSZ\n"
    done = shell(HEAD + limited + "run_step --mark m/one --name 'stage 2' --in in -- true\n")
    assert done.returncode == 1
    assert done.stderr == "error: stage 2: m/one: File too large\n"
