"""Which launcher, how many jobs and which device a recipe's work gets, as a stand-in launcher hears it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# prints what it is asked for
LAUNCHER = """stub() { printf 'asked: %s\\n' "$*"; }
train_cmd="stub train" decode_cmd="stub decode --mem 8G" python=py
nj=6 decode_nj=0 device=auto ngpu=0
"""
HEAD = LAUNCHER + ". jobs.sh\n"
COMMON = "env OMP_NUM_THREADS=1 py -m ctap.bin.synthesize --model m"


def asked(shell, script: str) -> list[str]:
    return re.findall(r"^asked: (.*)$", shell(HEAD + script, check=True).stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "launcher", "device", "jobs"),
    [
        ("", "decode --mem 8G", "cpu", 6),
        ("ngpu=1", "decode --mem 8G --gpu 1", "cuda", 1),
        ("ngpu=4", "decode --mem 8G --gpu 1", "cuda", 4),
        ("ngpu=4 device=cpu", "decode --mem 8G", "cpu", 6),
        ("device=cuda", "decode --mem 8G --gpu 1", "cuda", 1),
        ("ngpu=4 decode_nj=9", "decode --mem 8G --gpu 1", "cuda", 9),
        ("decode_nj=2", "decode --mem 8G", "cpu", 2),
        ("nj=64 ngpu=1", "decode --mem 8G --gpu 1", "cuda", 1),  # not 64 processes on one GPU
    ],
)
def test_networks_go_where_they_are_asked_to(
    shell, tmp_path: Path, options: str, launcher: str, device: str, jobs: int
) -> None:
    (tmp_path / "list").write_text("u w\n" * 1000)
    script = (
        f'{options}\nn=$(jobs_for list "$(network_jobs)")\nnetworks "$n" log ctap.bin.synthesize --model m\n'
    )
    line = f"{launcher} CTAP_JOB=1:{jobs} log/synthesize.CTAP_JOB.log {COMMON} --device {device} "
    line += f"--job CTAP_JOB --num_jobs {jobs}"
    assert asked(shell, script) == [line]
    one = f"{options}\none_network log/x.log ctap.bin.embed_speakers --out o\n"
    assert asked(shell, one) == [
        f"{launcher} log/x.log py -m ctap.bin.embed_speakers --out o --device {device}"
    ]


@pytest.mark.parametrize("options", ["", "ngpu=4 decode_nj=2", "device=cuda"])
def test_data_stages_never_take_a_gpu(shell, tmp_path: Path, options: str) -> None:
    (tmp_path / "list").write_text("u w\n" * 1000)
    script = f'{options}\nparallel "$(jobs_for list)" log ctap.bin.synthesize --model m\n'
    line = f"train CTAP_JOB=1:6 log/synthesize.CTAP_JOB.log {COMMON} --job CTAP_JOB --num_jobs 6"
    assert asked(shell, script) == [line]


def test_few_utterances_are_no_work_for_many_jobs(shell, tmp_path: Path) -> None:
    for utterances, jobs in ((0, 1), (1, 1), (8, 1), (9, 2), (17, 3), (1000, 6)):
        (tmp_path / "list").write_text("u w\n" * utterances)
        assert shell(HEAD + "jobs_for list\n", check=True).stdout == f"{jobs}\n"


@pytest.mark.parametrize(("how", "jobs"), [("parallel", 6), ("networks", 2)])
def test_work_is_shared_out_afresh(shell, tmp_path: Path, how: str, jobs: int) -> None:
    (tmp_path / "list").write_text("u w\n" * 1000)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/part.9").touch()
    script = f"decode_nj=2\nin_jobs {how} list out log ctap.bin.synthesize --model m\n"
    script += 'echo "asked: ${jobs} in all"; [[ ! -e out/part.9 ]]\n'
    line, number = asked(shell, script)
    assert f" CTAP_JOB=1:{jobs} log/synthesize.CTAP_JOB.log {COMMON} " in line
    assert number == f"{jobs} in all"


def test_jobs_really_run(shell, tmp_path: Path) -> None:
    """Through run_local, with GPUs that are only numbers: each job is given one."""
    (tmp_path / "py").write_text('#!/usr/bin/env bash\necho "$CUDA_VISIBLE_DEVICES: $*"\nsleep 0.2\n')
    (tmp_path / "py").chmod(0o755)
    script = "decode_cmd=run_local python=./py ngpu=2\nnetworks 3 log ctap.bin.convert --model m\n"
    shell(HEAD + script, check=True, CUDA_VISIBLE_DEVICES="3,5")
    logs = [(tmp_path / "log" / f"convert.{i}.log").read_text() for i in (1, 2, 3)]
    found = [re.search(r"^([35]): (.*)$", log, re.MULTILINE).groups() for log in logs]
    words = "-m ctap.bin.convert --model m --device cuda --job {} --num_jobs 3"
    assert [what for _, what in found] == [words.format(i) for i in (1, 2, 3)]
    assert {gpu for gpu, _ in found} == {"3", "5"}
