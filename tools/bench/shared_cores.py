#!/usr/bin/env python3
"""Steps of pretraining while other work runs on the machine, for several patiences of waiting threads.

    python tools/bench/shared_cores.py --threads 2 --busy 0 1

GNU OpenMP lets a thread that waits for others spin for GOMP_SPINCOUNT rounds before it gives its core away;
unset, for milliseconds. Recipes set 1000 (egs/TEMPLATE/ctap1/path.sh). Each cell is the median step of a
process of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ctap.errors import cli

CONFIG = Path(__file__).parents[2] / "egs/TEMPLATE/ctap1/conf/ablations/ctap_rotary_mini.yaml"


def measure(options: argparse.Namespace) -> None:
    """Print the median seconds of a step of the small preset in this process."""
    import torch
    from train_step import Toolkit, draw_lengths, make_dump, step

    from ctap.config import from_dict, load_config
    from ctap.tasks.build import Sources, build_pretrain
    from ctap.tasks.pretrain import PretrainConfig

    torch.set_num_threads(options.threads)
    config = from_dict(PretrainConfig, load_config(CONFIG), str(CONFIG))
    with tempfile.TemporaryDirectory() as folder:
        dump = make_dump(Path(folder), draw_lengths("aishell3", 200, 777), 777)
        system = Toolkit(build_pretrain(config, Sources(dump)), config, "auto")
        seconds = []
        for batch in system.batches(options.steps + 3):
            begun = time.perf_counter()
            step(system, batch, "cpu")
            seconds.append(time.perf_counter() - begun)
    print(statistics.median(seconds[3:]))


def seconds_a_step(options: argparse.Namespace, spins: str, busy: int) -> float:
    """The same in a process with ``spins`` for GOMP_SPINCOUNT, beside ``busy`` others that only burn time."""
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    environment |= {"OMP_NUM_THREADS": str(options.threads)} | (
        {} if spins == "unset" else {"GOMP_SPINCOUNT": spins}
    )
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        own = ["--measure", "--steps", str(options.steps), "--threads", str(options.threads)]
        ran = subprocess.run(
            [sys.executable, __file__, *own], env=environment, stdout=subprocess.PIPE, check=True
        )
        return float(ran.stdout.split()[-1])
    finally:
        for other in others:
            other.kill()


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1], help="other busy processes")
    parser.add_argument("--spins", nargs="+", default=["unset", "1000"], help="values of GOMP_SPINCOUNT")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options)
        return
    print(f"small preset, {options.threads} threads, {os.cpu_count()} cores; seconds a step, and ratio")
    print(f"{'other processes':<18}" + "".join(f"{s:>18}" for s in options.spins))
    for busy in options.busy:
        found = [seconds_a_step(options, spins, busy) for spins in options.spins]
        print(f"{busy:<18}" + "".join(f"{f:>11.3f} ({f / found[0]:.2f})" for f in found))


if __name__ == "__main__":
    main()
