"""How a function becomes a command: every module here ends with ``main = command(function)``."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

import docstring_parser
from jsonargparse import ArgumentParser, DefaultHelpFormatter, Namespace

from ctap.config import blame, in_one_line
from ctap.errors import UserError, cli

MAX_SEED = 2**32 - 1  # the largest that numpy and scikit-learn take
_CLASS = re.compile(r"<class '(\w+)'>")  # as jsonargparse says Path where no other type is allowed
_DASHED = re.compile(r"(?<=^--)[a-z]+(-[a-z]+)+(?=$|=)")  # --out-dir, where --out_dir is meant


class HelpFormatter(DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Types and defaults behind every option; the description in the lines that it was written in."""

    def _expand_help(self, action: argparse.Action) -> str:
        return _CLASS.sub(r"\1", super()._expand_help(action))


class Parser(ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """As :meth:`jsonargparse.ArgumentParser.error`."""
        super().error(in_one_line(message), ex)


class Entry:
    """A command: its parser, and what is done with what the parser has read."""

    def __init__(
        self,
        add_arguments: Callable[[ArgumentParser], None],
        run: Callable[[Namespace], None],
        help_text: str,
        entries: Mapping[str, Entry] | None = None,
        configs: Mapping[str, type] | None = None,
    ) -> None:
        """Make a command.

        Args:
            add_arguments: Gives a parser the command's options, or its subcommands.
            run: Does the work, given their values.
            help_text: What the command is for; the first line stands in lists of commands.
            entries: The subcommands, where they are commands of their own.
            configs: Dataclasses whose fields the options of a subcommand are, to find the one at fault.
        """
        self.add_arguments, self.run, self.help_text = add_arguments, run, help_text
        self.entries, self.configs = entries or {}, configs or {}

    def parser(self, program: str | None = None) -> ArgumentParser:
        """The command line; ``program`` is how the command is called in its help."""
        parser = self.empty_parser(program or _module_program())
        self.add_arguments(parser)
        return parser

    def empty_parser(self, program: str | None) -> ArgumentParser:
        """The same without options yet."""
        return Parser(prog=program, description=self.help_text, formatter_class=HelpFormatter)

    def execute(self, argv: list[str] | None = None, program: str | None = None) -> None:
        """Run the command.

        Args:
            argv: Its words; those of the process by default.
            program: How it is called in its help.

        Raises:
            UserError: What the command raises.
        """
        parser = self.parser(program)
        words = [
            _DASHED.sub(lambda name: name[0].replace("-", "_"), word)
            for word in (sys.argv[1:] if argv is None else argv)
        ]
        parsed = parser.parse_args(words)
        try:
            values = parser.instantiate(parsed)
        except (TypeError, ValueError, UserError) as error:  # a class refuses its values
            if (kind := self.configs.get(parsed.get("subcommand"))) is not None:
                named = {field.name for field in dataclasses.fields(kind)}
                given = parsed[parsed.subcommand].as_dict()
                blame(kind, {name: value for name, value in given.items() if name in named})
            raise UserError(in_one_line(str(error))) from error
        self.run(values)

    @cli
    def __call__(self, argv: list[str] | None = None, program: str | None = None) -> None:
        """Run the command and end the process, as a shell expects it, where something is wrong."""
        self.execute(argv, program)


def command(function: Callable[..., None]) -> Entry:
    """Make ``function`` a command: its signature gives the options and their types, its docstring the help.

    A parameter of type ``list`` or ``Sequence`` takes several words. One that may be ``bool`` can stand
    without a value, and is true then. Parameters before a ``/`` are given without their names. One of a
    dataclass's type stands for its fields, each an option of that name: what several commands have in common.
    """
    text = docstring_parser.parse(function.__doc__ or "")
    unnamed = _unnamed(function)

    def add_arguments(parser: ArgumentParser) -> None:
        groups = _groups(function)
        _add_arguments(parser, function, skip=set(groups))
        for group in groups.values():
            _add_arguments(parser, group, skip=set())

    def run(values: Namespace) -> None:
        named = dict(values.items())
        for name, group in _groups(function).items():
            named[name] = group(**{field.name: named.pop(field.name) for field in dataclasses.fields(group)})
        if (seed := named.get("seed")) is not None and not 0 <= seed <= MAX_SEED:
            raise UserError(f"--seed {seed}: expected 0 to {MAX_SEED}")
        given = [named.pop(name) for name in unnamed]
        function(*given, **named)

    return Entry(
        add_arguments, run, "\n\n".join(filter(None, (text.short_description, text.long_description)))
    )


def _add_arguments(parser: ArgumentParser, source: Callable[..., Any], skip: set[str]) -> None:
    """Options for the parameters of a function or the fields of a dataclass, but for those to ``skip``.

    They come in the order of the source: what jsonargparse makes of it, and between that what it does not.
    """
    text = docstring_parser.parse(source.__doc__ or "")
    helps = {item.arg_name: item.description for item in text.params}
    parameters, hints = inspect.signature(source).parameters, get_type_hints(source)
    unnamed = _unnamed(source)
    special = {name for name in parameters if name in unnamed or _is_special(hints[name])}
    add = parser.add_class_arguments if inspect.isclass(source) else parser.add_function_arguments
    wanted = [name for name in parameters if name not in skip]
    for is_special, names in itertools.groupby(wanted, special.__contains__):
        if not is_special:
            add(source, as_group=False, skip=parameters.keys() - set(names))
            continue
        for name in names:
            default, hint = parameters[name].default, hints[name]
            options = _options(hint, default, helps.get(name), name in unnamed, bool(unnamed))
            parser.add_argument(name if name in unnamed else f"--{name}", **options)


def _options(
    hint: Any, default: Any, text: str | None, is_unnamed: bool, some_unnamed: bool
) -> dict[str, Any]:
    """What ``add_argument`` is told of a list, a switch or a parameter without a name.

    Args:
        hint: its type.
        default: its default, or :attr:`inspect.Parameter.empty`.
        text: its help.
        is_unnamed: whether it is given without its name.
        some_unnamed: whether a parameter of the command is.
    """
    is_needed = default is inspect.Parameter.empty
    if hint is bool and some_unnamed:  # a parameter without a name would be taken for its value
        return {"help": text, "action": "store_true"}
    options: dict[str, Any] = {"help": text, "type": _word(hint) or (str if _text(hint) else hint)}
    if not is_unnamed:
        options |= {"required": True} if is_needed else {"default": default}
    if _word(hint):
        options |= {"nargs": "+" if is_needed else "*"}
        options |= {} if is_unnamed else {"action": "extend"}  # given twice, both count
    elif _switch(hint):
        options |= {"nargs": "?", "const": True}
    return options


def commands(help_text: str, **entries: Entry) -> Entry:
    """A command of several subcommands."""

    def add_arguments(parser: ArgumentParser) -> None:
        choice = parser.add_subcommands()
        for name, entry in entries.items():
            choice.add_subcommand(
                name, entry.parser(f"{parser.prog} {name}"), help=first_line(entry.help_text)
            )

    def run(values: Namespace) -> None:
        entries[values.subcommand].run(values[values.subcommand])

    return Entry(add_arguments, run, help_text, entries)


def first_line(text: str) -> str:
    """The first line of a docstring, as lists of commands show it."""
    return text.strip().splitlines()[0]


def _unnamed(source: Callable[..., Any]) -> list[str]:
    """Parameters that are given without their names."""
    parameters = inspect.signature(source).parameters
    return [k for k, v in parameters.items() if v.kind is inspect.Parameter.POSITIONAL_ONLY]


def _groups(function: Callable[..., Any]) -> dict[str, Any]:
    """Parameters whose type is a dataclass, and that type."""
    return {name: hint for name, hint in get_type_hints(function).items() if dataclasses.is_dataclass(hint)}


def _word(hint: Any) -> Any:
    """Type of the words that a list or sequence is given as; None if ``hint`` is neither."""
    lists = [part for part in (hint, *get_args(hint)) if get_origin(part) in (list, Sequence)]
    return get_args(lists[0])[0] if lists else None


def _switch(hint: Any) -> bool:
    return hint is bool or bool in get_args(hint)


def _text(hint: Any) -> bool:
    """Whether it is text that may be left out; read as YAML, "null" and "#4" would be left out, too."""
    return set(get_args(hint)) == {str, type(None)}


def _is_special(hint: Any) -> bool:
    return bool(_word(hint)) or _switch(hint) or _text(hint)


def _module_program() -> str | None:
    """``python -m ctap.bin.X`` where that is what runs."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python -m {spec.name}" if spec is not None and spec.name.startswith("ctap.") else None
