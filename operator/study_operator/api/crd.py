"""The custom resource definitions, generated from the models.

The API server takes structural schemas only: no references, no null, a type for everything, and of JSON Schema a
part. pydantic writes all of JSON Schema, so each keyword is either known here or an error: a construct that a cluster
would ignore never gets that far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from study_operator.api.cel import validation
from study_operator.api.changes import FROZEN
from study_operator.api.fields import LONGEST_STUDY_NAME
from study_operator.api.names import GROUP, VERSION
from study_operator.api.status import StudyStatus
from study_operator.api.study import Study, StudySpec
from study_operator.api.trial import TrialSpec, TrialStatus

Schema = dict[str, Any]

_KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "items",
    "additionalProperties",
    "required",
    "properties",
    "oneOf",
    "allOf",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
    "example",
)
"""What a structural schema may have, in the order in which it is written."""

_DROPPED = ("title", "$defs")


class NotStructural(ValueError):
    """A model says something that a structural schema cannot."""


def structural_schema(model: type[BaseModel], defaults: bool) -> Schema:
    """The structural schema of ``model``. Raises :class:`NotStructural`.

    ``defaults`` has the API server fill in what is left out, except in list items, where GitOps tools would report a
    difference for ever.
    """
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}), defaults)


def _structural(schema: Mapping[str, Any], definitions: Mapping[str, Schema], defaults: bool) -> Schema:
    resolved = _resolved(schema, definitions)
    result: Schema = {}
    for keyword, value in resolved.items():
        match keyword:
            case "properties":
                result[keyword] = {name: _structural(field, definitions, defaults) for name, field in value.items()}
            case "items":
                result[keyword] = _structural(value, definitions, defaults=False)
            case "additionalProperties":
                if isinstance(value, Mapping):
                    result[keyword] = _structural(value, definitions, defaults=False)
            case "examples":
                result["example"] = value[0]
            case "const":
                result["enum"] = [value]
            case "exclusiveMinimum" | "exclusiveMaximum":
                result |= {keyword.replace("exclusiveM", "m"): value, keyword: True}
            case "default":
                if defaults and value not in (None, "", [], {}):
                    result[keyword] = value
            case _ if keyword in _KEPT:
                result[keyword] = value
            case _ if keyword not in _DROPPED:
                raise NotStructural(f"the keyword {keyword} has no place in a structural schema: {resolved}")
    if result.get("type") == "integer":
        result["format"] = "int64"
    if result.get("type") == "object" and "properties" not in result and "additionalProperties" not in result:
        result["x-kubernetes-preserve-unknown-fields"] = True
    return {keyword: result[keyword] for keyword in _KEPT if keyword in result}


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    """``schema`` with its references put in place, and the null of an optional field taken out."""
    resolved = dict(schema)
    if "anyOf" in resolved:
        branches = [branch for branch in resolved.pop("anyOf") if branch.get("type") != "null"]
        if len(branches) != 1:
            raise NotStructural(f"a structural schema has no alternatives: {schema}")
        resolved = branches[0] | resolved
    if "$ref" in resolved:
        name = resolved.pop("$ref").removeprefix("#/$defs/")
        resolved = _resolved(definitions[name], definitions) | resolved
    return resolved


def study_crd() -> Schema:
    """The definition of the Study resource."""
    name = f"self.metadata.name.size() <= {LONGEST_STUDY_NAME} && !self.metadata.name.contains('.')"
    sentence = (
        f"metadata.name must have at most {LONGEST_STUDY_NAME} characters and no dot: the names of trials and labels "
        "are made of it"
    )
    return _definition(
        "Study",
        "studies",
        "st",
        "A question to a model, answered by trials: the search space, the budget, and the trials' Job template.",
        structural_schema(StudySpec, defaults=True),
        structural_schema(StudyStatus, defaults=False) | {"default": {"observedGeneration": -1}},
        [
            validation("", sentence, name),
            *(validation("", f"{rule.field} {rule.message}", rule.expression) for rule in Study.rules),
            *(frozen.validation for frozen in FROZEN),
        ],
        [
            _column("State", ".status.state", "Where the study stands."),
            _column("Trials", ".status.progress", "Trials that have ended, of those planned."),
            _column("Best", ".status.best.objective", "The best objective so far."),
            _column("Arm", ".status.best.arm", "The arm of the best trial."),
            _column("Age", ".metadata.creationTimestamp", "Time since the study was created.", "date"),
            _column("Phase", ".spec.phase", "How it searches.", priority=1),
            _column("Parallelism", ".spec.budget.parallelism", "Trials at once.", "integer", priority=1),
            _column("Goal", ".spec.goal", "The question.", priority=1),
        ],
    )


def trial_crd() -> Schema:
    """The definition of the Trial resource."""
    spec = structural_schema(TrialSpec, defaults=False)
    spec["x-kubernetes-validations"] = [validation("", "what is asked of a trial never changes", "self == oldSelf")]
    return _definition(
        "Trial",
        "trials",
        "tr",
        "The record of one trial of a study: what was asked of it, and what came of it. It outlives its Job.",
        spec,
        structural_schema(TrialStatus, defaults=False) | {"default": {"state": "Pending"}},
        [],
        [
            _column("Study", ".spec.study", "The trial's study."),
            _column("State", ".status.state", "Where the trial stands."),
            _column("Reason", ".status.reason", "Why it stands there."),
            _column("Objective", ".status.objective.value", "What it is ranked by."),
            _column("Step", ".status.objective.step", "The step that reached it.", "integer"),
            _column("Age", ".metadata.creationTimestamp", "Time since the trial was recorded.", "date"),
            _column("Arm", ".spec.arm", "The index of its arm.", "integer", priority=1),
            _column("Node", ".status.node", "The node that it ran on.", priority=1),
            _column("Source", ".status.source", "Where its numbers came from.", priority=1),
            _column("Attempts", ".status.attempts", "Runs begun for it.", "integer", priority=1),
        ],
    )


DEFINITIONS = {"studies.yaml": study_crd, "trials.yaml": trial_crd}
"""The files of crds/, and what they hold."""


def _column(name: str, path: str, description: str, type: str = "string", priority: int = 0) -> Schema:
    return {"name": name, "type": type, "jsonPath": path, "description": description, "priority": priority}


def _definition(
    kind: str,
    plural: str,
    short_name: str,
    description: str,
    spec: Schema,
    status: Schema,
    rules: list[Schema],
    columns: list[Schema],
) -> Schema:
    root: Schema = {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": f"{GROUP}/{VERSION}", "type": "string"},
            "kind": {"description": kind, "type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }
    if rules:
        root["x-kubernetes-validations"] = rules
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short_name],
                "categories": ["tuning"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": root},
                }
            ],
        },
    }
