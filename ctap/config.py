"""Typed configurations: YAML and command line to dataclasses, and back."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, Namespace

from ctap.errors import UserError, cli
from ctap.files.atomic import atomic_write
from ctap.files.mappings import parse_yaml
from ctap.own import source_files

T = TypeVar("T")


def from_dict(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build dataclass ``cls`` from plain ``values``, types checked.

    Raises:
        UserError: An unknown key, or a value of the wrong type; the message starts with ``where``.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(cls, "it")
    try:
        return parser.instantiate(parser.parse_object({"it": dict(values)})).it
    except Exception as error:  # jsonargparse raises ArgumentError, TypeError and ValueError alike
        message = " ".join(str(error).split()).replace('"it.', '"')
        raise UserError(f"{where}: {message}") from error


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
