"""Steps as stages write them: what the words of a command stand for, and what makes it run again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = """set -euo pipefail
. {utils}/run_step.sh
. {utils}/words.sh
. {stages}/steps.sh
current=4 datadir=data dumpdir=dump expdir=exp seed=1
say() {{ printf '<%s>' "$@" && echo && mkdir -p made out && : >made/table >out/file; }}
"""


def run(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Bash ``lines`` in ``folder``, after what ctap.sh has set and sourced by then."""
    head = SETUP.format(utils=ROOT / "utils", stages=ROOT / "egs/TEMPLATE/ctap1/stages")
    return subprocess.run(
        ["bash", "-c", "\n".join((head, *lines))], cwd=folder, capture_output=True, text=True
    )


STEP = """step x say title:"a title" --flag in:a/file table:b/wav.scp read:c --out_dir into:made/table \\
    --out out:out/file --against recording=in:a/file url=http://x opt:key=1 -- in:users words"""


def inputs(folder: Path) -> None:
    for name in ("a/file", "b/wav.scp", "b/other", "c"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("1")


def test_the_command_gets_plain_words(tmp_path: Path) -> None:
    inputs(tmp_path)
    done = run(tmp_path, STEP)
    words = "<--flag><a/file><b/wav.scp><--out_dir><made><--out><out/file><--against>"
    words += "<recording=a/file><url=http://x><in:users><words>"
    assert done.stdout.splitlines()[0] == words
    assert "stage 4, a title: done in" in done.stdout


def test_each_input_and_option_counts_and_each_output_is_missed(tmp_path: Path) -> None:
    inputs(tmp_path)
    run(tmp_path, STEP)
    assert "already done" in run(tmp_path, STEP).stdout
    for name in ("a/file", "b/other", "c"):
        (tmp_path / name).write_text("2")
        assert f"{name} has changed" in run(tmp_path, STEP).stdout
    for name in ("made/table", "out/file"):
        (tmp_path / name).unlink()
        assert f"{name} is missing" in run(tmp_path, STEP).stdout
    assert "option key: '1' -> '2'" in run(tmp_path, STEP.replace("key=1", "key=2")).stdout
    assert "--flag --more" in run(tmp_path, STEP.replace("--flag", "--flag --more")).stdout


def test_what_the_users_options_of_a_training_start_from_counts(tmp_path: Path) -> None:
    inputs(tmp_path)
    for option in ("--init a", "--init=a"):
        line = f"step x say --flag -- {option} --layers 2"
        run(tmp_path, line)
        assert "already done" in run(tmp_path, line).stdout
        (tmp_path / "a/file").write_text(option)
        assert "a/file has changed" in run(tmp_path, line).stdout
    assert "done in" in run(tmp_path, "step y say --flag -- --init nowhere --init").stdout


def test_what_is_free_is_told_but_does_not_count(tmp_path: Path) -> None:
    inputs(tmp_path)
    step = 'step x say --nj free:"{nj}" --seed 1 made:made/table'
    assert "<--nj><2><--seed><1>" in run(tmp_path, step.format(nj=2)).stdout
    assert "already done" in run(tmp_path, step.format(nj=3)).stdout
    assert "already done" not in run(tmp_path, step.format(nj=3).replace("--seed", "--more")).stdout


def test_force_repeats_what_two_stages_share_once(tmp_path: Path) -> None:
    inputs(tmp_path)
    run(tmp_path, STEP)
    again = run(tmp_path, "force=true", "begin_run", STEP, STEP)
    assert again.stdout.count("a title: done in") == again.stdout.count("already done") == 1


@pytest.mark.parametrize("place", ["data", "dump"])
def test_runs_that_share_data_see_what_others_have_made_of_them(tmp_path: Path, place: str) -> None:
    """With its mark in the exp of one run, data that another had changed would count as done."""
    step = f"step sets say --minutes 15 made:{place}/train/wav.scp"
    script = [f'say() {{ mkdir -p {place}/train && echo "$*" >{place}/train/wav.scp; }}', step]
    assert "done in" in run(tmp_path, *script).stdout
    assert "already done" in run(tmp_path, "expdir=other", *script).stdout
    assert "runs again" in run(tmp_path, "expdir=other", *script[:1], step.replace("15", "5")).stdout
    assert "runs again" in run(tmp_path, *script).stdout
    assert (tmp_path / place / "train/wav.scp").read_text() == "--minutes 15\n"
    assert "runs again: forced" in run(tmp_path, "force=true", "begin_run", *script).stdout


def test_recordings_are_tables_that_may_be_two(tmp_path: Path) -> None:
    inputs(tmp_path)
    step = "step y say recordings:b made:b/wav.scp"
    assert run(tmp_path, step).returncode == 0
    assert "already done" in run(tmp_path, step).stdout
    (tmp_path / "b/utt2audio").write_text("1")
    assert "b/utt2audio was added" in run(tmp_path, step).stdout


def test_what_is_said_is_tables_of_which_a_language_may_lack_some(tmp_path: Path) -> None:
    inputs(tmp_path)
    step = "step y say phones:b made:made/table"
    assert "b/phones does not exist" in run(tmp_path, step).stderr
    for name in ("phones", "utt2spk", "word_phones", "text.json"):
        (tmp_path / "b" / name).write_text("1")
        assert run(tmp_path, step).returncode == 0
        assert "already done" in run(tmp_path, step).stdout
        (tmp_path / "b" / name).write_text("2")
        assert f"b/{name} has changed" in run(tmp_path, step).stdout


def test_a_training_is_done_again_if_the_base_of_its_configuration_has_changed(tmp_path: Path) -> None:
    """Configurations may stand on others (``base:``)."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/own.yaml").write_text("base: middle.yaml:model\n")
    (tmp_path / "conf/middle.yaml").write_text("base: ../sizes.yaml\n")
    (tmp_path / "sizes.yaml").write_text("model: {layers: 2}\n")
    step = f"_training() {{ mkdir -p exp/x/model; }}; python={sys.executable} all_args=''; "
    step += "training x pretrain conf/own.yaml"
    assert run(tmp_path, step).returncode == 0
    assert "already done" in run(tmp_path, step).stdout
    (tmp_path / "sizes.yaml").write_text("model: {layers: 3}\n")
    assert "sizes.yaml has changed" in run(tmp_path, step).stdout
    assert "option all_args" in run(tmp_path, step.replace("all_args=''", "all_args=--x")).stdout
    (tmp_path / "sizes.yaml").unlink()
    assert "sizes.yaml: can't read it" in run(tmp_path, step).stderr


TORCHRUN = "torchrun --nnodes {} --nproc_per_node {} --max_restarts 0"
MEETING = " --rdzv_backend c10d --rdzv_id x --rdzv_endpoint a:29500"


@pytest.mark.parametrize(
    ("asked", "start", "devices"),
    [
        ("ngpu=0 nproc=1 num_nodes=1", "py", "cpu 1 1"),
        ("ngpu=1 nproc=2 num_nodes=1", "py", "gpu 1 1"),
        ("ngpu=2 nproc=1 num_nodes=1", TORCHRUN.format(1, 2), "gpu 2 1"),
        ("ngpu=0 nproc=2 num_nodes=1", TORCHRUN.format(1, 2), "cpu 2 1"),
        ("ngpu=1 nproc=1 num_nodes=2 MASTER_ADDR=a", TORCHRUN.format(2, 1) + MEETING, "gpu 1 2"),
    ],
)
def test_a_training_is_started_on_what_is_asked_for(
    tmp_path: Path, asked: str, start: str, devices: str
) -> None:
    given = f"{asked}; python=py cuda_cmd=echo force=true; all_options=(--all 1)"
    done = run(tmp_path, given, "_training x pretrain c.yaml --train_dir d")
    kind, each, nodes = devices.split()
    assert done.stdout == (
        f"--gpu {asked[5]} exp/log/train_x.log {start} -m ctap.bin.train pretrain --config c.yaml"
        f" --trainer.seed 1 --all 1 --trainer.accelerator {kind} --trainer.devices {each}"
        f" --trainer.num_nodes {nodes} --out exp/x --restart true --train_dir d\n"
    )


def test_tables_of_several_jobs_become_one(tmp_path: Path) -> None:
    jobs = """in_jobs() { jobs=10; mkdir "$3"; echo b 1 >"$3/wav.scp.1"; echo a 3 >"$3/wav.scp.10"; }"""
    done = run(tmp_path, jobs, "generate x module each:list --out into:out/wav.scp")
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {"wav.scp": "a 3\nb 1\n"}


def test_an_input_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "step z say in:nowhere")
    assert done.returncode != 0
    assert "input nowhere does not exist" in done.stderr


def test_recordings_go_through_the_vocoder_again_under_other_settings(tmp_path: Path) -> None:
    """Settings of as many frames leave every table of the test set as it was."""
    lines = (
        f". {ROOT}/egs/TEMPLATE/ctap1/stages/voices.sh",
        'generate() { _as_step "$1" said "${@:3}"; }',
        "said() { mkdir -p exp/eval/test_vocoded && : >exp/eval/test_vocoded/wav.scp; }",
        "dumpdir=dump; speaks=(--vocoder griffin_lim); resynthesize test",
    )
    for name in ("dump/audio.json", "exp/eval/test/wav.scp"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("1")
    assert "done in" in run(tmp_path, *lines).stdout and "already done" in run(tmp_path, *lines).stdout
    (tmp_path / "dump/audio.json").write_text("2")
    assert "dump/audio.json has changed" in run(tmp_path, *lines).stdout


def test_other_versions_that_a_recognisers_figures_stand_beside_are_read(tmp_path: Path) -> None:
    lines = (
        f". {ROOT}/egs/TEMPLATE/ctap1/stages/scores.sh",
        'module() { printf "<%s>" "$@"; }',
        'rate name=n task=asr data=d heard=h out=o frames=true config=c -- vocoded=v "from S=s"',
    )
    assert run(tmp_path, *lines).stdout.endswith("<--against><vocoded=in:v><from S=in:s>")


def test_a_corpus_without_dev_is_trained_on_without_validation(tmp_path: Path) -> None:
    stages = ROOT / "egs/TEMPLATE/ctap1/stages"
    lines = (
        f". {stages}/sets.sh; . {stages}/3_pretrain.sh; . {stages}/options.sh; . {ROOT}/utils/log.sh",
        "stage=3 stop_stage=3 skip_stages='' pretrained=''",
        'training() { printf "<%s>" "$@" && exit; }',
        "datadir=data dumpdir=dump pretrain_on=train tag=t train_config=c train_options=()",
        "needs_sets 3; stage_3",
    )
    (tmp_path / "data/dev").mkdir(parents=True)
    (tmp_path / "data/target_speakers").write_text("")
    (tmp_path / "data/test").mkdir()
    (tmp_path / "data/test/wav.scp").write_text("a a.wav\n")
    told = run(tmp_path, *lines).stdout
    assert told.endswith("<--train_dir><in:dump/train><-->") and "<read:dump/stats.json>" in told
    (tmp_path / "data/dev/wav.scp").write_text("a a.wav\n")
    assert "<in:dump/train><--dev_dir><in:dump/dev><-->" in run(tmp_path, *lines).stdout
