"""Reads a manifest as kubectl does, so that one file means the same on a laptop and on a cluster.

PyYAML's own loader reads ``1e-3`` as a text and ``12:30`` as 750; kubectl reads them as a number and as a text. What
a plain scalar is follows kubectl here, which turns YAML into JSON on its way to the API server: a map's keys are
texts, 1.0 is 1, and dates are texts. What kubectl lets pass silently and nobody means is refused: a key that is there
twice, a number beyond the largest float.

A file comes from anywhere, so its size, depth and, once its aliases are followed, number of values are bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.composer import ComposerError

from study_operator.api.validation import InvalidManifest
from study_operator.space import Problem

LARGEST_FILE = 1024 * 1024
"""Characters. The API server takes no larger object either."""

DEEPEST = 64
MOST_VALUES = 100_000

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Of everything that reads a manifest: PyYAML has another parser in Python, which refuses tabs that this one takes."""

# go-yaml's rules, which kubectl follows: YAML 1.1 without its sexagesimals, octals that begin with 0 or 0o.
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {
    spelling: value
    for words, value in ((("y", "yes", "true", "on"), True), (("n", "no", "false", "off"), False))
    for word in words
    for spelling in (word, word.capitalize(), word.upper())
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_STR_TAG = "tag:yaml.org,2002:str"


def load_manifest(source: str | bytes) -> dict[str, Any]:
    """The one map that ``source`` holds. Raises :class:`InvalidManifest` with the line of what is wrong."""
    try:
        text = source if isinstance(source, str) else source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"is not a text in UTF-8: byte {error.start} cannot be read") from None
    if len(text) > LARGEST_FILE:
        raise _invalid(f"is too large: {len(text)} characters, and at most {LARGEST_FILE} are allowed")
    try:
        documents = list(_Reader(text).documents())
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        raise _invalid(f"is not YAML: {error.problem or error.context}", place.line if place else None) from None
    except yaml.YAMLError as error:
        raise _invalid(f"is not YAML: {' '.join(str(error).split())}") from None
    if len(documents) > 1:
        raise _invalid(
            f"must hold one manifest, and has {len(documents)}, with --- between them: put each into its own file"
        )
    manifest = documents[0] if documents else None
    if not isinstance(manifest, dict):
        raise _invalid("must be a map with apiVersion, kind, metadata and spec" if documents else "is empty")
    return manifest


def composed(text: str) -> yaml.Node | None:
    """The map that :func:`load_manifest` has read ``text`` as, with the places of its nodes.

    None where an anchor is there twice: PyYAML composes no such map.
    """
    try:
        return next(node for node in yaml.compose_all(text, LOADER) if isinstance(node, yaml.MappingNode))
    except ComposerError:
        return None


def _invalid(message: str, line: int | None = None) -> InvalidManifest:
    return InvalidManifest([Problem("" if line is None else f"line {line + 1}", message)])


class _Reader:
    """Builds values from the parser's events, counting as it goes."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, LOADER)
        self._anchors: dict[str, tuple[object, int]] = {}
        self._count = 0

    def documents(self) -> Iterator[object]:
        """Each document that is not empty."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                value = self._value(next(self._events), 0)
                if value is not None:
                    yield value

    def _value(self, event: Any, depth: int) -> object:
        line = event.start_mark.line
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _invalid(f"the alias *{event.anchor} refers to nothing before it", line)
            value, size = self._anchors[event.anchor]
            self._grow(size, line)
            return value
        if depth > DEEPEST:
            raise _invalid(f"is nested too deeply: more than {DEEPEST} levels", line)
        before = self._count
        self._grow(1, line)
        if event.tag and event.tag not in ("!", _STR_TAG):
            raise _invalid(f"the tag {event.tag} is not understood; leave it out", line)
        match event:
            case yaml.ScalarEvent():
                value = _scalar(event)
            case yaml.SequenceStartEvent():
                value = list(self._items(depth))
            case _:
                value = self._map(depth)
        if event.anchor:
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _items(self, depth: int) -> Iterator[object]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _map(self, depth: int) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = event.start_mark.line
            merges = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style
            key = _key(self._value(event, depth + 1), line)
            value = self._value(next(self._events), depth + 1)
            if merges:
                merged = {**_merged(value, line), **merged}
            elif key in own:
                raise _invalid(f"the key {key} is there twice in one map; leave one of them out", line)
            else:
                own[key] = value
        return {**merged, **own}

    def _grow(self, size: int, line: int) -> None:
        self._count += size
        if self._count > MOST_VALUES:
            raise _invalid(f"has too many values: more than {MOST_VALUES}, once aliases are followed", line)


def _merged(value: object, line: int) -> dict[str, object]:
    """What ``<<`` brings in: a map, or several, of which an earlier one wins."""
    merged: dict[str, object] = {}
    for source in value if isinstance(value, list) else [value]:
        if not isinstance(source, dict):
            raise _invalid("<< must be followed by a map, or a list of maps", line)
        merged = {**source, **merged}
    return merged


def _key(value: object, line: int) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case _:
            raise _invalid("a key must be a text", line)


def _scalar(event: Any) -> object:
    text, line = event.value, event.start_mark.line
    if event.style or event.tag:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.fullmatch(text):
        raise _invalid(f"{text} is not a finite number; put it in quotes if it is a text", line)
    plain = text.replace("_", "") if text[:1] in "+-0123456789" else text
    if _INTEGER.fullmatch(plain):
        number = _integer(plain)
        return number if -(2**63) <= number < 2**63 else float(number)
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        if math.isinf(value):
            raise _invalid(f"{text} is too large for a number; put it in quotes if it is a text", line)
        return int(value) if value.is_integer() and abs(value) < 2**63 else value
    return text


def _integer(text: str) -> int:
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2].lower(), 8 if digits[0] == "0" else 10)
    return int(sign + digits, base) if base != 8 else int(sign + (digits.lstrip("0oO") or "0"), 8)
