"""Running a training with Lightning: devices, precision, logs, checkpoints, exact resume."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, TQDMProgressBar
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from ctap.config import differences, from_dict, load_yaml, merge, save_yaml, to_dict
from ctap.errors import UserError
from ctap.files.atomic import atomic_write
from ctap.tasks.base import Task
from ctap.tasks.checkpoints import WholeCheckpoints, average_weights, read_checkpoint
from ctap.tasks.ending import EndOnSignal
from ctap.tasks.peers import naming_lost_processes
from ctap.tasks.progress import LineProgress, MetricsFile
from ctap.tasks.resuming import CSVLogger, EarlyStopping, ModelCheckpoint
from ctap.tasks.settings import COMPUTES_IN, TrainerConfig, product_precision

#: Settings that may change between two runs of one training without affecting what has been trained so far.
#: With the linear schedule, another number of steps changes the learning rate from there on; a warning says
#: so. Fewer steps than have been made are another training.
FREE_TO_CHANGE = (
    "trainer.max_steps",
    "trainer.patience",
    "trainer.logger",
    "trainer.log_every",
    "data.num_workers",
)

#: File in an experiment whose training goes on, or was killed.
RUNNING = "unfinished"


def prepare_experiment(
    out: Path, config: dict[str, Any], finished: Path, *, restart: bool, kind: type
) -> bool:
    """Make ``out`` ready for the training that ``config`` describes, keeping what it can be resumed from.

    A training with the same configuration and inputs is resumed. A finished one that differs is moved aside
    and done again. An unfinished one that differs is not touched: that is for the user to decide.

    Args:
        out: Experiment directory.
        config: Everything that decides the result, inputs' fingerprints included.
        finished: Exists when the training in ``out`` has ended.
        restart: Start from the beginning, whatever there is.
        kind: Class of the configuration: options that an earlier version did not have yet are at their
            defaults in what it wrote.

    Returns:
        Whether there is something to do: False for a finished training of this very configuration. Until
        :func:`end_experiment` the training then counts as unfinished, also where it goes on from a finished
        one.

    Raises:
        UserError: ``out`` holds an unfinished training that differs; the message names the differences.
    """
    saved = out / "config.yaml"
    if saved.exists():
        differs = differences(_completed(saved, kind), config)
        differs.pop(COMPUTES_IN, None)  # it follows from trainer.precision, and earlier versions lack it
        ended, resumable = finished.exists() and not (out / RUNNING).exists(), (out / "last.ckpt").exists()
        if not differs and ended and not restart:
            return False
        changed = {k: v for k, v in differs.items() if k not in FREE_TO_CHANGE}
        before, now = differs.get("trainer.max_steps", (0, 0))
        if before > now and resumable and not restart and _steps_in(out) > now:
            changed["trainer.max_steps"] = before, now
        if changed and not ended and not restart and resumable:
            listed = "; ".join(f"{k}: {old} -> {new}" for k, (old, new) in changed.items())
            raise UserError(
                f"{out} holds an unfinished training that differs from the one asked for: {listed}; "
                "set these back to resume it, choose another --tag, or give --force true to start again "
                "(what is there is moved aside, not deleted)"
            )
        if changed or restart or (ended and not resumable):
            aside = next(
                p for i in range(1, 10_000) if not (p := out.with_name(f"{out.name}.old{i}")).exists()
            )
            logging.info("%s: moved to %s, starting from the beginning", out, aside)
            shutil.move(out, aside)
        elif resumable:
            _warn_of_steps(out, differs, config)
    out.mkdir(parents=True, exist_ok=True)
    with atomic_write(out / RUNNING):
        pass
    save_yaml(config, saved)
    return True


def end_experiment(out: Path) -> None:
    """Note that the training in ``out`` has ended, and what it makes is there."""
    (out / RUNNING).unlink(missing_ok=True)


def _steps_in(out: Path) -> int:
    return read_checkpoint(out / "last.ckpt")["global_step"]


def _completed(saved: Path, kind: type) -> dict[str, Any]:
    """A recorded configuration, with the options of ``kind`` that it lacks at their defaults."""
    before = load_yaml(saved)
    own = {field.name: before[field.name] for field in fields(kind) if field.name in before}
    try:
        return merge(to_dict(from_dict(kind, own, str(saved))), before)
    except UserError:  # of a version that had other options: what differs is named
        return before


def _warn_of_steps(out: Path, differs: dict[str, tuple[Any, Any]], config: dict[str, Any]) -> None:
    """Warn if a training is resumed with another last step and its schedule depends on the last step."""
    if "trainer.max_steps" in differs and config["optim"]["schedule"] == "linear":
        old, new = differs["trainer.max_steps"]
        logging.warning(
            "%s: trainer.max_steps was %d and is %d: optim.schedule linear ends at the last step, so the "
            "learning rate jumps here, and the result is not that of %d steps from the start",
            *(out, old, new, new),
        )


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
    """The environment of a process that no launcher gave companions, where Lightning would take it for Slurm's.

    Lightning believes SLURM_NTASKS, the tasks of the job; a script of sbatch is one process whatever that says,
    and what srun starts to train alone has none to wait for.
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
