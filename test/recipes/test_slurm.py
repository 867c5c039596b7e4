"""Training on two nodes of a real Slurm, where it is installed: as by hand, and after the queue twice."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
import yaml

from test import tiny

ROOT = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
needed = [p for p in ("slurmctld", "slurmd", "munged", "sbatch") if not shutil.which(p, path=PATH)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(needed), reason=f"there is no {', '.join(needed)}: Debian's slurm-wlm and munge"),
]


@pytest.fixture
def environment(tmp_path):
    """Of the two-node cluster tools/loopback_slurm.sh."""
    tool, folder = ROOT / "tools/loopback_slurm.sh", tmp_path / "slurm"
    environment = {
        **os.environ,
        "PATH": f"{ROOT / 'utils'}:{PATH}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run([tool, "start", folder], check=True, env=environment, timeout=60)
    yield {**environment, "SLURM_CONF": str(folder / "slurm.conf")}
    subprocess.run([tool, "stop", folder], check=True, env=environment, timeout=60)


def command(dump: Path, config: Path, out: Path, nodes: int, each: int, port: int) -> list[str]:
    """The training, as the recipe starts it."""
    start = ["torchrun", "--nnodes", str(nodes), "--nproc_per_node", str(each), "--max_restarts", "0"]
    start += ["--rdzv_backend", "c10d", "--rdzv_id", out.name, "--rdzv_endpoint", f"127.0.0.1:{port}", "-m"]
    sets = ["--train_dir", dump / "train", "--dev_dir", dump / "dev", "--out", out]
    devices = ["--trainer.devices", each, "--trainer.num_nodes", nodes]
    return [*start, "ctap.bin.train", "pretrain", "--config", str(config), *map(str, [*devices, *sets])]


@pytest.fixture
def config(tmp_path):
    """Of a training of seconds."""
    path = tmp_path / "ctap.yaml"
    trainer = {**tiny.TRAINER, "accelerator": "cpu", "max_steps": 600, "epoch_steps": 100}
    path.write_text(
        yaml.safe_dump({"data": tiny.DATA, "optim": tiny.OPTIM, "model": tiny.MODEL, "trainer": trainer})
    )
    return path


def launch(log: Path, words: list[str], environment: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    """Start a training on both nodes, and wait until it takes steps; the launcher, and the job's number."""
    start = ["run_slurm", "--num-nodes", "2", "--ntasks-per-node", "1", "--srun", log]
    process = subprocess.Popen(
        [*start, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    number = re.match(r"run_slurm: job (\d+)", process.stdout.readline())[1]
    while not (log.exists() and "training " in log.read_text()):  # the steps have begun, or soon will
        assert process.poll() is None
        time.sleep(0.5)
    time.sleep(2)
    return process, number


def end_node(name: str) -> None:
    """Kill all that runs on a node, at once: its slurmd, the step's daemon, the tasks."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        daemon = [b"slurmd", b"-N", name.encode()]
        if f"SLURMD_NODENAME={name}".encode() in environment or words[:3] == daemon:
            found.append(int(entry.name))
    for process in found:
        with contextlib.suppress(ProcessLookupError):  # it has gone with another
            os.kill(process, signal.SIGKILL)


def test_two_nodes_train_as_two_processes_and_go_on_after_the_queue(dump, tmp_path, config, environment):
    outs = [tmp_path / name for name in ("here", "slurm")]
    subprocess.run(command(dump, config, outs[0], 1, 2, 29511), check=True, env=environment, timeout=300)
    log = tmp_path / "slurm.log"
    job, number = launch(log, command(dump, config, outs[1], 2, 1, 29512), environment)
    subprocess.run(["scancel", "--batch", "--signal=USR1", number], check=True, env=environment)
    assert job.wait(timeout=400) == 0, log.read_text()
    assert re.search(
        r"ended by SIGTERM after step \d+; .*back into the queue.*resuming from", log.read_text(), re.S
    )
    models = [torch.load(out / "model/ctap.pt", weights_only=True) for out in outs]
    assert all(torch.equal(models[0][k], models[1][k]) for k in models[0])


def test_a_node_that_dies_ends_the_training_which_goes_on_when_it_is_back(
    dump, tmp_path, config, environment
):
    out, log = tmp_path / "out", tmp_path / "slurm.log"
    words = command(dump, config, out, 2, 1, 29513)
    job, _ = launch(log, words, environment)
    while not (out / "last.ckpt").exists():
        assert job.poll() is None
        time.sleep(0.05)
    end_node("n2")
    assert job.wait(timeout=300) == 1
    told = [line for line in job.stderr.read().splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert "another process of this training is gone, or its machine" in told[0]
    subprocess.run(["slurmd", "-N", "n2"], check=True, env=environment)
    job, _ = launch(log, words, environment)
    assert job.wait(timeout=300) == 0, log.read_text()
    assert "resuming from" in log.read_text()
    straight = tmp_path / "here"
    subprocess.run(command(dump, config, straight, 1, 2, 29514), check=True, env=environment, timeout=300)
    models = [torch.load(each / "model/ctap.pt", weights_only=True) for each in (straight, out)]
    assert all(torch.equal(models[0][k], models[1][k]) for k in models[0])
