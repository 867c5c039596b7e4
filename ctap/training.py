"""A training from its configuration to a model directory, for the command and for Python (`ctap.train`)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning import Callback

from ctap.config import from_dict, load_config, to_dict
from ctap.data import dataset, waves
from ctap.errors import UserError
from ctap.own import source_files
from ctap.report.training import Pictures
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS
from ctap.tasks.config import TrainingConfig
from ctap.tasks.experiment import Standing, end_experiment, prepare_experiment, standing
from ctap.tasks.settings import COMPUTES_IN, TrainerConfig, as_begun
from ctap.tasks.sources import Sources, digest
from ctap.tasks.spreading import measure_spread
from ctap.tasks.trainer import fit, make_trainer
from ctap.tasks.vocoder import VocoderTaskConfig


def train(
    config: str | Path | Mapping[str, Any] | TrainingConfig | VocoderTaskConfig,
    data: str | Path | Sources,
    out: str | Path,
    callbacks: Sequence[Callback] = (),
    *,
    task: str = "pretrain",
    init: str | Path | None = None,
    restart: bool = False,
) -> Path:
    """Train one part of the system; an interrupted training continues, a finished one is left as it is.

    Args:
        config: YAML file, mapping or dataclass of the training's configuration (``TRAININGS`` in
            :mod:`ctap.tasks.build` says which); its values are checked.
        data: Directory of a dump (stage 2), of which ``train`` and, if it is there, ``dev`` are read; or
            :class:`~ctap.tasks.sources.Sources`, for all that the command can be given.
        out: Experiment directory; curves, pictures and checkpoints go there.
        callbacks: Lightning's, called besides the toolkit's own.
        task: What to train, a subcommand of ``ctap train``: pretrain, finetune, duration, asr, semantic,
            judge or vocoder.
        init: Model directory to start from.
        restart: Start from the beginning, whatever is there.

    Returns:
        The model directory, OUT/model, for :func:`ctap.load`.

    Raises:
        UserError: Configuration, data or model directory can't be used.
    """
    if task not in TRAININGS:
        raise UserError(f"task {task!r}: expected one of {', '.join(TRAININGS)}")
    kind = TRAININGS[task][0]
    if isinstance(config, kind):
        # a dataclass takes any value: a misspelt choice would train something else than was meant
        config = from_dict(type(config), dataclasses.asdict(config), "config")
    elif isinstance(config, Mapping):
        config = from_dict(kind, config, "config")
    elif isinstance(config, (str, Path)):
        config = from_dict(kind, load_config(config), str(config))
    else:
        raise UserError(f"config: expected a YAML file, a mapping or {kind.__name__} for task {task!r}")
    if not isinstance(callbacks, Sequence) or not all(isinstance(one, Callback) for one in callbacks):
        raise UserError(f"callbacks: expected a list of objects of lightning.Callback, got {callbacks!r}")
    if not isinstance(data, (str, Path, Sources)):
        raise UserError(f"data: expected the directory of a dump, or Sources, got {data!r}")
    if not isinstance(data, Sources):
        root = Path(data)
        if not (root / "train").is_dir():
            raise UserError(f"{root}: expected the directory of a dump, with the set 'train' in it (stage 2)")
        dev = root / "dev"
        data = Sources(
            root / "train", dev if dev.is_dir() else None, init=None if init is None else Path(init)
        )
    elif init is not None:
        raise UserError("init: with Sources as data, it stands there (Sources.init)")
    return run(task, config, data, Path(out), callbacks, restart=restart)


def _check_patience(settings: TrainerConfig, sources: Sources) -> None:
    if settings.patience and (sources.dev_dir is None or settings.keep_best == 0):
        raise UserError("trainer.patience: needs validation (--dev_dir) and trainer.keep_best of 1 or more")


def run(
    name: str,
    config: Any,
    sources: Sources,
    out: Path,
    callbacks: Sequence[Callback] = (),
    *,
    restart: bool = False,
) -> Path:
    """Run training ``name`` and write its model directory.

    Returns:
        The model directory, OUT/model.
    """
    model_dir = out / "model"
    _check_patience(config.trainer, sources)
    training = TRAININGS[name][1](config, sources)
    values, inputs = to_dict(config), sources.fingerprints()
    if code := source_files(values):
        inputs["code"] = digest(*code)
    described = {"task": name, **values, **training.decided, "inputs": inputs}
    found, differs = standing(out, described, model_dir, restart=restart, kind=type(config))
    settings = as_begun(config.trainer, out / "config.yaml") if found is Standing.BEGUN else config.trainer
    task = training.task
    task.settings = settings
    trainer = make_trainer(settings, Task.monitor if sources.dev_dir else None, out, [Pictures(), *callbacks])
    # What is wrong was said; from here on something moves, once all processes have looked.
    found = trainer.strategy.broadcast(found)
    if found is Standing.ENDED:
        logging.info("%s: this training has ended already", model_dir)
        return model_dir
    if trainer.is_global_zero:
        prepare_experiment(out, {**described, COMPUTES_IN: settings.computes_in}, found, differs)
    else:
        logging.getLogger().setLevel(logging.WARNING)
    shared = {"rank": trainer.global_rank, "world": trainer.world_size}
    of_waves = isinstance(training.train, waves.WaveSet)
    batches = waves if of_waves else dataset
    if not of_waves:
        shared["prompt_frames"] = training.prompt_frames
    train_batches = batches.train_loader(
        training.train,
        config.data,
        epoch_steps=settings.epoch_steps,
        max_steps=settings.max_steps,
        accumulate=settings.accumulate,
        position=lambda: task.global_step,
        seed=settings.seed,
        **shared,
    )
    dev = None if training.dev is None else batches.dev_loader(training.dev, config.data, **shared)
    weights = fit(trainer, task, train_batches, dev, out)
    if trainer.is_global_zero:
        task.load_state_dict(weights)
        if training.spread:
            measure_spread(training, config.data, trainer.strategy.root_device)
        training.parts.save(model_dir)
        end_experiment(out)
        logging.info("model written to %s", model_dir)
    return model_dir
