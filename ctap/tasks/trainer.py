"""Running a training with Lightning: devices, precision, logs, checkpoints, exact resume."""

from __future__ import annotations

import logging
import shutil
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from ctap.config import differences, load_yaml, save_yaml
from ctap.errors import UserError
from ctap.kaldi.io import atomic_write
from ctap.tasks.base import Task

#: Settings that may change between two runs of one training without making it another.
FREE_TO_CHANGE = (
    "trainer.max_steps",
    "trainer.log_every",
    "trainer.progress",
    "data.num_workers",
)


@dataclass
class TrainerConfig:
    """Steps, seed, devices.

    Args:
        max_steps: Steps of the whole training.
        epoch_steps: Steps between two validations; a checkpoint is saved after each.
        seed: Seeds initial weights, batches, crops, prompts, dropout and noise.
        precision: auto takes bfloat16 where the GPU or processor computes in it, float32 elsewhere.
        accelerator: Lightning's name of it.
        devices: Processes of one node, one device each.
        num_nodes: Nodes.
        gradient_clip: Largest norm of the gradient.
        keep_best: Checkpoints whose weights are averaged, the best by validation; 0 keeps the last weights.
        log_every: Steps between two entries of the log.
    """

    max_steps: int = 800_000
    epoch_steps: int = 5_000
    seed: int = 777
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    gradient_clip: float = 1.0
    keep_best: int = 5
    log_every: int = 50


def native_bfloat16() -> bool:
    """Whether this machine multiplies matrices in bfloat16 faster than in float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "avx512_bf16" in flags.read_text(errors="replace")


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that replace their predecessor in one step and are read without unpickling objects."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        with atomic_write(path, "wb") as file:
            torch.save(checkpoint, file)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> Any:
        return torch.load(path, map_location=map_location or "cpu", weights_only=True)


class MetricsFile(Callback):
    """``metrics.csv``: a row an epoch, cut back to the checkpoint when a training resumes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        figures = {k: float(v) for k, v in trainer.callback_metrics.items() if not k.endswith("_step")}
        figures = {k.removesuffix("_epoch"): v for k, v in figures.items()}
        if self.rows and self.rows[-1]["step"] == trainer.global_step:
            return  # a resumed training first closes the epoch that it was saved in
        self.rows.append({"step": trainer.global_step, "epoch": trainer.current_epoch, **figures})
        if not trainer.is_global_zero:
            return
        columns = list(dict.fromkeys(k for r in self.rows for k in r))
        with atomic_write(self.path) as file:
            file.write(",".join(columns) + "\n")
            file.writelines(",".join(_cell(r.get(k)) for k in columns) + "\n" for r in self.rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


class LineProgress(Callback):
    """A line an epoch, for logs, where a progress bar would be noise."""

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self.since, self.from_step = time.monotonic(), trainer.global_step

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        metrics = trainer.callback_metrics
        if trainer.global_step == self.from_step:
            return
        names = ("train/loss_epoch", "val/loss", "val/phone_retrieval", "val/phone_retrieval_shifted")
        shown = [k for k in (*names, "val/frame_accuracy") if k in metrics]
        figures = "  ".join(f"{k.removesuffix('_epoch')} {float(metrics[k]):.4f}" for k in shown)
        seconds = (time.monotonic() - self.since) / max(1, trainer.global_step - self.from_step)
        logging.info(
            "step %d/%d  %.2f s a step  %s", trainer.global_step, trainer.max_steps, seconds, figures
        )


def prepare_experiment(out: Path, config: dict[str, Any], finished: Path, *, restart: bool) -> None:
    """Make ``out`` ready for the training that ``config`` describes, keeping what it can be resumed from.

    A training with the same configuration and inputs is resumed. A finished one that differs is moved aside
    and done again. An unfinished one that differs is not touched: that is for the user to decide.

    Args:
        out: Experiment directory.
        config: Everything that decides the result, inputs' fingerprints included.
        finished: Exists when the training in ``out`` has ended.
        restart: Start anew whatever there is.

    Raises:
        UserError: ``out`` holds an unfinished training that differs; the message names the differences.
    """
    saved = out / "config.yaml"
    if saved.exists():
        changed = {k: v for k, v in differences(load_yaml(saved), config).items() if k not in FREE_TO_CHANGE}
        if changed and not finished.exists() and not restart and (out / "last.ckpt").exists():
            listed = "\n".join(f"  {k}: {old} -> {new}" for k, (old, new) in changed.items())
            raise UserError(
                f"{out} holds an unfinished training that differs from the one asked for:\n{listed}\n"
                "Set these back to resume it, choose another --tag, or give --force true to start anew "
                "(what is there is moved aside, not deleted)."
            )
        if changed or restart:
            aside = next(
                p for i in range(1, 10_000) if not (p := out.with_name(f"{out.name}.old{i}")).exists()
            )
            logging.info("%s: moved to %s, starting anew", out, aside)
            shutil.move(out, aside)
    out.mkdir(parents=True, exist_ok=True)
    save_yaml(config, saved)


def _quiet_lightning() -> None:
    """Keep the log to what a user can act on: these warnings are about choices made on purpose here."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for text in (
        "Checkpoint directory .* exists",
        ".*no `val_dataloader`",
        ".*in eval mode at the start",
        ".*isinstance.treespec, LeafSpec",
        ".*does not have many workers",
        ".*GPU available but not used",
        ".*could not find the monitored key",
    ):
        warnings.filterwarnings("ignore", message=text)


def run(
    task: Task,
    train: DataLoader,
    dev: DataLoader | None,
    config: TrainerConfig,
    out: Path,
) -> dict[str, torch.Tensor]:
    """Train ``task`` in experiment directory ``out``, from its last checkpoint if there is one.

    Returns:
        The weights to use: the average over the best checkpoints, or the last ones without validation.
    """
    _quiet_lightning()
    metric, mode = task.monitor
    averaging = dev is not None and config.keep_best > 0
    last = ModelCheckpoint(
        out, filename="last", save_on_train_epoch_end=True, enable_version_counter=False, every_n_epochs=1
    )
    best = ModelCheckpoint(
        out / "best",
        filename="{step}",
        monitor=metric,
        mode=mode,
        save_top_k=config.keep_best,
        save_weights_only=True,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    bar = sys.stderr.isatty()
    precision = config.precision
    if precision == "auto":
        precision = "bf16-mixed" if native_bfloat16() else "32-true"
    trainer = lightning.Trainer(
        max_steps=config.max_steps,
        max_epochs=-1,
        accelerator=config.accelerator,
        devices=config.devices,
        num_nodes=config.num_nodes,
        precision=precision,
        gradient_clip_val=config.gradient_clip,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        log_every_n_steps=config.log_every,
        default_root_dir=out,
        logger=TensorBoardLogger(out, name=None, version="tensorboard"),
        plugins=[WholeCheckpoints()],
        # the best first: the last checkpoint then knows of it
        callbacks=[
            MetricsFile(out / "metrics.csv"),
            TQDMProgressBar() if bar else LineProgress(),
            *([best] if averaging else []),
            last,
        ],
        enable_progress_bar=bar,
        enable_model_summary=False,
        deterministic="warn" if torch.cuda.is_available() else False,
    )
    resume = out / "last.ckpt"
    logging.info("training %s: %d steps, precision %s, log %s", out, config.max_steps, precision, out)
    if resume.exists():
        logging.info("resuming from %s", resume)
    trainer.fit(task, train, dev, ckpt_path=resume if resume.exists() else None, weights_only=True)
    if averaging and best.best_k_models:
        return average_weights(sorted(Path(p) for p in best.best_k_models))
    return torch.load(resume, map_location="cpu", weights_only=True)["state_dict"]


def average_weights(checkpoints: list[Path]) -> dict[str, torch.Tensor]:
    """Mean of the weights of several checkpoints; integer buffers come from the first."""
    total: dict[str, torch.Tensor] = {}
    for path in checkpoints:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        for name, value in state.items():
            if name not in total:
                total[name] = value.double() if value.is_floating_point() else value
            elif value.is_floating_point():
                total[name] += value.double()
    return {k: (v / len(checkpoints)).float() if v.is_floating_point() else v for k, v in total.items()}
