"""YAML that may be hostile or mistaken: no objects, no key twice, no surprises but `YAMLError`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                where = node.start_mark
                raise yaml.YAMLError(f"the key {key!r} stands twice, line {where.line + 1} on")
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """What a YAML text says.

    Raises:
        yaml.YAMLError: if it is no YAML, would make objects, is nested too deeply, or has a key
            twice in one mapping.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506, a subclass of the safe loader
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
