"""Where the fields of a manifest stand in its file, so that a finding can be shown at its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from study_operator.api.yaml import composed


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, counted from 1."""

    line: int
    column: int


TOP = Place(1, 1)


class Places:
    """The place of every field of one file.

    ``text`` must have passed :func:`load_manifest`, which bounds what its aliases unfold to. What is written through a
    merge key has the place of the map that merges it.
    """

    def __init__(self, text: str) -> None:
        root = composed(text)
        self._places = {} if root is None else dict(_places(root, ""))

    def of(self, path: str) -> Place:
        """The place of the field at ``path``, such as ``spec.hyperparameters[2].role``.

        A field that is not there has the place of the nearest that holds it.
        """
        while path:
            if path in self._places:
                return self._places[path]
            path = re.sub(r"(\.[^.\[\]]*|\[\d+\])$", "", path) if re.search(r"[.\[]", path) else ""
        return TOP


def _places(node: yaml.Node, path: str) -> Iterator[tuple[str, Place]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}".removeprefix(".")
            yield inner, _start(key)
            yield from _places(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield f"{path}[{index}]", _start(item)
            yield from _places(item, f"{path}[{index}]")


def _start(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
