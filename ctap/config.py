"""Typed configurations: YAML and command line to dataclasses, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentParser

from ctap.errors import UserError
from ctap.files.atomic import atomic_write

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
        raise UserError(f"{where}: {error}") from error


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
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: can't read it: {error}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping, found {type(values).__name__}")
    return values


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
