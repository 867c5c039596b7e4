"""Typed configurations: YAML and command line to dataclasses, and back."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, Namespace

from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_write
from ctap.files.mappings import parse_yaml
from ctap.own import OwnModule, source_files

T = TypeVar("T")
_OTHERS = re.compile("Not of type OwnModule: expected class_path and init_args, got (?!.*class_path)")
_UNKNOWN = re.compile(r"(?:\w+ '\w+' does not accept o|O)ption '([^']+)'( is not accepted)?")
_KEY = re.compile(r'\s*Parser key "(?:it\.)?([^"]*)":\s*')
KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a word"}
"""Types, as a message names them."""


def from_dict(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build dataclass ``cls`` from plain ``values``, types checked.

    Raises:
        UserError: An unknown key, or a value of the wrong type or out of its range; the message starts with
            ``where`` and names the key.
    """
    if not isinstance(values, Mapping):  # such as of a damaged file
        raise UserError(f"{where}: expected options by name, got {values!r}")
    try:
        return _build(cls, values)
    except Exception as error:  # jsonargparse raises ArgumentError, TypeError and ValueError alike
        blame(cls, values, where)
        raise UserError(f"{where}: {in_one_line(str(error))}") from error


def _build(cls: type[T], values: Mapping[str, Any]) -> T:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(cls, "it")
    return parser.instantiate(parser.parse_object({"it": dict(values)})).it


def blame(cls: type, values: Mapping[str, Any], where: str = "", section: str = "") -> None:
    """Find the innermost part of a configuration that can't be built.

    Args:
        cls: Dataclass of the configuration; fields may be dataclasses.
        values: Plain nested values; a key may be dotted.
        where: What the message starts with.
        section: Dotted key of this part.

    Raises:
        UserError: What that part says, behind its dotted key.
    """
    hints = get_type_hints(cls)
    nested = _nested(values)
    start = f"{where}: " if where else ""
    for name, value in nested.items():
        key = f"{section}.{name}".lstrip(".")
        kinds = (hints.get(name), *get_args(hints.get(name)))
        kind = next((x for x in kinds if dataclasses.is_dataclass(x) and x is not OwnModule), None)
        if kind is None or isinstance(value, OwnModule) or (value is None and type(None) in kinds):
            continue
        if not isinstance(value, Mapping):
            raise UserError(f"{start}{key}: expected options by name, got {value!r}")
        if "class_path" not in value:
            blame(kind, value, where, key)
    try:
        _build(cls, nested)
    except Exception as error:
        said = in_one_line(str(error))
        named = re.match(r"[\w.-]+", said)
        ours = section and named is not None and named[0].split(".")[0] in {*hints, *map(str, nested)}
        between = "." if ours else ": " if section else ""
        raise UserError(f"{start}{section}{between}{said}") from error


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """``{"data.prompt": x}`` as ``{"data": {"prompt": x}}``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        first, dot, rest = str(key).partition(".")
        found = merge(found, {first: {rest: value}} if dot else {key: value})
    return found


def in_one_line(message: str) -> str:
    """What jsonargparse says of a wrong value, without its types and its attempts at other types."""
    key, rest = _KEY.match(message), _KEY.sub("", message, count=1)
    name = key[1] if key else ""
    tried = re.split(r"^ *- ", rest, flags=re.MULTILINE)[1:]
    if tried:  # of several types, what the toolkit's own one says
        own = [text for text in tried if not _OTHERS.match(text)]
        given = re.search(r"^ *Given value: (.*)", rest, flags=re.DOTALL | re.MULTILINE)
        rest = re.sub(r"\n *Given value.*", "", (own or tried)[0], flags=re.DOTALL).rstrip()
        if given and re.fullmatch(r"Expected an? \S.*", rest) and "Got value" not in rest:
            rest = f"{rest}. Got value: {given[1].strip()}"
        rest = in_one_line(re.sub(r"Problem with given class_path 'ctap\.[^']*':\s*", "", rest))
        if name and rest.startswith(f"{name}: "):
            return rest
        if name and re.match(r"[\w-]+: (expected|no such)", rest):  # a part of it
            return f"{name}.{rest}"
    rest = _UNKNOWN.sub(r"\1: no such option", rest)
    rest = re.sub(r"Expected an? (\S.*?)\. Got value: (.*)", _expected, " ".join(rest.split()))
    return f"{name}: {rest}" if name else rest.replace('"it.', '"')


def _expected(said: re.Match[str]) -> str:
    """``expected a number, got abc`` for what a type expects."""
    kind = re.sub(r"<class '(?:\w+\.)*(\w+)'>|typing\.", r"\1", said[1])
    if choices := re.fullmatch(r"Literal\[(.*)\]", kind):
        kind = " or ".join(choices[1].replace("'", "").rsplit(", ", 1))
    return f"expected {KINDS.get(kind, kind)}, got {said[2]}"


def to_dict(config: Any) -> dict[str, Any]:
    """A dataclass as the plain nested values that its YAML holds (tuples become lists)."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def save_yaml(values: Mapping[str, Any], path: str | Path) -> None:
    """Write ``values`` as YAML, whole or not at all, keys in their own order."""
    with atomic_write(path) as file:
        yaml.safe_dump(dict(values), file, sort_keys=False, allow_unicode=True)


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        UserError: The file is missing or is no mapping.
    """
    try:
        values = parse_yaml(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: can't read it: {error}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping, found {type(values).__name__}")
    return values


def load_config(path: str | Path) -> dict[str, Any]:
    """Read a configuration, on top of those that it names as its ``base``.

    ``base: ctap.yaml`` (a path from the file's own directory, or a list) takes over what stands there.
    The file's own keys win, mappings are joined key by key, and of a list the later ones win.
    ``base: ctap.yaml:model.decoder`` takes over that key alone. A base may have a base.

    Raises:
        UserError: A file is missing or no mapping, lacks the key asked for, or is a base of itself.
    """
    return _resolve(Path(path), ())[0]


def config_files(path: str | Path) -> list[Path]:
    """The files that :func:`load_config` reads, ``path`` and its bases, then those of modules named there."""
    values, files = _resolve(Path(path), ())
    return [*files, *source_files(values)]


class ConfigFile(ActionConfigFile):
    """The option ``--config FILE`` of a parser, read by :func:`load_config`."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str = "") -> None:
        """Put what the file says in place of the defaults; options behind it win."""
        try:
            found = load_config(values)
        except UserError as error:
            parser.error(str(error))
        super().__call__(parser, namespace, json.dumps(found), option)


def merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``own`` on top of ``base``; where both have a mapping, key by key.

    A module of the user's (``class_path``) and the sizes of the toolkit's own are not joined, nor are the
    arguments of two modules.
    """
    merged = dict(base)
    for key, value in own.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both and _alike(merged[key], value) else value
    return merged


def _alike(base: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether both configure the same thing."""
    if "class_path" in own:
        return base.get("class_path") == own["class_path"]
    return "class_path" not in base or own.keys() <= {"init_args"}


def _resolve(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], list[Path]]:
    """Values and files of a configuration that is a base of those ``above``."""
    if path.resolve() in above:
        raise UserError(f"{path}: is a base of itself")
    own = load_yaml(path)
    bases = own.pop("base", [])
    if isinstance(bases, str):
        bases = [bases]
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise UserError(f"{path}: base: expected a file, FILE:KEY, or a list of them, not {bases!r}")
    values: dict[str, Any] = {}
    files = [path]
    for base in bases:
        name, _, dotted = base.partition(":")
        found, more = _resolve(path.parent / name, (*above, path.resolve()))
        values = merge(values, _only(found, dotted, f"{path}: base: {base}"))
        files += (file for file in more if file not in files)
    return merge(values, own), files


def _only(values: dict[str, Any], dotted: str, where: str) -> dict[str, Any]:
    """``values`` without all but one key, such as ``model.decoder``; all of them if it is empty."""
    if not dotted:
        return values
    key, _, rest = dotted.partition(".")
    if not isinstance(values, dict) or key not in values:
        raise UserError(f"{where}: no key {key!r} there")
    return {key: _only(values[key], rest, where)}


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> dict[str, tuple[Any, Any]]:
    """What differs between two nested mappings, as dotted key -> (old, new)."""
    found: dict[str, tuple[Any, Any]] = {}
    for key in [*old, *(k for k in new if k not in old)]:
        a, b = old.get(key), new.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found.update(differences(a, b, f"{prefix}{key}."))
        elif a != b:
            found[f"{prefix}{key}"] = (a, b)
    return found


@cli
def main() -> None:
    """Print the files that a configuration is made of, a line each, for the recipe's done-marks."""
    print(*config_files(sys.argv[1]), sep="\n")


if __name__ == "__main__":
    main()
