#!/usr/bin/env python3
"""How long a pretraining waits for data on a slow disk, by the number of loader processes.

    python tools/bench/slow_disk.py --dump egs/mini/ctap1/dump/train \\
        --config egs/TEMPLATE/ctap1/conf/ctap_mini.yaml

The disk is emulated in the reader of arks: each matrix takes --seek milliseconds and its bytes at --rate MB/s
longer, asleep, which is what a process does that waits for a disk. One disk serves all loader processes: they
take turns at it. Every line trains the same steps on the same batches.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from train_step import SYSTEMS, Toolkit, step

from ctap.config import from_dict, load_config
from ctap.kaldi.ark import MatrixReader
from ctap.tasks.build import Sources, build_pretrain
from ctap.tasks.pretrain import PretrainConfig


def slow_down(seek: float, rate: float) -> None:
    """Let every matrix take ``seek`` s and its bytes (one a value) at ``rate`` bytes a second longer."""
    disk, read = multiprocessing.Lock(), MatrixReader.__getitem__

    def slowly(self: MatrixReader, utterance: str) -> np.ndarray:
        matrix = read(self, utterance)
        with disk:
            time.sleep(seek + matrix.size / rate)
        return matrix

    MatrixReader.__getitem__ = slowly


def train(config: PretrainConfig, dump: Path, warm_up: int, steps: int) -> tuple[float, float]:
    """Seconds a step, and the share of them spent waiting for data."""
    training = build_pretrain(config, Sources(dump))
    system: Toolkit = SYSTEMS["toolkit"](training, config, config.trainer.precision)
    stream, waited = system.batches(warm_up + steps), 0.0
    for i in range(warm_up + steps):
        if i == warm_up:
            begun, waited = time.perf_counter(), 0.0
        asked = time.perf_counter()
        batch = next(stream)
        waited += time.perf_counter() - asked
        step(system, batch, "cpu")
    took = time.perf_counter() - begun
    return took / steps, waited / took


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="configuration of the pretraining")
    parser.add_argument("--dump", type=Path, required=True, help="dump directory of a training set")
    parser.add_argument("--seek", type=float, default=10.0, help="milliseconds before each matrix")
    parser.add_argument("--rate", type=float, default=100.0, help="MB a second")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="data.num_workers")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--warm_up", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = from_dict(PretrainConfig, load_config(options.config), str(options.config))
    print(f"{options.config.name}, {options.threads} thread(s); slow: {options.seek} ms, {options.rate} MB/s")
    for disk in ("fast", "slow"):
        if disk == "slow":
            slow_down(options.seek / 1e3, options.rate * 1e6)
        for workers in options.workers:
            config.data = replace(config.data, num_workers=workers)
            seconds, share = train(config, options.dump, options.warm_up, options.steps)
            print(
                f"{disk} disk, {workers} workers: {seconds:.3f} s a step, {share:.1%} of it waiting for data"
            )


if __name__ == "__main__":
    main()
