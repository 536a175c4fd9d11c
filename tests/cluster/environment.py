"""A container's environment and command line, as the kubelet computes them.

The rules follow the kubelet's makeEnvironmentVariables and its expansion package: ``$(NAME)`` sees the variables
defined before it, an unknown name stays as it is written, and ``$$`` is one dollar sign.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tests.cluster.api import Object

Read = Callable[[str, str], Awaitable[Mapping[str, str] | None]]
"""The data of the ConfigMap or Secret (kind, name) of the pod's namespace; None if there is none."""


class ConfigError(Exception):
    """What the kubelet reports as CreateContainerConfigError."""


_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with its ``$(NAME)`` references replaced and ``$$`` unescaped."""

    def replacement(match: re.Match[str]) -> str:
        name: str | None = match[1]
        return "$" if name is None else variables.get(name, match[0])

    return _REFERENCE.sub(replacement, text)


def command_line(container: Object, entrypoint: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """The container's command, or else its image's entrypoint, with its arguments.

    Raises ConfigError if there is no command.
    """
    words = [*container.get("command", entrypoint), *container.get("args", ())]
    if not words:
        raise ConfigError("no command specified")
    return [expand(word, variables) for word in words]


async def variables(pod: Object, container: Object, read: Read) -> dict[str, str]:
    """The variables of ``envFrom`` and ``env``. Raises ConfigError."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= await _all_of(source, pod, read)
    for entry in container.get("env", ()):
        if "valueFrom" not in entry:
            found[entry["name"]] = expand(entry.get("value", ""), found)
        elif (value := await _value_from(entry["valueFrom"], pod, read)) is not None:
            found[entry["name"]] = value
    return found


async def _all_of(source: Object, pod: Object, read: Read) -> dict[str, str]:
    kind, reference = (
        ("ConfigMap", source["configMapRef"]) if "configMapRef" in source else ("Secret", source["secretRef"])
    )
    data = await _data(kind, reference, pod, read)
    return {source.get("prefix", "") + key: value for key, value in (data or {}).items()}


async def _value_from(source: Object, pod: Object, read: Read) -> str | None:
    match source:
        case {"fieldRef": {"fieldPath": path}}:
            return field(pod, path)
        case {"configMapKeyRef": reference}:
            return await _key("ConfigMap", reference, pod, read)
        case {"secretKeyRef": reference}:
            return await _key("Secret", reference, pod, read)
    raise ConfigError(f"the node agent does not know the source {', '.join(source)}")


async def _key(kind: str, reference: Object, pod: Object, read: Read) -> str | None:
    data = await _data(kind, reference, pod, read)
    if data is not None and reference["key"] in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    namespace = pod["metadata"]["namespace"]
    raise ConfigError(f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}")


async def _data(kind: str, reference: Object, pod: Object, read: Read) -> Mapping[str, str] | None:
    data = await read(kind, reference["name"])
    if data is None and not reference.get("optional"):
        raise ConfigError(f'{kind.lower()} "{reference["name"]}" not found')
    return data


def decoded(kind: str, body: Object) -> dict[str, str]:
    """The data of a ConfigMap or Secret, as text."""
    data: dict[str, str] = body.get("data", {})
    return {key: base64.b64decode(value).decode() for key, value in data.items()} if kind == "Secret" else dict(data)


def field(pod: Object, path: str) -> str:
    """The field of the downward API, such as ``metadata.name`` or ``metadata.labels['tuning.study/trial']``.

    Raises ConfigError.
    """
    if subscript := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        value: str = pod["metadata"].get(subscript[1], {}).get(subscript[2], "")
        return value
    node: Any = pod
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    if not isinstance(node, str):
        raise ConfigError(f"the node agent does not know the field {path}")
    return node
