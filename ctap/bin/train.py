"""Train one part of the system: ``python -m ctap.bin.train {pretrain,finetune,duration,asr} --help``.

The options of a training are its configuration (``--config FILE``, any of it overridden by ``--key.subkey``),
where its data is, and where it writes. It resumes from OUT/last.ckpt and ends with OUT/model.
"""

from __future__ import annotations

import sys
from pathlib import Path

from jsonargparse import ActionConfigFile, ArgumentParser

from ctap.errors import cli
from ctap.tasks.build import TRAININGS, Sources
from ctap.training import run as train


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


if __name__ == "__main__":
    sys.exit(main())
