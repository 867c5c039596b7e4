"""Train one part of the system.

The options of a training are its configuration (``--config FILE``, any of it overridden by ``--key.subkey``),
where its data is, and where it writes. It resumes from OUT/last.ckpt and ends with OUT/model.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from ctap.bin.common import set_up_logging
from ctap.bin.entry import Entry
from ctap.config import ConfigFile
from ctap.tasks.build import TRAININGS, Sources
from ctap.training import run as train


def add_trainings(parser: ArgumentParser) -> None:
    """A subcommand a training."""
    commands = parser.add_subcommands()
    for name, (config, build) in TRAININGS.items():
        command = ArgumentParser(description=build.__doc__)
        command.add_argument("--config", action=ConfigFile, help="YAML file of the configuration")
        command.add_class_arguments(config)
        command.add_class_arguments(Sources)
        command.add_argument("--out", type=Path, required=True, help="experiment directory")
        again = "start from the beginning, even if there is something to go on from"
        command.add_argument("--restart", type=bool, default=False, help=again)
        commands.add_subcommand(name, command)


def run(parsed: Namespace) -> None:
    """Train what the command line says."""
    set_up_logging()
    gc.set_threshold(700, 10, 10)  # a training lives long: the usual pace again (ctap/bin/__init__.py)
    name = parsed.subcommand
    config_class, _ = TRAININGS[name]
    values = parsed[name]
    config = config_class(**{f: values[f] for f in config_class.__dataclass_fields__})
    sources = Sources(**{f: values[f] for f in Sources.__dataclass_fields__})
    again = os.environ.get("SLURM_RESTART_COUNT", "0") != "0"  # a job that was put back goes on
    train(name, config, sources, values["out"], restart=values["restart"] and not again)


main = Entry(add_trainings, run, __doc__)

if __name__ == "__main__":
    main()
