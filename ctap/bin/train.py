"""Train one part of the system: ``python -m ctap.bin.train {pretrain,finetune,duration,asr} --help``.

The options of a training are its configuration (``--config FILE``, any of it overridden by ``--key.subkey``),
where its data is, and where it writes. It resumes from OUT/last.ckpt and ends with OUT/model.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path

from jsonargparse import ActionConfigFile, ArgumentParser

from ctap.config import to_dict
from ctap.data.dataset import dev_loader, train_loader
from ctap.errors import UserError, cli
from ctap.tasks.build import TRAININGS, Sources
from ctap.tasks.trainer import prepare_experiment, run


def make_parser() -> ArgumentParser:
    """The command line: a subcommand a training."""
    parser = ArgumentParser(prog="ctap.bin.train", description=__doc__.splitlines()[0])
    commands = parser.add_subcommands()
    for name, (config, build) in TRAININGS.items():
        command = ArgumentParser(description=build.__doc__)
        command.add_argument("--config", action=ActionConfigFile, help="YAML file of the configuration")
        command.add_class_arguments(config)
        command.add_class_arguments(Sources)
        command.add_argument("--out", type=Path, required=True, help="experiment directory")
        command.add_argument("--restart", type=bool, default=False, help="start anew, whatever is there")
        commands.add_subcommand(name, command)
    return parser


@cli
def main(argv: list[str] | None = None) -> None:
    parser = make_parser()
    parsed = parser.parse_args(argv)
    name = parsed.subcommand
    config_class, _ = TRAININGS[name]
    values = parser.instantiate(parsed)[name]
    config = config_class(**{f: values[f] for f in config_class.__dataclass_fields__})
    sources = Sources(**{f: values[f] for f in Sources.__dataclass_fields__})
    train(name, config, sources, values["out"], restart=values["restart"])


def train(name: str, config: object, sources: Sources, out: Path, *, restart: bool = False) -> Path:
    """Run training ``name`` and write its model directory.

    Returns:
        The model directory, OUT/model.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    gc.set_threshold(700, 10, 10)  # a training lives long: the usual pace again (ctap/bin/__init__.py)
    trainer = config.trainer
    if trainer.max_steps % trainer.epoch_steps:
        raise UserError(
            f"trainer.max_steps {trainer.max_steps} must be a multiple of trainer.epoch_steps "
            f"{trainer.epoch_steps}: checkpoints are saved at the ends of epochs"
        )
    model_dir = out / "model"
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if rank == 0:
        described = {"task": name, **to_dict(config), "inputs": sources.fingerprints()}
        prepare_experiment(out, described, model_dir, restart=restart)
    training = TRAININGS[name][1](config, sources)
    task, prompt_frames = training.task, training.prompt_frames
    train_batches = train_loader(
        training.train,
        config.data,
        prompt_frames=prompt_frames,
        epoch_steps=trainer.epoch_steps,
        position=lambda: task.global_step,
        seed=trainer.seed,
        rank=rank,
        world=world,
    )
    dev_batches = None
    if training.dev is not None:
        dev_batches = dev_loader(
            training.dev, config.data, prompt_frames=prompt_frames, rank=rank, world=world
        )
    weights = run(task, train_batches, dev_batches, trainer, out)
    if rank == 0:
        task.load_state_dict(weights)
        training.parts.save(model_dir)
        logging.info("model written to %s", model_dir)
    return model_dir


if __name__ == "__main__":
    sys.exit(main())
