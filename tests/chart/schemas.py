"""JSON schemas for kubeconform, made of the API server's own OpenAPI document.

The conversion is that of openapi2jsonschema, which the published schemas are made with: an object that lists its
properties takes no others, and the two types that are more than a string say so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCATION = "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"

_LOOSE: Mapping[str, Any] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
}


def write_schemas(document: Mapping[str, Any], folder: Path) -> None:
    """One file a kind into ``folder``, from the document at /openapi/v2."""
    definitions = {name: _LOOSE.get(name) or _strict(schema) for name, schema in document["definitions"].items()}
    (folder / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, schema in document["definitions"].items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            file = f"{kind['kind'].lower()}-{kind['group'] or kind['version']}-{kind['version']}.json"
            (folder / file).write_text(json.dumps({"$ref": f"definitions.json#/definitions/{name}"}))


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _strict(child) for name, child in schema.items() if name != "properties"}
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["string", "integer"]
    if "properties" in schema:
        made["properties"] = {name: _strict(child) for name, child in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    return made
