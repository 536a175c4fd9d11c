import pytest
from study_operator.api import check_changes, parse_study

from tests.api.manifests import MISSING, study_manifest

FROZEN_CHANGES: list[tuple[str, object]] = [
    ("spec.hyperparameters[0].choices[1]", "sgd"),
    ("spec.hyperparameters[0].choices", ["nesterov", "adam", "sgd"]),
    ("spec.hyperparameters[1].range.max", 2),
    ("spec.hyperparameters[4].value", 65),
    ("spec.trialTemplate.spec.template.spec.containers[0].image", "example/trainer:2"),
    ("spec.training.steps", 700),
    ("spec.training", MISSING),
    ("spec.sampler.seed", 8),
    ("spec.sampler", MISSING),
    ("spec.phase", "Exploitation"),
]
"""Changes that are refused once trials exist; the problem is at the second level of the path."""

FREE_CHANGES: list[tuple[str, object]] = [
    ("spec.budget.trials", 64),
    ("spec.budget.trials", 8),
    ("spec.budget.maxDuration", MISSING),
    ("spec.suspend", True),
    ("spec.notes", "changed"),
    ("spec.goal", "changed?"),
    ("spec.metrics", MISSING),
    ("spec.confirmation", {"top": 2}),
    ("spec.waivers", [{"rule": "grid-search", "reason": "It is one dimension."}]),
    ("spec.objective.direction", "Maximize"),
]
"""Changes that are allowed at any time in exploration."""


def changed(field: str, value: object, has_trials: bool = True, **sound: object) -> list[str]:
    old = parse_study(study_manifest({f"spec.{name}": of for name, of in sound.items()}))
    new = parse_study(study_manifest({f"spec.{name}": of for name, of in sound.items()} | {field: value}))
    return [problem.path for problem in check_changes(old, new, has_trials)]


@pytest.mark.parametrize(("field", "value"), FROZEN_CHANGES)
def test_what_makes_trials_comparable_is_fixed_with_the_first(field: str, value: object) -> None:
    assert changed(field, value) == [".".join(field.split(".")[:2]).split("[")[0]]
    assert changed(field, value, has_trials=False) == []


@pytest.mark.parametrize(("field", "value"), FREE_CHANGES)
def test_the_rest_may_change(field: str, value: object) -> None:
    assert changed(field, value) == []


def test_the_objective_is_fixed_where_a_model_of_it_draws_the_points() -> None:
    assert changed("spec.objective.direction", "Maximize", phase="Exploitation") == ["spec.objective"]


def test_confirmation_may_be_added_and_is_then_fixed() -> None:
    assert changed("spec.confirmation", {"top": 2}) == []
    assert changed("spec.confirmation", {"reruns": 6}, confirmation={"reruns": 5}) == ["spec.confirmation"]
    assert changed("spec.confirmation", None, confirmation={}) == ["spec.confirmation"]


def test_a_flag_is_no_number() -> None:
    assert changed("spec.hyperparameters[4].value", 1) == ["spec.hyperparameters"]
