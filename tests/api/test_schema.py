from collections.abc import Iterator

import pytest
from jsonschema import Draft4Validator
from pydantic import BaseModel
from study_operator.api.crd import DEFINITIONS, NotStructural, Schema, structural_schema, study_crd, trial_crd
from study_operator.api.reference import reference
from study_operator.api.status import StudyStatus

from tests.api.manifests import SOUND_CHANGES, study_manifest


def root(definition: Schema) -> Schema:
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every field below ``schema``, with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    for inner, suffix in ((schema.get("items"), "[]"), (schema.get("additionalProperties"), ".*")):
        if isinstance(inner, dict):
            yield f"{path}{suffix}", inner
            yield from fields(inner, f"{path}{suffix}")


def parts() -> Iterator[tuple[str, Schema]]:
    for definition in (study_crd(), trial_crd()):
        for part in ("spec", "status"):
            yield from fields(root(definition)["properties"][part], f"{definition['spec']['names']['kind']}.{part}")


FIELDS = dict(parts())
NAMED = {path: field for path, field in FIELDS.items() if not path.endswith(("[]", ".*"))}


@pytest.mark.parametrize("path", NAMED)
def test_every_field_has_a_description_and_an_example_that_holds(path: str) -> None:
    field = NAMED[path]
    assert field["description"].endswith((".", "?"))
    Draft4Validator(field).validate(field["example"])


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_is_bounded(path: str) -> None:
    field = FIELDS[path]
    match field.get("type"):
        case "string":
            assert "maxLength" in field or "enum" in field or field.get("format") == "date-time"
        case "integer":
            assert field["format"] == "int64"
            assert {"minimum", "maximum"} <= set(field) or ".spec" not in path
        case "number":
            assert {"minimum", "maximum"} <= set(field) or path.endswith(".curves.*.values[]")
        case "array":
            assert "maxItems" in field
        case "object" if "additionalProperties" in field:
            assert "maxProperties" in field
        case "object":
            assert "properties" in field or field["x-kubernetes-preserve-unknown-fields"]
        case None:
            assert field == field | {"x-kubernetes-preserve-unknown-fields": True}
        case "boolean":
            pass
        case other:
            pytest.fail(f"{other} is no type of a structural schema")


@pytest.mark.parametrize("path", [path for path in FIELDS if "[]" in path or ".status" in path])
def test_nothing_is_filled_in_inside_lists_or_the_status(path: str) -> None:
    assert "default" not in FIELDS[path]


@pytest.mark.parametrize("changes", SOUND_CHANGES, ids=str)
def test_the_schema_alone_accepts_a_sound_study(changes: dict[str, object]) -> None:
    if None not in changes.values():  # the API server takes nulls out before it validates
        Draft4Validator(root(study_crd())).validate(study_manifest(changes))


class Alternatives(BaseModel):
    value: int | str


class Keyed(BaseModel):
    value: dict[str, list[set[int]]]


@pytest.mark.parametrize("model", [Alternatives, Keyed])
def test_what_a_cluster_would_ignore_is_an_error(model: type[BaseModel]) -> None:
    with pytest.raises(NotStructural):
        structural_schema(model, defaults=True)


def test_the_smallest_status_is_a_status() -> None:
    assert StudyStatus.model_validate({"observedGeneration": -1}).observed_generation == -1


def test_the_reference_tells_every_field() -> None:
    text = reference(study_crd(), trial_crd())
    missing = [path for path in NAMED if f"`{path.rpartition('.')[2]}`" not in text]
    assert missing == []


def test_the_definitions_have_the_form_that_tools_look_for() -> None:
    for file, definition in ((name, make()) for name, make in DEFINITIONS.items()):
        names = definition["spec"]["names"]
        assert file == f"{names['plural']}.yaml"
        assert names["categories"] == ["tuning"]
        assert names["shortNames"]
        assert definition["spec"]["versions"][0]["subresources"] == {"status": {}}
