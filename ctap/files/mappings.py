"""YAML as configurations are written in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


def parse_yaml(text: str) -> Any:
    """Plain values of a YAML document.

    Raises:
        ValueError: it is not YAML, or names a key twice (the first would be lost); the message is one line.
    """
    import yaml

    try:
        _refuse_doubled(yaml.compose(text, yaml.SafeLoader))
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _refuse_doubled(root: yaml.Node | None) -> None:
    """Raise ValueError for a key that a mapping has twice; aliases lead to nodes already looked at."""
    import yaml

    waiting, known = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in known:
            continue
        known.add(id(node))
        if not isinstance(node, yaml.MappingNode):
            waiting += node.value
            continue
        seen = set[str]()
        for key, value in node.value:
            waiting += (key, value)
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise ValueError(f"line {key.start_mark.line + 1}: {key.value!r} for the second time")
            seen.add(key.value)
