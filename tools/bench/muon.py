#!/usr/bin/env python3
"""A step of Muon over the matrices of a pretraining: the toolkit's against PyTorch's, and AdamW's.

    python tools/bench/muon.py --config egs/TEMPLATE/ctap1/conf/ctap_base.yaml --threads 2

Medians of alternating turns, in milliseconds, with random gradients.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from torch import nn

from ctap.config import from_dict, load_config
from ctap.device import choose_device
from ctap.errors import cli
from ctap.nn.ctap import CTAP
from ctap.tasks.muon import Muon
from ctap.tasks.optimiser import OptimConfig, make_optimizer
from ctap.tasks.pretrain import PretrainConfig
from ctap.tasks.settings import native_bfloat16


def matrices(config: Path, device: torch.device) -> list[nn.Parameter]:
    """Matrices of a model's transformer stacks, with gradients."""
    model = CTAP(from_dict(PretrainConfig, load_config(config), str(config)).model, 100).to(device)
    found = make_optimizer(model, OptimConfig(name="muon"), "32-true").param_groups[0]["params"]
    for p in found:
        p.grad = torch.randn_like(p)
    return found


def milliseconds(optimizer: torch.optim.Optimizer, device: torch.device) -> float:
    """Time of one step."""
    start = time.perf_counter()
    optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - start)


@cli
def main() -> None:
    """Print a line for each optimiser."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device(choose_device(options.device))
    moved = matrices(options.config, device)
    shared = {"lr": 1e-3, "weight_decay": 0.0}
    optimizers = {
        "PyTorch's Muon": torch.optim.Muon(moved, **shared, adjust_lr_fn="match_rms_adamw"),
        "Muon": Muon(moved, **shared, half=True),
        "AdamW": torch.optim.AdamW(moved, **shared, fused=True),
    }
    times: dict[str, list[float]] = {name: [] for name in optimizers}
    for _ in range(options.turns + 2):
        for name, optimizer in optimizers.items():
            times[name].append(milliseconds(optimizer, device))
    medians = {name: statistics.median(taken[2:]) for name, taken in times.items()}
    kind = "bfloat16" if native_bfloat16(device.type == "cuda") else "float32"
    print(f"{len(moved)} matrices of {sum(p.numel() for p in moved)} weights; Muon in {kind}")
    first = medians["PyTorch's Muon"]
    for name, median in medians.items():
        print(f"{name:16} {median:9.1f} ms {median / first:6.3f}")


if __name__ == "__main__":
    main()
