"""Training on two processes, by torchrun on two "nodes" and by hand: the steps of plain PyTorch."""

import copy
import csv
import os
import socket
import subprocess
import sys

import pytest
import torch
import yaml

from ctap.config import from_dict
from ctap.data.dataset import train_loader
from ctap.loss.contrastive_plain import plain_contrastive
from ctap.tasks.build import Sources, build_pretrain
from ctap.tasks.pretrain import PretrainConfig
from test import tiny

STEPS = 3


@pytest.fixture
def values():
    """Contrastive loss alone, nothing random but the choice of batches."""
    model = copy.deepcopy(tiny.MODEL)
    for name in ("speech_encoder", "phoneme_encoder", "decoder"):
        model[name]["dropout"] = 0.0
    return {
        "model": model,
        "loss": {"mse_weight": 0.0, "kl_weight": 0.0, "contrastive": {"gather": True}},
        "data": tiny.DATA,
        "optim": tiny.OPTIM,
        "trainer": {**tiny.TRAINER, "max_steps": STEPS, "epoch_steps": 1, "accelerator": "cpu"},
    }


def joined_losses(values, dump):
    """The loss of each step of one process that gets the batches of both, written out."""
    config = from_dict(PretrainConfig, values, "test")
    training = build_pretrain(config, Sources(dump / "train"))
    task, ctap = training.task.train(), training.task.ctap
    made = task.configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    streams = [
        iter(
            train_loader(
                training.train, config.data, prompt_frames=training.prompt_frames, epoch_steps=STEPS,
                max_steps=STEPS, position=lambda: 0, seed=config.trainer.seed, rank=rank, world=2,
            )
        )
        for rank in (0, 1)
    ]  # fmt: skip
    losses = []
    for batches in zip(*streams, strict=True):
        s, p = [], []
        for batch in batches:
            target = ctap.normalize(batch.mel)
            s.append(ctap.speech_encoder(target, batch.mask)[batch.mask])
            heard = ctap.phoneme_encoder(batch.tokens, batch.durations, target.shape[1], batch.mask)
            p.append(heard[batch.mask])
        loss = plain_contrastive(torch.cat(s), torch.cat(p), ctap.scale)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), config.trainer.gradient_clip)
        optimizer.step()
        schedule.step()
    return losses


def test_two_nodes_on_loopback_take_the_steps_of_one_process(values, dump, tmp_path):
    (tmp_path / "ctap.yaml").write_text(yaml.safe_dump(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc_per_node", "1"]
    command += ["--max_restarts", "0", "--rdzv_backend", "c10d", "--rdzv_id", "test"]
    command += ["--rdzv_endpoint", f"127.0.0.1:{port}", "-m", "ctap.bin.train", "pretrain"]
    command += ["--config", str(tmp_path / "ctap.yaml"), "--train_dir", str(dump / "train")]
    command += ["--trainer.num_nodes", "2", "--out", str(tmp_path / "exp")]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    logs = [tmp_path / f"node{i}.log" for i in (0, 1)]
    nodes = []
    for log in logs:
        with log.open("w") as file:
            nodes.append(subprocess.Popen(command, env=env, stdout=file, stderr=subprocess.STDOUT))
    try:
        ends = [node.wait(timeout=180) for node in nodes]
    finally:
        for node in nodes:
            node.kill()
    assert ends == [0, 0], "\n".join(log.read_text() for log in logs)
    with (tmp_path / "exp/metrics.csv").open() as file:
        found = [float(row["train/contrastive"]) for row in csv.DictReader(file)]
    expected = joined_losses(values, dump)
    assert found == pytest.approx(expected, rel=1e-4)
    assert expected[-1] < expected[0]
    assert (tmp_path / "exp/model/ctap.pt").is_file()


def replicated_weights(values, dump, steps):
    """CTAP's state after steps of two replicas that average their gradients, each with dropout of its own.

    Batch norm: each replica normalises by its own batch; the running statistics are the first one's.
    """
    config = from_dict(PretrainConfig, values, "test")
    settings = config.trainer
    trainings = [build_pretrain(config, Sources(dump / "train")) for _ in (0, 1)]
    tasks = [training.task.train() for training in trainings]
    made = tasks[0].configure_optimizers()
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    streams = [
        iter(
            train_loader(
                training.train, config.data, prompt_frames=training.prompt_frames, epoch_steps=steps,
                max_steps=steps, position=lambda: 0, seed=settings.seed, rank=rank, world=2,
            )
        )
        for rank, training in enumerate(trainings)
    ]  # fmt: skip
    for number, batches in enumerate(zip(*streams, strict=True)):
        tasks[1].load_state_dict(tasks[0].state_dict())
        for rank, (task, batch) in enumerate(zip(tasks, batches, strict=True)):
            torch.manual_seed((settings.seed * 1_000_003 + number) * 4099 + rank)
            task.zero_grad()
            task.forward(batch)[0]["loss"].backward()
        for p, q in zip(tasks[0].parameters(), tasks[1].parameters(), strict=True):
            p.grad = (p.grad + q.grad) / 2
        torch.nn.utils.clip_grad_norm_(tasks[0].parameters(), settings.gradient_clip)
        optimizer.step()
        tasks[0].ctap.cap_scale()
        schedule.step()
    return {k: v for k, v in tasks[0].state_dict().items() if k.startswith("ctap.")}


def test_two_devices_by_hand_and_by_torchrun_train_as_two_replicas(dump, tmp_path):
    """With reconstruction, batch norm and dropout; one process writes, and both ways end in the same."""
    trainer = {**tiny.TRAINER, "devices": 2, "accelerator": "cpu"}
    values = {"model": tiny.MODEL, "data": tiny.DATA, "optim": tiny.OPTIM, "trainer": trainer}
    (tmp_path / "ctap.yaml").write_text(yaml.safe_dump(values))
    by_hand = [sys.executable, "-m"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m"]
    for name, start in (("hand", by_hand), ("torchrun", torchrun)):
        command = [*start, "ctap.bin.train", "pretrain", "--config", str(tmp_path / "ctap.yaml")]
        command += ["--train_dir", str(dump / "train"), "--dev_dir", str(dump / "dev")]
        command += ["--out", str(tmp_path / name)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr.count("model written") == 1
    models = [torch.load(tmp_path / f / "model/ctap.pt", weights_only=True) for f in ("hand", "torchrun")]
    assert all(torch.equal(models[0][k], models[1][k]) for k in models[0])
    for name in ("metrics.csv", "config.yaml"):
        assert (tmp_path / "hand" / name).read_text() == (tmp_path / "torchrun" / name).read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ctap.yaml", "hand", "torchrun"]
    found = torch.load(tmp_path / "hand/last.ckpt", weights_only=True)["state_dict"]
    for name, expected in replicated_weights(values, dump, trainer["max_steps"]).items():
        torch.testing.assert_close(found[name], expected, rtol=1e-3, atol=1e-4, msg=name)
