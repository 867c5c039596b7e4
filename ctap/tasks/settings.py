"""Settings that every training shares: steps, seed, precision, devices, logs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import torch

from ctap.config import load_yaml
from ctap.errors import UserError
from ctap.ranges import NOT_NEGATIVE, POSITIVE, Range, check_ranges

Precision = Literal["32-true", "bf16-mixed", "16-mixed"]

#: Key of ``config.yaml`` with the precision that a training was begun in.
COMPUTES_IN = "computes_in"


@dataclass
class TrainerConfig:
    """Steps, seed, precision, devices, logs.

    Args:
        max_steps: Steps of the optimiser in the whole training.
        epoch_steps: Steps between two validations; a checkpoint is saved after each, and at the end.
        accumulate: Batches whose gradients are averaged for one step. It is as for one batch that many times
            as large, except that batches count alike, whatever their frames, and that each has its own
            negatives, KL margin and batch norm.
        patience: End after this many validations in a row that were not better than the best before; 0:
            never.
        seed: Seeds initial weights, batches, crops, prompts, dropout and noise.
        precision: auto takes bfloat16 where the GPU or processor computes in it, float32 elsewhere; a resumed
            training goes on in what it was begun in. 16-mixed scales the loss and needs a GPU.
        accelerator: Processor or GPU; auto takes a GPU where there is one.
        devices: Processes of one node, one device each. Started by hand, one process starts the others; under
            torchrun and Slurm they are there already.
        num_nodes: Nodes.
        strategy: How several processes train together: ddp, or auto, which takes it where there are several.
        gradient_clip: Largest norm of the gradient; 0 does not clip. The norm before is logged.
        keep_best: Checkpoints whose weights are averaged, the best by validation; 0 keeps the last weights.
        logger: Where curves go besides ``metrics.csv``: tensorboard, csv (a row each ``log_every`` steps),
            wandb (Weights & Biases, if it is installed) or none.
        log_every: Steps between two entries of the log.
    """

    max_steps: int = 800_000
    epoch_steps: int = 5_000
    accumulate: int = 1
    patience: int = 0
    seed: int = 777
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: Literal["auto", "ddp"] = "auto"
    gradient_clip: float = 1.0
    keep_best: int = 5
    logger: Literal["tensorboard", "csv", "wandb", "none"] = "tensorboard"
    log_every: int = 50

    def __post_init__(self) -> None:
        counts = ("max_steps", "epoch_steps", "accumulate", "devices", "num_nodes", "log_every")
        check_ranges(self, **dict.fromkeys(counts, POSITIVE))
        check_ranges(
            self,
            patience=NOT_NEGATIVE,
            keep_best=NOT_NEGATIVE,
            gradient_clip=NOT_NEGATIVE,
            seed=Range(0, 2**32 - 1),  # times a million, and a step, it seeds torch, which takes 64 bits
        )
        if self.precision == "16-mixed" and not self.on_gpu:
            raise UserError(
                "precision 16-mixed: float16 is for GPUs; take bf16-mixed or 32-true, or auto, which "
                "takes what this machine computes in"
            )

    @property
    def on_gpu(self) -> bool:
        """Whether the training runs on GPUs."""
        return self.accelerator != "cpu" and torch.cuda.is_available()

    @property
    def computes_in(self) -> Precision:
        """The precision, ``auto`` resolved for the device of this training."""
        if self.precision != "auto":
            return self.precision
        return "bf16-mixed" if native_bfloat16(self.on_gpu) else "32-true"


def as_begun(config: TrainerConfig, saved: Path) -> TrainerConfig:
    """``config``, but ``auto`` stands for the precision that the training recorded in ``saved`` was begun in.

    So it ends with the weights of an uninterrupted one, also on a machine that computes in another.
    """
    if config.precision == "auto" and saved.exists():
        begun = load_yaml(saved).get(COMPUTES_IN)
        if begun in get_args(Precision) and (begun != "16-mixed" or config.on_gpu):
            return replace(config, precision=begun)
    return config


@contextlib.contextmanager
def product_precision(config: TrainerConfig) -> Iterator[None]:
    """While a GPU trains in half precision, its float32 products may be TF32; else they are not.

    Such products are left in the losses; TF32 holds more digits than the bfloat16 that went into them. Of
    its own accord, PyTorch takes TF32 in convolutions.
    """
    if not config.on_gpu:
        yield
        return
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    half = config.computes_in != "32-true"
    try:
        torch.set_float32_matmul_precision("high" if half else "highest")
        torch.backends.cudnn.allow_tf32 = half
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def native_bfloat16(gpu: bool) -> bool:
    """Whether the GPU, or else the processor, multiplies matrices in bfloat16 faster than in float32."""
    if gpu:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return "avx512_bf16" in _processor()


@functools.cache
def _processor() -> str:
    """What Linux says of the processor; nothing elsewhere."""
    about = Path("/proc/cpuinfo")
    return about.read_text(errors="replace") if about.exists() else ""
