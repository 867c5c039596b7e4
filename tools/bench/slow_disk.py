#!/usr/bin/env python3
"""How long a pretraining waits for data on a slow disk, by the number of loader processes, and with buffers.

    python tools/bench/slow_disk.py --dump egs/mini/ctap1/dump/train \\
        --config egs/TEMPLATE/ctap1/conf/ctap_mini.yaml

The disk is emulated in the reader of arks: each matrix takes --seek milliseconds and its bytes at --rate MB/s
longer, asleep, which is what a process does that waits for a disk. What is read ahead (data.buffer_frames)
takes --seek once for each stretch, and is there afterwards. Nothing else is ever found in memory, as with a
corpus far larger than it. All processes take turns at the one disk. Every line trains as many steps.
"""

from __future__ import annotations

import argparse
import multiprocessing
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from train_step import Toolkit, step

from ctap.config import from_dict, load_config
from ctap.errors import cli
from ctap.kaldi.ark import MatrixReader, _Ark
from ctap.tasks.build import Sources, build_pretrain
from ctap.tasks.pretrain import PretrainConfig

CHUNK = 1 << 20
"""Bytes that are read ahead before another reader has its turn."""


@dataclass
class Stretch:
    """Bytes of an ark that have been read ahead, from ``start`` to ``there`` so far."""

    ark: _Ark
    start: int
    end: int
    there: int


class SlowDisk:
    """Puts itself between the toolkit and its arks.

    Args:
        seek: Seconds until the first byte.
        rate: Bytes a second from there on.
    """

    def __init__(self, seek: float, rate: float) -> None:
        self.seek, self.rate = seek, rate
        self.turn, self.stretches = multiprocessing.Lock(), []
        read = MatrixReader.__getitem__

        def get(reader: MatrixReader, utterance: str) -> np.ndarray:
            matrix = read(reader, utterance)
            ark, offset = reader._entry(utterance)
            self.wait(reader._map(ark), offset, matrix.size)  # a byte a value
            return matrix

        MatrixReader.__getitem__ = get
        _Ark.read_ahead = lambda ark, start, end: self.read_ahead(ark, start, end)

    def wait(self, ark: _Ark, offset: int, size: int) -> None:
        """As long as this disk takes for what was not read ahead."""
        for stretch in self.stretches:
            if stretch.ark is ark and stretch.start <= offset < stretch.end:
                while stretch.there < min(offset + size, stretch.end):
                    time.sleep(0.001)
                return
        with self.turn:
            time.sleep(self.seek + size / self.rate)

    def read_ahead(self, ark: _Ark, start: int, end: int) -> None:
        """In a thread, as the system does it."""
        stretch = Stretch(ark, start, min(end, len(ark.data)), start)
        self.stretches.append(stretch)
        threading.Thread(target=self._read, args=(stretch,), daemon=True).start()

    def _read(self, stretch: Stretch) -> None:
        delay = self.seek
        while stretch.there < stretch.end:
            size = min(CHUNK, stretch.end - stretch.there)
            with self.turn:
                time.sleep(delay + size / self.rate)
            stretch.there += size
            delay = 0.0


def train(config: PretrainConfig, dump: Path, warm_up: int, steps: int) -> tuple[float, float]:
    """Seconds a step, and the share of them spent waiting for data."""
    training = build_pretrain(config, Sources(dump))
    system = Toolkit(training, config, config.trainer.precision)
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


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True, help="configuration of the pretraining")
    parser.add_argument("--dump", type=Path, required=True, help="dump directory of a training set")
    parser.add_argument("--seek", type=float, default=10.0, help="milliseconds before each matrix")
    parser.add_argument("--rate", type=float, default=100.0, help="MB a second")
    parser.add_argument("--buffer_frames", type=int, default=100_000, help="of the lines with buffers")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--warm_up", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = from_dict(PretrainConfig, load_config(options.config), str(options.config))
    print(f"{options.config.name}, {options.threads} thread(s); slow: {options.seek} ms, {options.rate} MB/s")
    lines = [("memory", 0, None), ("memory", 1, None)]
    lines += [("slow", 0, None), ("slow", 1, None), ("slow", 0, options.buffer_frames)]
    lines += [("slow", 1, options.buffer_frames)]
    disk = None
    for kind, workers, buffered in lines:
        if kind == "slow" and disk is None:
            disk = SlowDisk(options.seek / 1e3, options.rate * 1e6)
        config.data = replace(config.data, num_workers=workers, buffer_frames=buffered)
        seconds, share = train(config, options.dump, options.warm_up, options.steps)
        print(
            f"{kind}, num_workers {workers}, buffer_frames {buffered}: {seconds:.3f} s a step, "
            f"{share:.1%} of it waiting for data",
            flush=True,
        )


if __name__ == "__main__":
    main()
