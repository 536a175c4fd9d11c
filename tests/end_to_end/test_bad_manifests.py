"""Manifests that make no sense: the API server refuses what structure can say, the Study tells the rest."""

from typing import Any

import pytest

from tests.cluster.operator_process import OperatorProcess
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, sh, study

RANGE = {"min": 0.1, "max": 1}
CONTAINER = "spec.trialTemplate.spec.template.spec.containers"


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (
            {"hyperparameters": [{"name": "a", "role": "Nuisance", "when": {"b": [1]}, "range": RANGE}]},
            "spec.hyperparameters[0].when",
        ),
        (
            {
                "hyperparameters": [
                    {"name": "a", "role": "Nuisance", "range": RANGE},
                    {"name": "a", "role": "Nuisance", "range": RANGE},
                ]
            },
            "spec.hyperparameters[1].name",
        ),
        (
            {
                "hyperparameters": [
                    {"name": "a", "role": "Scientific", "choices": ["x", "y", "z"]},
                    {"name": "b", "role": "Nuisance", "when": {"a": ["x", "y"]}, "range": RANGE},
                ]
            },
            "spec.hyperparameters",
        ),
        ({"hyperparameters": [{"name": "a", "role": "Scientific", "choices": list(range(9))}]}, "spec."),
        ({"trialTemplate": {"spec": {"template": {"spec": {"containers": []}}}}}, CONTAINER),
        (
            {
                "trialTemplate": {
                    "spec": {
                        "template": {
                            "spec": {"restartPolicy": "Always", "containers": [{"name": "trainer", "image": "python"}]}
                        }
                    }
                }
            },
            "spec.trialTemplate.spec.template.spec.restartPolicy",
        ),
        (
            {
                "trialTemplate": {
                    "metadata": {"generateName": "x-"},
                    "spec": {"template": {"spec": {"containers": [{"name": "trainer", "image": "python"}]}}},
                }
            },
            "spec.trialTemplate.metadata.generateName",
        ),
    ],
    ids=["unknown parent", "duplicate", "empty arm", "arms and budget", "no container", "restarts", "generateName"],
)
def test_what_makes_no_sense_stalls_with_its_field_creates_nothing_and_can_be_mended(
    place: Place, operator: OperatorProcess, spec: dict[str, Any], path: str
) -> None:
    good = study("odd", sh(RECORD), trials=2)
    place.apply(good | {"spec": good["spec"] | spec})
    stalled = place.becomes("odd", "Stalled", reason="InvalidSpec")
    assert path in stalled["message"]
    assert place.condition("odd", "Ready")["status"] == "False"
    assert not place.names("trials") and not place.names("jobs")
    place.apply(good)
    assert place.finishes("odd")["trials"]["succeeded"] == 2
    assert place.condition("odd", "Stalled")["status"] == "False"


def test_a_template_that_the_api_server_refuses_is_told_in_its_words(place: Place, operator: OperatorProcess) -> None:
    bad = study("refused", sh(RECORD), container={"resources": {"limits": {"memory": "plenty"}}}, trials=2)
    place.apply(bad)
    stalled = place.becomes("refused", "Stalled")
    assert "quantities must match" in stalled["message"]
    assert not place.names("trials")
    place.apply(study("refused", sh(RECORD), trials=2))
    assert place.finishes("refused")["trials"]["succeeded"] == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("goal", None, "spec.goal: Required value"),
        ("colour", "red", 'unknown field "spec.colour"'),
        ("budget", {"trials": 0}, "spec.budget.trials"),
        ("budget", {"trials": 10**9}, "spec.budget.trials"),
        ("budget", {"trials": "many"}, "spec.budget.trials"),
        ("hyperparameters", [{"name": "a", "role": "Nuisance", "range": {"min": 1, "max": 0}}], "min"),
        ("hyperparameters", [{"name": "a", "role": "Nuisance", "range": {"min": 0, "max": 1, "scale": "Log"}}], "Log"),
        ("hyperparameters", [{"name": "a b", "role": "Nuisance", "range": RANGE}], "spec.hyperparameters[0].name"),
        ("hyperparameters", [{"name": "a", "role": "Fixed", "value": 1}], "spec.hyperparameters"),
    ],
)
def test_what_structure_can_say_is_refused_by_the_api_server(
    place: Place, field: str, value: object, words: str
) -> None:
    good = study("malformed", sh(RECORD))
    said = place.refusal(good | {"spec": {**good["spec"], field: value}})
    assert words in said
    assert not place.names("studies")
