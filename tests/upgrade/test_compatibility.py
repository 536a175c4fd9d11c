"""What docs/upgrade.md promises of the definitions: they accept what the release before did, and keep it."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.chart.chart import ROOT
from tests.upgrade.release import Release

Schema = dict[str, Any]

UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "minLength", "minItems", "minProperties")
SAME = ("type", "format", "pattern", "exclusiveMaximum", "exclusiveMinimum", "default", "x-kubernetes-list-type")


def schema(definition: Schema) -> Schema:
    [version] = definition["spec"]["versions"]
    found: Schema = version["schema"]["openAPIV3Schema"]
    return found


def breaks(old: Schema, new: Schema, path: str) -> Iterator[str]:
    """Where ``new`` refuses, forgets or reads differently what ``old`` accepted."""
    for name in old.get("properties", {}):
        if name not in new.get("properties", {}):
            yield f"{path}.{name} is gone"
        else:
            yield from breaks(old["properties"][name], new["properties"][name], f"{path}.{name}")
    for inner in ("items", "additionalProperties"):
        if isinstance(old.get(inner), dict):
            yield from breaks(old[inner], new[inner], f"{path}[]")
    yield from (f"{path}.{name} is required" for name in set(new.get("required", ())) - set(old.get("required", ())))
    yield from (f"{path}: {key} differs" for key in SAME if key in old and old[key] != new.get(key))
    yield from (f"{path}: there is a {key} now" for key in ("pattern", *UPPER, *LOWER) if key in new and key not in old)
    yield from (f"{path}: {key} is smaller" for key in UPPER if key in old and new.get(key, old[key]) < old[key])
    yield from (f"{path}: {key} is larger" for key in LOWER if key in old and new.get(key, old[key]) > old[key])
    choices, left = (set(map(str, known.get("enum", ()))) for known in (old, new))
    yield from (f"{path}: {value} is no choice any more" for value in (choices - left if left else ()))
    rules = {rule["rule"] for rule in old.get("x-kubernetes-validations", ())}
    yield from (
        f"{path}: there is the rule {rule['rule']} now"
        for rule in new.get("x-kubernetes-validations", ())
        if rule["rule"] not in rules
    )


def test_every_file_names_the_version_and_it_is_not_that_of_the_release_before(old: Release, new: Release) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((new.chart / "Chart.yaml").read_text())
    assert project["version"] == chart["version"] == chart["appVersion"] != old.version
    assert f"\nARG VERSION={project['version']}\n" in (ROOT / "Dockerfile").read_text()
    assert f"\n## {project['version']}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("kind", ["Study", "Trial"])
def test_what_the_release_before_accepted_is_accepted_and_kept(old: Release, new: Release, kind: str) -> None:
    was, now = old.definitions[kind], new.definitions[kind]
    assert [version["name"] for version in now["spec"]["versions"] if version["storage"]] == ["v1alpha1"]
    assert now["spec"]["names"] == was["spec"]["names"] and now["spec"]["scope"] == was["spec"]["scope"]
    assert list(breaks(schema(was), schema(now), kind)) == []


def removed(spec: Schema) -> None:
    del spec["properties"]["notes"]


def required(spec: Schema) -> None:
    spec["required"].append("notes")


def tightened(spec: Schema) -> None:
    spec["properties"]["goal"]["maxLength"] = 10


def narrowed(spec: Schema) -> None:
    spec["properties"]["phase"]["enum"] = ["Exploration"]


def ruled(spec: Schema) -> None:
    spec.setdefault("x-kubernetes-validations", []).append({"rule": "self.budget.trials < 5"})


@pytest.mark.parametrize("change", [removed, required, tightened, narrowed, ruled])
def test_a_change_that_breaks_a_manifest_is_found(new: Release, change: Callable[[Schema], None]) -> None:
    changed = copy.deepcopy(schema(new.definitions["Study"]))
    change(changed["properties"]["spec"])
    assert len(list(breaks(schema(new.definitions["Study"]), changed, "Study"))) == 1
