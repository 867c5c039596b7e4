"""Train one part of the system.

The options of a training are its configuration (``--config FILE``, any of it overridden by ``--key.subkey``),
where its data is, and where it writes. It resumes from OUT/last.ckpt and ends with OUT/model.
"""

from __future__ import annotations

import gc
import logging
from pathlib import Path

from jsonargparse import ActionConfigFile, ArgumentParser, Namespace

from ctap.bin.common import set_up_logging
from ctap.bin.entry import Entry
from ctap.config import to_dict
from ctap.data import dataset, waves
from ctap.errors import UserError
from ctap.report.training import Pictures
from ctap.tasks.base import Task
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.trainer import fit, make_trainer, prepare_experiment


def add_trainings(parser: ArgumentParser) -> None:
    """A subcommand a training."""
    commands = parser.add_subcommands()
    for name, (config, build) in TRAININGS.items():
        command = ArgumentParser(description=build.__doc__)
        command.add_argument("--config", action=ActionConfigFile, help="YAML file of the configuration")
        command.add_class_arguments(config)
        command.add_class_arguments(Sources)
        command.add_argument("--out", type=Path, required=True, help="experiment directory")
        command.add_argument("--restart", type=bool, default=False, help="start anew, whatever is there")
        commands.add_subcommand(name, command)


def run(parsed: Namespace) -> None:
    """Train what the command line says."""
    name = parsed.subcommand
    config_class, _ = TRAININGS[name]
    values = parsed[name]
    config = config_class(**{f: values[f] for f in config_class.__dataclass_fields__})
    sources = Sources(**{f: values[f] for f in Sources.__dataclass_fields__})
    train(name, config, sources, values["out"], restart=values["restart"])


def train(name: str, config: object, sources: Sources, out: Path, *, restart: bool = False) -> Path:
    """Run training ``name`` and write its model directory.

    Returns:
        The model directory, OUT/model.
    """
    set_up_logging()
    gc.set_threshold(700, 10, 10)  # a training lives long: the usual pace again (ctap/bin/__init__.py)
    settings, model_dir = config.trainer, out / "model"
    if settings.patience and (sources.dev_dir is None or settings.keep_best == 0):
        raise UserError("trainer.patience: needs validation (--dev_dir) and trainer.keep_best of 1 or more")
    trainer = make_trainer(settings, Task.monitor if sources.dev_dir else None, out, [Pictures()])
    if trainer.is_global_zero:
        described = {"task": name, **to_dict(config), "inputs": sources.fingerprints()}
        ahead = prepare_experiment(out, described, model_dir, restart=restart)
    else:
        logging.getLogger().setLevel(logging.WARNING)
        ahead = True
    ahead = trainer.strategy.broadcast(ahead)
    if not ahead:
        logging.info("%s: this training has ended already", model_dir)
        return model_dir
    training = TRAININGS[name][1](config, sources)
    task, dev = training.task, None
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
    if training.dev is not None:
        dev = batches.dev_loader(training.dev, config.data, **shared)
    weights = fit(trainer, task, train_batches, dev, out)
    if trainer.is_global_zero:
        task.load_state_dict(weights)
        training.parts.save(model_dir)
        logging.info("model written to %s", model_dir)
    return model_dir


main = Entry(add_trainings, run, __doc__)

if __name__ == "__main__":
    main()
