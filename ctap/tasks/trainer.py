"""Running a training with Lightning: devices, precision, logs, checkpoints."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, TQDMProgressBar
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from ctap.errors import UserError
from ctap.tasks.base import Task
from ctap.tasks.checkpoints import WholeCheckpoints, average_weights, read_checkpoint
from ctap.tasks.ending import EndOnSignal
from ctap.tasks.peers import naming_lost_processes
from ctap.tasks.progress import LineProgress, MetricsFile
from ctap.tasks.resuming import CSVLogger, EarlyStopping, ModelCheckpoint
from ctap.tasks.settings import TrainerConfig, product_precision


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
        ".*logging interval",
        r".*`lr_scheduler.step\(\)` before",  # the loss scaler skips the first steps
        ".*recommended to use .*sync_dist",  # curves of the training are those of the first process
        ".*`srun` command is available",
        ".*your dataloader is not resumable",  # its position follows from the step
    ):
        warnings.filterwarnings("ignore", message=text)


def make_trainer(
    config: TrainerConfig,
    monitor: tuple[str, str] | None,
    out: Path,
    watching: Sequence[Callback] = (),
) -> lightning.Trainer:
    """Lightning's trainer for ``config``, its processes joined where they are there already.

    Args:
        config: Steps, precision, devices, logs.
        monitor: Name of the validation figure that picks the best checkpoints, and ``min`` or ``max``; None
            without validation.
        out: Experiment directory.
        watching: Callbacks that only look, such as at pictures.

    Raises:
        UserError: Devices, precision and strategy do not go together, or not with the processes started.
    """
    _quiet_lightning()
    _check_processes(config)
    bar = sys.stderr.isatty()
    several = config.devices * config.num_nodes > 1
    try:
        trainer = lightning.Trainer(
            max_steps=config.max_steps,
            max_epochs=-1,
            accelerator=config.accelerator,
            devices=config.devices,
            num_nodes=config.num_nodes,
            strategy="ddp" if several else config.strategy,
            precision=config.computes_in,
            accumulate_grad_batches=config.accumulate,
            use_distributed_sampler=False,
            reload_dataloaders_every_n_epochs=1,  # the last epoch may be shorter
            num_sanity_val_steps=0,
            log_every_n_steps=config.log_every,
            default_root_dir=out,
            logger=_logger(config, out),
            plugins=[WholeCheckpoints(), *_where_alone(config)],
            callbacks=_callbacks(
                config, monitor, out, [TQDMProgressBar() if bar else LineProgress(), *watching]
            ),
            enable_progress_bar=bar,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:  # the last: tasks of Slurm
        raise UserError(f"trainer: {' '.join(str(error).split())}") from error
    if several and not isinstance(trainer.strategy.cluster_environment, LightningEnvironment):
        # All processes are there (torchrun, Slurm), and can wait for each other from here on. Where Lightning
        # starts the others, it does so later, in fit.
        trainer.strategy.setup_environment()
    return trainer


def _callbacks(
    config: TrainerConfig, monitor: tuple[str, str] | None, out: Path, watching: Sequence[Callback]
) -> list[Callback]:
    callbacks: list[Callback] = [MetricsFile(out / "metrics.csv"), *watching]
    if monitor is not None and config.keep_best > 0:
        callbacks.append(_best_checkpoints(config, monitor, out))  # before the last, which then knows of it
    if monitor is not None and config.patience > 0:
        metric, mode = monitor
        callbacks.append(
            EarlyStopping(metric, mode=mode, patience=config.patience, check_on_train_epoch_end=False)
        )
    callbacks.append(EndOnSignal(out / "last.ckpt"))
    callbacks.append(
        ModelCheckpoint(
            out, filename="last", save_on_train_epoch_end=True, enable_version_counter=False, every_n_epochs=1
        )
    )
    return callbacks


def _check_processes(config: TrainerConfig) -> None:
    """Refuse processes started by torchrun that are not those of the configuration."""
    world, asked = os.environ.get("WORLD_SIZE"), config.devices * config.num_nodes
    if "TORCHELASTIC_RUN_ID" in os.environ and int(world or asked) != asked:
        raise UserError(
            f"torchrun started {world} processes, but trainer.devices {config.devices} times "
            f"trainer.num_nodes {config.num_nodes} is {asked}: give both the same numbers"
        )


def _where_alone(config: TrainerConfig) -> list[LightningEnvironment]:
    """The environment of a process without companions that Lightning would take for one of Slurm's tasks.

    It believes SLURM_NTASKS, the tasks of the job. A script of sbatch is one process whatever that says, and
    what srun starts to train alone has none to wait for.
    """
    if "SLURM_NTASKS" not in os.environ or "TORCHELASTIC_RUN_ID" in os.environ:
        return []
    alone = config.devices * config.num_nodes == 1 or int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) == 1
    return [LightningEnvironment()] if alone else []


def _best_checkpoints(config: TrainerConfig, monitor: tuple[str, str], out: Path) -> ModelCheckpoint:
    metric, mode = monitor
    return ModelCheckpoint(
        out / "best",
        filename="{step}",
        monitor=metric,
        mode=mode,
        save_top_k=config.keep_best,
        save_weights_only=True,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )


def _logger(config: TrainerConfig, out: Path) -> Logger | bool:
    if config.logger == "wandb" and importlib.util.find_spec("wandb") is None:
        raise UserError("trainer.logger wandb: the package is not installed: python -m pip install wandb")
    if config.logger == "tensorboard":
        return TensorBoardLogger(out, name=None, version="tensorboard")
    if config.logger == "csv":
        return CSVLogger(out / "csv" / "metrics.csv")
    if config.logger == "wandb":
        return WandbLogger(name=out.name, project="ctap", save_dir=out, id=None)
    return False


def fit(
    trainer: lightning.Trainer, task: Task, train: DataLoader, dev: DataLoader | None, out: Path
) -> dict[str, torch.Tensor]:
    """Train ``task`` in experiment directory ``out``, from its last checkpoint if there is one.

    Returns:
        The weights to use: the average over the best checkpoints, or the last ones without validation. Only
        the first process has them.

    Raises:
        KeyboardInterrupt: The user ended it (Ctrl-C, or a notebook's stop).
        UserError: Another process of the training is gone.
    """
    resume = out / "last.ckpt"
    logging.info("training %s: %d steps, precision %s", out, trainer.max_steps, trainer.precision)
    if resume.exists():
        logging.info("resuming from %s", resume)
    try:
        with naming_lost_processes(trainer), product_precision(task.settings):
            trainer.fit(task, train, dev, ckpt_path=resume if resume.exists() else None, weights_only=True)
    except SystemExit as ended:
        if isinstance(ended.__context__, KeyboardInterrupt):  # Lightning makes an exit of it, with status 1
            raise KeyboardInterrupt from None
        raise
    if trainer.should_stop and trainer.global_step < trainer.max_steps:
        logging.info("stopped at step %d: %s gets no better", trainer.global_step, task.monitor[0])
    if not trainer.is_global_zero:
        return {}
    best = [c for c in trainer.checkpoint_callbacks if isinstance(c, ModelCheckpoint) and c.best_k_models]
    for callback in best:
        if callback.monitor:
            return average_weights(sorted(Path(p) for p in callback.best_k_models))
    return read_checkpoint(resume)["state_dict"]
