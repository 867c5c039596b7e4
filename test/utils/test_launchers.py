"""run_local with real processes; run_slurm against a stand-in for sbatch that runs the script it is given."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_LOCAL = str(ROOT / "utils" / "run_local")


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.02)


def test_jobs_get_their_numbers_and_arguments_as_they_are(shell, tmp_path: Path) -> None:
    shell("run_local K=3:5 log/x.K.log printf '%s|' K outK.txt 'a b' '$(touch evil)'\n", check=True)
    for number in (3, 4, 5):
        log = (tmp_path / "log" / f"x.{number}.log").read_text()
        assert f"\n{number}|out{number}.txt|a b|$(touch evil)|#\n" in log
        assert f"# host {os.uname().nodename}\n" in log and "# started 20" in log and "# ended 20" in log
        assert log.endswith("# exit status 0\n")
    assert not (tmp_path / "evil").exists()


def test_failing_job_shows_the_tail_of_its_log(shell, tmp_path: Path) -> None:
    job = "for i in $(seq 100); do echo line $i; done; echo the cause >&2; [ JOB != 2 ]"
    done = shell(f"run_local --max-jobs-run 1 JOB=1:4 log/x.JOB.log bash -c '{job}'\necho not here\n")
    assert done.returncode == 1 and "not here" not in done.stdout
    assert "the cause" in done.stderr and "line 100" in done.stderr and "line 50" not in done.stderr
    assert "1 of 4 jobs failed (job 2); log: log/x.2.log" in done.stderr
    assert "# exit status 1" in (tmp_path / "log" / "x.2.log").read_text()
    assert not (tmp_path / "log" / "x.3.log").exists()


@pytest.mark.parametrize("after", [100, 3])
def test_the_error_of_a_failing_job_is_shown_once_however_much_follows_it(shell, after: int) -> None:
    """As torchrun does, which fills a screen after what its processes said."""
    job = f"echo error: a.scp: missing; for i in $(seq {after}); do echo noise $i; done; false"
    done = shell(f"run_local x.log bash -c '{job}'\n")
    assert done.stderr.splitlines().count("error: a.scp: missing") == 1


def test_failure_ends_the_other_jobs(shell, tmp_path: Path) -> None:
    job = "echo $$ >JOB.pid; [ JOB = 2 ] || sleep 60; while [ ! -e 1.pid ]; do sleep 0.05; done; exit 3"
    done = shell(f"run_local --max-jobs-run 2 JOB=1:2 x.JOB.log bash -c '{job}'\n")
    assert done.returncode == 1 and "1 of 2 jobs failed (job 2)" in done.stderr
    assert not alive(int((tmp_path / "1.pid").read_text()))
    assert "another job failed" in (tmp_path / "x.1.log").read_text()


def test_most_jobs_at_a_time(shell, tmp_path: Path) -> None:
    job = "touch r.JOB; ls r.* | wc -l; sleep 0.2; rm r.JOB"
    shell(f"run_local --max-jobs-run 2 JOB=1:5 x.JOB.log bash -c '{job}'\n", check=True)
    counts = [int((tmp_path / f"x.{i}.log").read_text().split("#\n")[1].split()[0]) for i in range(1, 6)]
    assert max(counts) == 2


def test_threads_and_gpus_are_passed_on(shell, tmp_path: Path) -> None:
    job = "'echo $OMP_NUM_THREADS $CUDA_VISIBLE_DEVICES; sleep 0.3'"
    script = f"run_local --num-threads 1 --max-jobs-run 2 --gpu 1 JOB=1:2 x.JOB.log bash -c {job}\n"
    shell(script, check=True, CUDA_VISIBLE_DEVICES="5,7")
    logs = [(tmp_path / f"x.{i}.log").read_text() for i in (1, 2)]
    assert {log.split("#\n")[1].strip() for log in logs} == {"1 5", "1 7"}
    done = shell("run_local --gpu 2 x.log true\n", CUDA_VISIBLE_DEVICES="5")
    assert done.returncode == 2 and "asks for 2 GPUs, this machine shows 1" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("JOB=1:2 x.log true", "must hold JOB"),
        ("JOB=2:1 x.JOB.log true", "before the first"),
        ("JOB=1:2 x.JOB.log", "expected"),
        ("--num-nodes 2 x.log true", "slurm"),
        ("--no-such 2 x.log true", "--no-such"),
    ],
)
def test_wrong_command_lines(shell, words: str, message: str) -> None:
    done = shell(f"run_local {words}\n")
    assert done.returncode == 2 and message in done.stderr


def test_program_that_is_not_there(shell) -> None:
    done = shell("run_local log/x.log no-such-program\n")
    assert done.returncode == 1 and "no-such-program: No such file" in done.stderr


@pytest.mark.parametrize("launcher", ["run_local", "run_slurm"])
def test_logs_that_cannot_be_made_are_named(shell, tmp_path: Path, slurm: str, launcher: str) -> None:
    (tmp_path / "file").write_text("")
    done = shell(slurm + f"{launcher} JOB=1:2 file/log/x.JOB.log touch ran.JOB\n")
    assert done.returncode == 1 and not list(tmp_path.glob("ran.*"))
    assert re.fullmatch(rf"{launcher}: error: file/log\S*: Not a directory\n", done.stderr)


def test_a_log_on_a_full_disk(shell, tmp_path: Path) -> None:
    """The limit on a file's size stands for it. A job that says little is none the worse for it."""
    limited = "ulimit -f 0\ntrap '' XFSZ\n"
    done = shell(limited + "run_local x.log true\n")
    assert done.returncode == 0 and "warning: x.log: File too large\n" in done.stderr
    done = shell(limited + "run_local x.log echo much\n")
    assert done.returncode == 1 and "1 of 1 jobs failed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killing_the_launcher_kills_its_jobs(tmp_path: Path, sent: signal.Signals) -> None:
    # A job with a child of its own: both must go.
    job = "sleep 60 & echo $! >child.JOB; echo $$ >pid.JOB; wait"
    launcher = subprocess.Popen(
        [RUN_LOCAL, "--max-jobs-run", "2", "JOB=1:2", "x.JOB.log", "bash", "-c", job],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    files = [tmp_path / f"{name}.{i}" for name in ("pid", "child") for i in (1, 2)]
    wait_until(lambda: all(f.exists() and f.read_text().strip() for f in files))
    pids = [int(f.read_text()) for f in files]
    assert all(map(alive, pids))
    launcher.send_signal(sent)
    launcher.wait(20)
    wait_until(lambda: not any(map(alive, pids)))
    if sent != signal.SIGKILL:
        assert launcher.returncode == 128 + sent
        assert "interrupted" in (tmp_path / "x.1.log").read_text()


def test_killing_the_script_ends_launcher_and_jobs(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text(f"{RUN_LOCAL} x.log bash -c 'echo $$ >pid; sleep 60'\necho after\n")
    script = subprocess.Popen(["bash", "s.sh"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    script.kill()
    script.wait()
    wait_until(lambda: not alive(int((tmp_path / "pid").read_text())))


SBATCH = """#!/usr/bin/env bash
# A stand-in: runs the array tasks of the script one after another, out of sight as a queue does.
[[ ! -e refuse ]] || { echo "sbatch: error: Invalid partition" >&2; exit 1; }
[[ ! -e full ]] || { rm full; echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2; exit 1; }
echo "$@" >>sbatch.calls
script=${!#}
numbers=1
array=$(sed -n 's/^#SBATCH --array=\\([0-9,-]*\\).*/\\1/p' "$script")
echo "$array" >>arrays
[[ -z $array ]] || numbers=$(for run in ${array//,/ }; do seq "${run%-*}" "${run#*-}"; done)
output=$(sed -n 's/^#SBATCH --output=//p' "$script")
echo RUNNING >state
(
    for i in $numbers; do
        [[ ! -e vanish ]] || break
        SLURM_JOB_ID=4711 SLURM_ARRAY_TASK_ID=$i bash "$script" >"${output//%a/$i}" 2>&1
    done
    echo COMPLETED >state
) </dev/null >/dev/null 2>&1 &
echo 4711
"""
SQUEUE = """#!/usr/bin/env bash
echo asked >>squeue.calls
n=$(wc -l <squeue.calls)
if [[ -e hiccup ]] && ((n < 3)); then
    echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2
    exit 1
fi
[[ ! -e requeue ]] || { ((n != 1)) || echo NODE_FAIL; ((n == 1)) || cat state; exit 0; }
if [[ -e forget ]]; then
    echo "slurm_load_jobs error: Invalid job id specified" >&2
    exit 1
fi
if [[ -e vanish ]]; then cat vanish; else cat state; fi
"""


@pytest.fixture
def slurm(tmp_path: Path) -> str:
    (tmp_path / "bin").mkdir()
    scancel = '#!/usr/bin/env bash\necho "$@" >scancel.calls\n'
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", scancel)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return f"export PATH={tmp_path / 'bin'}:$PATH\n"


def test_slurm_array(shell, tmp_path: Path, slurm: str) -> None:
    command = (
        "run_slurm --mem 4G --gpu 2 --partition fast --exclusive --max-jobs-run 2 JOB=1:3 log/x.JOB.log "
    )
    shell(slurm + command + "printf '%s|' JOB outJOB.txt 'a b' '' '$(touch evil)'\n", check=True)
    script = (tmp_path / "log" / "q" / "x.JOB.log.sbatch").read_text()
    for line in ("--array=1-3%2", "--mem=4G", "--gres=gpu:2", "--partition=fast", "--exclusive"):
        assert f"#SBATCH {line}\n" in script
    for number in (1, 2, 3):
        log = (tmp_path / "log" / f"x.{number}.log").read_text()
        assert f"{number}|out{number}.txt|a b||$(touch evil)|" in log and log.endswith("# exit status 0\n")
    assert (tmp_path / "sbatch.calls").read_text() == "--parsable log/q/x.JOB.log.sbatch\n"
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("-p gpu -A acct", ["-p gpu", "-A acct"]),
        ("-pgpu -vv", ["-pgpu", "-vv"]),
        ("--exclusive --mem 8G", ["--exclusive", "--mem=8G"]),
        ("--mem 8G --exclusive", ["--mem=8G", "--exclusive"]),
        ("--exclusive=user -H", ["--exclusive=user", "-H"]),
        ("-s --no-requeue -Q", ["-s", "--no-requeue", "-Q"]),
        ("--comment 'a b' -J 'c d'", ['"--comment=a b"', '-J "c d"']),
        ("--export NAME=1 --licenses matlab=2", ["--export=NAME=1", "--licenses=matlab=2"]),
        ("--spread JOB=1:1", ["--spread"]),
        ("--nodelist=a,b --wait-all-nodes 1", ["--nodelist=a,b", "--wait-all-nodes=1"]),
    ],
)
def test_slurm_options_reach_sbatch_as_they_are(
    shell, tmp_path: Path, slurm: str, options: str, lines: list[str]
) -> None:
    shell(slurm + f"run_slurm {options} exp/log/x.log true a b\n", check=True)
    script = (tmp_path / "exp/log/q/x.log.sbatch").read_text().splitlines()
    assert set(lines) <= {line.removeprefix("#SBATCH ") for line in script}
    assert "true a b &" in script


@pytest.mark.parametrize(
    ("before", "options", "place"),
    [
        ("", "--num-nodes 2 --srun", "gpu07:29500"),
        ("export MASTER_PORT=4000\n", "--num-nodes 2 --srun", "gpu07:4000"),
        ("export PET_RDZV_ENDPOINT=other:1\n", "--num-nodes 2 --srun", "other:1"),
        ("", "--srun", "nowhere"),
    ],
)
def test_slurm_nodes_meet_on_the_first_of_them(
    shell, tmp_path: Path, slurm: str, before: str, options: str, place: str
) -> None:
    for name, text in (
        ("srun", 'exec "$@"'),
        ("scontrol", '[[ $3 == "gpu[07,09]" ]] && printf "gpu07\\ngpu09\\n"'),
    ):
        (tmp_path / "bin" / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    command = f"run_slurm {options} x.log bash -c 'echo at ${{PET_RDZV_ENDPOINT:-nowhere}}'\n"
    shell(f"{slurm}{before}export SLURM_JOB_NODELIST='gpu[07,09]'\n{command}", check=True)
    assert f"\nat {place}\n" in (tmp_path / "x.log").read_text()


def test_slurm_failure(shell, tmp_path: Path, slurm: str) -> None:
    done = shell(slurm + "run_slurm JOB=1:3 log/x.JOB.log bash -c 'echo cause; [ JOB != 2 ]'\n")
    assert done.returncode == 1
    assert "cause" in done.stderr and "1 of 3 jobs failed (job 2); log: log/x.2.log" in done.stderr


ENDS = "trap 'echo told; sleep 0.2; exit 143' TERM; echo ready; while true; do sleep 0.1; done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_slurm_signals_reach_the_command(shell, tmp_path: Path, slurm: str, number: int) -> None:
    """The batch script waits for a command that ends by itself; near a time limit the job is queued again."""
    shell(slurm + "run_slurm log/x.log true\n", check=True)
    script = tmp_path / "log/q/x.log.sbatch"
    script.write_text(script.read_text().replace("\ntrue &", f"\nbash -c {shlex.quote(ENDS)} &"))
    requeue = tmp_path / "bin/scontrol"
    requeue.write_text('#!/usr/bin/env bash\necho "$@" >scontrol.calls\n')
    requeue.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "SLURM_JOB_ID": "4711"}
    job = subprocess.Popen(["bash", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    while "ready" not in job.stdout.readline():
        assert job.poll() is None
    job.send_signal(number)
    said = job.communicate(timeout=20)[0]
    assert job.returncode == 143 and "told" in said
    requeued = tmp_path / "scontrol.calls"
    if number == signal.SIGUSR1:
        assert requeued.read_text() == "requeue 4711\n" and "exit status" not in said
    else:
        assert not requeued.exists() and said.endswith("# exit status 143\n")


def test_short_slurm_jobs_are_not_waited_for_long(shell, tmp_path: Path, slurm: str) -> None:
    begun = time.monotonic()
    shell(slurm + "run_slurm JOB=1:2 log/x.JOB.log sleep 0.5\n", check=True)
    assert time.monotonic() - begun < 4  # sbatch --wait looks every 10 s


def test_slurm_jobs_that_leave_no_log(shell, tmp_path: Path, slurm: str) -> None:
    """Cancelled, or killed before the script began."""
    (tmp_path / "vanish").write_text("CANCELLED\nOUT_OF_MEMORY\n")
    begun = time.monotonic()
    done = shell(slurm + "run_slurm JOB=1:2 log/x.JOB.log true\n")
    assert done.returncode == 1 and "2 of 2 jobs failed (jobs 1 2)" in done.stderr
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize("trouble", ["hiccup", "requeue"])
def test_slurm_trouble_that_passes(shell, tmp_path: Path, slurm: str, trouble: str) -> None:
    (tmp_path / trouble).touch()
    done = shell(slurm + "run_slurm JOB=1:2 log/x.JOB.log sleep 0.6\n", check=True)
    assert ("Unable to contact slurm controller" in done.stderr) == (trouble == "hiccup")
    assert done.stderr.count("\n") == (trouble == "hiccup")  # said once, not at every look


def test_a_job_that_slurm_has_forgotten_is_judged_by_its_log(shell, tmp_path: Path, slurm: str) -> None:
    (tmp_path / "forget").touch()
    shell(slurm + "run_slurm x.log sleep 1\n", check=True)


FAILS_ONCE = "bash -c 'echo try; [[ JOB == 2 || -e seenJOB ]] || { touch seenJOB; exit 3; }'"


@pytest.mark.parametrize("launcher", ["run_local", "run_slurm"])
def test_failed_jobs_alone_run_again(shell, tmp_path: Path, slurm: str, launcher: str) -> None:
    done = shell(
        slurm + f"{launcher} --retries 1 --max-jobs 9 JOB=1:5 log/x.JOB.log {FAILS_ONCE}\n", check=True
    )
    assert "job 1 failed and runs again; its log: log/x.1.log.failed1" in done.stderr
    for number in range(1, 6):
        assert (tmp_path / f"log/x.{number}.log").read_text().endswith("# exit status 0\n")
    kept = {path.name for path in (tmp_path / "log").glob("*.failed1")}
    assert kept == {f"x.{number}.log.failed1" for number in (1, 3, 4, 5)}
    if launcher == "run_slurm":
        assert (tmp_path / "arrays").read_text() == "1-5\n1,3-5\n"
        assert "#SBATCH --array=1,3-5%9\n" in (tmp_path / "log/q/x.JOB.log.sbatch").read_text()


@pytest.mark.parametrize("launcher", ["run_local", "run_slurm"])
def test_a_job_that_fails_every_time_fails(shell, slurm: str, launcher: str) -> None:
    done = shell(
        slurm + f"{launcher} --retries 2 JOB=1:2 x.JOB.log bash -c 'echo cause; exit $((JOB == 2))'\n"
    )
    assert done.returncode == 1
    assert "cause" in done.stderr and "(job 2); log: x.2.log" in done.stderr


def test_a_full_queue_is_waited_for(shell, tmp_path: Path, slurm: str) -> None:
    (tmp_path / "full").touch()
    done = shell(slurm + "run_slurm x.log true\n", check=True)
    assert "the queue is full, waiting: sbatch: error: QOSMaxSubmitJobPerUserLimit" in done.stderr


def test_refused_submission(shell, tmp_path: Path, slurm: str) -> None:
    (tmp_path / "refuse").touch()
    done = shell(slurm + "run_slurm x.log true\n")
    assert done.returncode == 1 and "Invalid partition" in done.stderr
    assert "run_slurm: error: sbatch ended with status 1: q/x.log.sbatch" in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_killing_the_launcher_cancels_the_slurm_job(tmp_path: Path, slurm: str, sent: signal.Signals) -> None:
    launcher = subprocess.Popen(
        [str(ROOT / "utils" / "run_slurm"), "x.log", "bash", "-c", "touch begun; sleep 3"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert launcher.stdout.readline().startswith("run_slurm: job")  # from here on its guard knows the job
    wait_until(lambda: (tmp_path / "begun").exists())
    launcher.send_signal(sent)
    launcher.wait(20)
    wait_until(lambda: (tmp_path / "scancel.calls").exists() and (tmp_path / "scancel.calls").read_text())
    assert (tmp_path / "scancel.calls").read_text() == "4711\n"


def test_without_slurm_the_error_says_so(shell) -> None:
    bare = 'mkdir bare\nln -s "$(command -v python3)" bare/python3\n'
    done = shell(bare + f"PATH={ROOT / 'utils'}:$PWD/bare run_slurm x.log true\n")
    assert done.returncode == 2 and "no sbatch" in done.stderr


def test_under_nohup_the_terminal_may_be_closed(tmp_path):
    job = "touch begun; sleep 1.5; touch done"
    command = f"trap '' HUP; exec {ROOT / 'utils/run_local'} job.log sh -c '{job}'"
    with subprocess.Popen(["sh", "-c", command], cwd=tmp_path) as running:
        wait_until((tmp_path / "begun").exists)
        running.send_signal(signal.SIGHUP)
    assert running.returncode == 0 and (tmp_path / "done").exists()
