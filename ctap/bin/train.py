"""Train one part of the system.

The options of a training are its configuration (``--config FILE``, any of it overridden by ``--key.subkey``),
where its data is, and where it writes. It resumes from OUT/last.ckpt and ends with OUT/model.
"""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from ctap.bin.common import set_up_logging
from ctap.bin.entry import Entry, Parser
from ctap.config import ConfigFile, load_config, merge
from ctap.errors import UserError
from ctap.files.mappings import parse_yaml
from ctap.own import own_modules
from ctap.tasks.build import TRAININGS, Sources
from ctap.training import run as train


def add_trainings(parser: ArgumentParser) -> None:
    """A subcommand a training."""
    commands = parser.add_subcommands()
    for name, (config, build) in TRAININGS.items():
        command = TrainingParser(description=build.__doc__)
        command.add_argument("--config", action=ConfigFile, help="YAML file of the configuration")
        command.add_class_arguments(config)
        command.add_class_arguments(Sources)
        command.add_argument("--out", type=Path, required=True, help="experiment directory")
        again = "start from the beginning, even if there is something to go on from"
        command.add_argument("--restart", type=bool, default=False, help=again)
        commands.add_subcommand(name, command)


class TrainingParser(Parser):
    """Of a training: takes single arguments of the user's modules, too, of which jsonargparse knows none."""

    def parse_args(self, args: Any = None, *more: Any, **options: Any) -> Namespace:
        """As :class:`jsonargparse.ArgumentParser` does."""
        try:
            args = whole_modules(args or [])
        except UserError as error:
            self.error(str(error))
        return super().parse_args(args, *more, **options)


def whole_modules(words: list[str]) -> list[str]:
    """Options of a training, ``--KEY.init_args.NAME VALUE`` of a user's module as one of the whole module.

    Raises:
        UserError: A configuration can't be read, or such an option is none of the module's.
    """
    values: dict[str, Any] = {}
    for name, value in zip(words, [*words, ""][1:], strict=True):
        option, _, given = name.partition("=")
        if option == "--config":
            values = merge(values, load_config(given or value))
    own, rest, items = own_modules(values), [], iter(words)
    changed: dict[str, dict[str, Any]] = {}
    for word in items:
        option, equals, value = word.partition("=")
        at = next((key for key in own if option.startswith(f"--{key}.")), None)
        if at is None:
            rest.append(word)
            continue
        inside, _, name = option.removeprefix(f"--{at}.").partition(".")
        if inside != "init_args" or not name or "." in name:
            raise UserError(
                f"{option}: {at} is {own[at]['class_path']}, whose arguments are --{at}.init_args.NAME"
            )
        module = changed.setdefault(at, own[at])
        try:
            given = parse_yaml(value if equals else next(items, ""))
        except ValueError as error:
            raise UserError(f"{option}: {error}") from None
        module["init_args"] = {**(module.get("init_args") or {}), name: given}
    return rest + [word for at, module in changed.items() for word in (f"--{at}", json.dumps(module))]


def run(parsed: Namespace) -> None:
    """Train what the command line says."""
    set_up_logging()
    gc.set_threshold(700, 10, 10)  # a training lives long: the usual pace again (ctap/bin/__init__.py)
    name = parsed.subcommand
    config_class, _ = TRAININGS[name]
    values = parsed[name]
    config = config_class(**{f: values[f] for f in config_class.__dataclass_fields__})
    sources = Sources(**{f: values[f] for f in Sources.__dataclass_fields__})
    # a job that was put back goes on, and so do processes that torchrun starts anew
    counts = (os.environ.get(f"{whose}_RESTART_COUNT", "0") for whose in ("SLURM", "TORCHELASTIC"))
    again = any(count != "0" for count in counts)
    train(name, config, sources, values["out"], restart=values["restart"] and not again)


main = Entry(add_trainings, run, __doc__, configs={name: kind for name, (kind, _) in TRAININGS.items()})

if __name__ == "__main__":
    main()
