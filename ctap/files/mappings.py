"""YAML as configurations are written in it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def parse_yaml(text: str) -> Any:
    """Plain values of a YAML document.

    Raises:
        ValueError: it is none, or names a key twice (the first would be lost); the message is one line.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
            seen: set[Any] = set()
            for key, _ in node.value:
                if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                    raise ValueError(f"line {key.start_mark.line + 1}: {key.value!r} for the second time")
                seen.add(key.value)
            return super().construct_mapping(node, deep)

    try:
        return Loader(text).get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
