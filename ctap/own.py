"""Networks of the user's in the place of the toolkit's, named by their import path.

    speech_encoder:
      class_path: my_networks.ConvEncoder   # module and class, found as `import` finds them
      init_args: {channels: 64}

A configuration and a model directory hold the name and plain arguments, never code or pickles: what is built
is a class that can be imported where the model is loaded.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser
from jsonargparse.typing import register_type

from ctap.errors import UserError

if TYPE_CHECKING:
    from torch import nn

PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class OwnModule:
    """A class and its arguments.

    Args:
        class_path: Import path of a ``torch.nn.Module``, ``package.module.Class``.
        init_args: Its arguments, but for those that the toolkit gives: plain values, lists and mappings.
    """

    class_path: str
    init_args: dict[str, Any] = field(default_factory=dict)

    def build(self, where: str, **given: Any) -> nn.Module:
        """Make the module.

        Args:
            where: Option that names it, for messages.
            given: What the toolkit gives it, by name.

        Raises:
            UserError: It can't be imported, is not a module, or does not take these arguments.
        """
        from torch import nn

        kind = self._find(where)
        if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
            raise UserError(f"{where}: {self.class_path} is not a torch.nn.Module")
        if double := sorted(given.keys() & self.init_args.keys()):
            raise UserError(f"{where}: init_args {', '.join(double)}: the toolkit gives it; leave it out")
        if not _plain(self.init_args):
            raise UserError(f"{where}: init_args: expected numbers, words, lists and mappings of them")
        parser = ArgumentParser(exit_on_error=False)
        parser.add_subclass_arguments(kind, "it")
        described = {"class_path": self.class_path, "init_args": {**given, **self.init_args}}
        try:
            return parser.instantiate(parser.parse_object({"it": described})).it
        except Exception as error:  # jsonargparse's, or the class's own
            raise UserError(f"{where}: {self.class_path}: {blamed(error)}") from error

    def _find(self, where: str) -> Any:
        module, _, name = self.class_path.rpartition(".")
        if module in ("", "__main__") or not all(word.isidentifier() for word in self.class_path.split(".")):
            raise UserError(
                f"{where}: class_path {self.class_path!r}: expected package.module.Class, in a file that can "
                "be imported (a class of a notebook's own is lost with it)"
            )
        try:
            return getattr(importlib.import_module(module), name)
        except Exception as error:  # whatever the user's module raises
            raise UserError(
                f"{where}: can't import {self.class_path}: {blamed(error)}; put the directory of its "
                "file into PYTHONPATH, or install it"
            ) from error


def own_modules(values: Mapping[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    """The user's modules in a configuration: dotted key -> class_path and init_args."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            at = f"{prefix}{key}"
            found |= {at: dict(value)} if "class_path" in value else own_modules(value, f"{at}.")
    return found


def source_files(values: Mapping[str, Any]) -> list[Path]:
    """The files that define the user's modules in a configuration, where they can be found."""
    files = []
    for described in own_modules(values).values():
        with contextlib.suppress(ImportError, AttributeError, ValueError):
            spec = importlib.util.find_spec(str(described["class_path"]).rpartition(".")[0])
            if spec is not None and spec.origin is not None and Path(spec.origin).is_file():
                files.append(Path(spec.origin))
    return sorted(set(files))


def blamed(error: BaseException) -> str:
    """An error in one line, with the line of code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _plain(value: Any) -> bool:
    """Whether ``value`` is data alone: a class named inside another's arguments would be built as well."""
    if isinstance(value, Mapping):
        return "class_path" not in value and all(isinstance(k, str) and _plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return isinstance(value, PLAIN)


def _read(value: Any) -> OwnModule:
    keys = set(value) if isinstance(value, Mapping) else set()
    if not {"class_path"} <= keys <= {"class_path", "init_args"} or not isinstance(value["class_path"], str):
        raise ValueError(f"expected class_path and init_args, got {value!r}")
    return OwnModule(value["class_path"], dict(value.get("init_args") or {}))


register_type(
    OwnModule, serializer=asdict, deserializer=_read, type_check=lambda v, _: isinstance(v, OwnModule)
)
