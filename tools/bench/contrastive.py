#!/usr/bin/env python3
"""Contrastive loss, forward and backward: tiles against the usual implementation, which holds C.

    python tools/bench/contrastive.py --frames 512 2048 8192 30000 --dim 256 --threads 1

All run in turn in one process, several times. Printed are median times (CPU time; the clock's with more
threads than one, and on a GPU), the ratio to the usual implementation (above 1: faster than it), the share of
this machine's own matrix-product rate that the tiles reach, counting four products of N x N x d, and the
extra memory of one pass, each in a process of its own. Beside them: PyTorch's linear_cross_entropy where it
has it, and open_clip's loss where it is installed; on a GPU also the toolkit's Triton kernel, and that of
Inf-CL where it is installed. What would hold C is left out where C takes more than
--hold GiB.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ctap.device import choose_device
from ctap.errors import UserError, cli
from ctap.loss.contrastive import triton_cross_entropy
from ctap.loss.contrastive_tiled import tiled_contrastive, tiled_sigmoid

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
HOLDS_C = ("usual", "open_clip")
NAMES = ("usual", "tiled", "excluding", "sigmoid", "triton", "inf_cl", "torch_linear", "open_clip")


def usual(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """One matrix of logits, two cross-entropies, the second on its transpose: what CLIP's users write."""
    logits = scale * s @ p.T
    labels = torch.arange(len(s), device=s.device)
    return 0.5 * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels))


def tiled(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """The toolkit's tiles in PyTorch, on any device."""
    return tiled_contrastive(s, p, scale)


def triton(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """The toolkit's kernel, on a GPU."""
    return triton_cross_entropy(s)(s, p, scale)


def inf_cl(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """Inf-CL's Triton kernel (Cheng et al., "Breaking the memory barrier", 2024), rows then columns."""
    from inf_cl import cal_flash_loss

    losses = [cal_flash_loss(a, b, scale=scale, head_dim=s.shape[1]) for a, b in ((s, p), (p, s))]
    return 0.5 * (losses[0].mean() + losses[1].mean())


def excluding(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """Tiles with the frames of the same phone left out: 60 phones of 8 frames each time."""
    phones = torch.arange(len(s), device=s.device) // 8 % 60
    return (triton_cross_entropy(s) if s.is_cuda else tiled_contrastive)(s, p, scale, phones=phones)


def sigmoid(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """The pairwise sigmoid loss in tiles."""
    return tiled_sigmoid(s, p, scale, torch.full_like(scale, -10.0))


def linear_cross_entropy(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """PyTorch's fused loss, once for rows and once for columns."""
    labels = torch.arange(len(s), device=s.device)
    rows = F.linear_cross_entropy(scale * s, p, labels)
    return 0.5 * (rows + F.linear_cross_entropy(scale * p, s, labels))


@functools.cache
def open_clip_loss() -> Loss:
    """ClipLoss from its own file: the package as a whole wants torchvision, which its losses do not."""
    folder = importlib.util.find_spec("open_clip").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("open_clip_loss", Path(folder) / "loss.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ClipLoss()


def open_clip(s: Tensor, p: Tensor, scale: Tensor) -> Tensor:
    """open_clip's ClipLoss."""
    return open_clip_loss()(s, p, scale)


def losses(device: str) -> dict[str, Loss]:
    """What can be compared here; says what cannot."""
    found: dict[str, Loss] = {"usual": usual, "tiled": tiled, "excluding": excluding, "sigmoid": sigmoid}
    if device != "cpu":
        found["triton"] = triton
        if importlib.util.find_spec("inf_cl"):
            found["inf_cl"] = inf_cl
        else:
            print("inf_cl: not installed, left out")
    if hasattr(F, "linear_cross_entropy"):
        found["torch_linear"] = linear_cross_entropy
    else:
        print("torch.nn.functional.linear_cross_entropy: not in this torch, left out")
    if importlib.util.find_spec("open_clip"):
        found["open_clip"] = open_clip
    else:
        print("open_clip: not installed, left out")
    return found


def clock(threads: int, device: str) -> Callable[[], float]:
    """Seconds: the process's CPU time on one thread, else the clock's with the GPU waited for."""
    if device == "cpu":
        return time.process_time if threads == 1 else time.perf_counter

    def waited() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return waited


def inputs(frames: int, dim: int, device: str) -> list[Tensor]:
    """S, P [N, d] of the size that layer-normed embeddings have, and CLIP's first temperature."""
    generator = torch.Generator().manual_seed(0)
    s, p = (torch.randn(frames, dim, generator=generator) for _ in range(2))
    return [x.to(device).requires_grad_() for x in (s, p, torch.tensor(14.3 / dim))]


def seconds(loss: Loss, frames: int, dim: int, device: str, now: Callable[[], float]) -> float:
    """Seconds of one forward and backward pass; small sizes repeat it."""
    tensors = inputs(frames, dim, device)
    times = max(1, 4_000_000 // frames**2)
    started = now()
    for _ in range(times):
        loss(*tensors).backward()
    return (now() - started) / times


def matrix_rate(device: str, now: Callable[[], float]) -> float:
    """Operations a second of a product of two square float32 matrices that fit no cache's way."""
    a, b = (torch.randn(2048, 2048, device=device) for _ in range(2))
    started = now()
    a @ b
    return 2 * 2048**3 / (now() - started)


def peak_memory(device: str) -> float:
    """Largest memory of this process so far, in MiB."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 2**20
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


def extra_memory(name: str, frames: int, dim: int, device: str) -> float:
    """Growth of the peak memory over one pass, in MiB."""
    loss = globals()[{"torch_linear": "linear_cross_entropy"}.get(name, name)]
    loss(*inputs(64, dim, device)).backward()
    tensors = inputs(frames, dim, device)
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    before = peak_memory(device)
    loss(*tensors).backward()
    return peak_memory(device) - before


def answer_memory(threads: int, answer: multiprocessing.Queue, *arguments: Any) -> None:
    """Put :func:`extra_memory` into ``answer``."""
    torch.set_num_threads(threads)
    answer.put(extra_memory(*arguments))


def measure_memory(threads: int, *arguments: Any) -> float:
    """:func:`extra_memory`; on a processor in a fresh process, whose peak nothing else has raised."""
    if arguments[-1] != "cpu":
        return extra_memory(*arguments)
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=answer_memory, args=(threads, answer, *arguments))
    process.start()
    found = answer.get()
    process.join()
    return found


@cli
def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[512, 1024, 2048, 4096, 8192])
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="+", choices=NAMES, help="names of losses; all if not given")
    parser.add_argument("--tf32", action="store_true", help="float32 products of a GPU in TF32")
    parser.add_argument("--hold", type=float, default=1.0, help="largest C to hold, in GiB")
    options = parser.parse_args()
    options.device = choose_device(options.device)
    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high" if options.tf32 else "highest")
    now = clock(options.threads, options.device)
    print(
        f"d = {options.dim}, {'TF32' if options.tf32 else 'float32'}, {options.threads} thread(s), "
        f"{options.device}, torch {torch.__version__}"
    )
    every = {k: f for k, f in losses(options.device).items() if not options.only or k in options.only}
    if not every:
        raise UserError(f"--only {' '.join(options.only)}: none of these can be run here")
    print(f"{'N':>6} {'loss':<13} {'seconds':>9} {'x usual':>8} {'matrix rate':>11} {'extra MiB':>10}")
    for frames in options.frames:
        held = 4 * frames**2 / 2**30
        here = {k: f for k, f in every.items() if k not in HOLDS_C or held <= options.hold}
        times: dict[str, list[float]] = {name: [] for name in here}
        rates = []
        for loss in here.values():
            seconds(loss, min(frames, 512), options.dim, options.device, now)  # warm up
        for _ in range(options.repeats):
            for name, loss in here.items():
                times[name].append(seconds(loss, frames, options.dim, options.device, now))
            rates.append(matrix_rate(options.device, now))
        for name in here:
            median = statistics.median(times[name])
            ratio = ""
            if "usual" in here:
                pairs = zip(times["usual"], times[name], strict=True)
                ratio = f"{statistics.median(a / b for a, b in pairs):.2f}"
            share = 8 * frames**2 * options.dim / median / statistics.median(rates)
            memory = measure_memory(options.threads, name, frames, options.dim, options.device)
            print(
                f"{frames:6d} {name:<13} {median:9.4f} {ratio:>8} "
                f"{f'{share:.0%}' if name in ('tiled', 'triton') else '':>11} {memory:10.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
