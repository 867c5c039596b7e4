#!/usr/bin/env python3
"""Contrastive loss, forward and backward: tiles against the usual implementation, which holds C.

    python tools/bench/contrastive.py --frames 2048 8192 --dim 256 --threads 1

Both run in turn in one process, several times; printed are the median CPU times, their ratio (above 1: tiles
are faster), and the extra memory of one pass of each in a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time

import torch

from ctap.loss.contrastive import plain_contrastive, tiled_contrastive

FUNCTIONS = {"plain": plain_contrastive, "tiled": tiled_contrastive}


def one_pass(name: str, frames: int, dim: int) -> float:
    """CPU seconds of one forward and backward pass."""
    generator = torch.Generator().manual_seed(0)
    s, p = (torch.randn(frames, dim, generator=generator).requires_grad_() for _ in range(2))
    scale = torch.tensor(14.3 / dim, requires_grad=True)
    started = time.process_time()
    FUNCTIONS[name](s, p, scale).backward()
    return time.process_time() - started


def extra_memory(name: str, frames: int, dim: int, answer: multiprocessing.Queue) -> None:
    """Put the growth of this process's peak memory over one pass, in MiB, into ``answer``."""
    torch.set_num_threads(1)
    one_pass(name, 64, dim)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one_pass(name, frames, dim)
    answer.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[1024, 2048, 4096, 8192])
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"d = {options.dim}, {options.threads} thread(s), torch {torch.__version__}, float32")
    print(f"{'N':>6} {'plain s':>9} {'tiled s':>9} {'ratio':>6} {'plain MiB':>10} {'tiled MiB':>10}")
    context = multiprocessing.get_context("spawn")
    for frames in options.frames:
        times: dict[str, list[float]] = {name: [] for name in FUNCTIONS}
        memory = {}
        for _ in range(options.repeats):
            for name, seconds in times.items():
                seconds.append(one_pass(name, frames, options.dim))
        for name in FUNCTIONS:
            answer = context.Queue()
            process = context.Process(target=extra_memory, args=(name, frames, options.dim, answer))
            process.start()
            memory[name] = answer.get()
            process.join()
        plain, tiled = (statistics.median(times[name]) for name in ("plain", "tiled"))
        print(
            f"{frames:6d} {plain:9.3f} {tiled:9.3f} {plain / tiled:6.2f} "
            f"{memory['plain']:10.0f} {memory['tiled']:10.0f}"
        )


if __name__ == "__main__":
    main()
