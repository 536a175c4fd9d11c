import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.api import InvalidManifest, check_manifest, check_semantics, parse_study, study_space
from study_operator.results.objective import Direction, Objective, Selection

from tests.api.manifests import BASELINE, FAULTS, MISSING, SOUND_CHANGES, UNKNOWN_FIELDS, Fault, study_manifest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)
JARGON = ("input", "should", "literal", "instance of", "pydantic", "mapping", "tuple", "dict")


def problems(changes: dict[str, object]) -> dict[str, str]:
    return {problem.path: problem.message for problem in check_manifest(study_manifest(changes))}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_told_at_its_field_in_words(fault: Fault) -> None:
    with pytest.raises(InvalidManifest) as invalid:
        parse_study(fault.manifest)
    (problem,) = invalid.value.problems
    assert problem.path == (fault.path or fault.field)
    assert not any(word in problem.message.lower() for word in JARGON)


@pytest.mark.parametrize("changes", SOUND_CHANGES, ids=str)
def test_a_sound_study_has_no_problems(changes: dict[str, object]) -> None:
    assert check_manifest(study_manifest(changes)) == ()


@pytest.mark.parametrize(("field", "meant"), UNKNOWN_FIELDS.items())
def test_an_unknown_field_is_refused_with_what_was_meant(field: str, meant: str) -> None:
    assert problems({field: 1}) == {field: f"is not a known field; did you mean {meant}?"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"spec.hyperparameters[1].range.min": float("nan")}, "spec.hyperparameters[1].range.min"),
        ({"spec.hyperparameters[1].range.max": float("inf")}, "spec.hyperparameters[1].range.max"),
        ({"spec.hyperparameters[0].choices[2]": float("nan")}, "spec.hyperparameters[0].choices[2]"),
        ({"spec.hyperparameters[0].choices[1]": {"a": 1}}, "spec.hyperparameters[0].choices[1]"),
        ({"spec.hyperparameters[0].choices[1]": None}, "spec.hyperparameters[0].choices[1]"),
        ({"spec.hyperparameters[0].choices": ["adam", 1, "1"]}, "spec.hyperparameters[0].choices[2]"),
        ({"spec.hyperparameters[4].value": ["a"]}, "spec.hyperparameters[4].value"),
        ({"spec.hyperparameters[4].value": "x" * 257}, "spec.hyperparameters[4].value"),
        ({"spec.hyperparameters[1].when": {"optimizer": [[]]}}, "spec.hyperparameters[1].when.optimizer[0]"),
        ({"spec.hyperparameters[1].when": {"optimiser": ["adam"]}}, "spec.hyperparameters[1].when.optimiser"),
        ({"spec.hyperparameters[1].when": {"optimizer": ["sgd"]}}, "spec.hyperparameters[1].when.optimizer[0]"),
        ({"spec.hyperparameters[2].name": "learning_rate"}, "spec.hyperparameters[2].name"),
        ({"spec.hyperparameters[0].choices": list(range(40))}, "spec.budget.trials"),
        ({"spec.confirmation": {"top": 1}}, "spec.confirmation.top"),
        ({"spec.confirmation": {"baseline": {"optimizer": "adam"}}}, "spec.confirmation.baseline"),
        ({"spec.confirmation": {"baseline": BASELINE | {"layers": 2.5}}}, "spec.confirmation.baseline.layers"),
        ({"spec.waivers": [{"rule": "tuned-step", "reason": "x"}]}, "spec.waivers[0].rule"),
        ({"metadata.name": "Optimizers"}, "metadata.name"),
        ({"apiVersion": "tuning.study/v2"}, "apiVersion"),
        ({"kind": MISSING}, "kind"),
        ({"spec": []}, "spec"),
    ],
)
def test_what_only_the_parser_sees_is_told_at_its_field(changes: dict[str, object], expected: str) -> None:
    assert list(problems(changes)) == [expected]


def test_all_problems_are_told_at_once_also_those_of_the_whole() -> None:
    found = problems(
        {
            "spec.goal": "",
            "spec.goals": "x",
            "spec.hyperparameters[1].when": {"optimiser": ["adam"]},
            "spec.budget.trials": 0,
            "spec.trialTemplate.spec.template.spec.restartPolicy": "Always",
        }
    )
    assert set(found) == {
        "spec.goal",
        "spec.goals",
        "spec.hyperparameters[1].when.optimiser",
        "spec.budget.trials",
        "spec.trialTemplate.spec.template.spec.restartPolicy",
    }


def test_a_range_tells_all_that_is_wrong_with_it() -> None:
    wrong = {"spec.hyperparameters[1].range": {"min": -0.5, "max": -1, "scale": "Log", "integer": True}}
    messages = [problem.message for problem in check_manifest(study_manifest(wrong))]
    assert len(messages) == 3


def test_a_very_deep_manifest_is_refused() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    (problem,) = check_manifest(study_manifest({"spec.trialTemplate.spec": deep}))
    assert "cannot be read" in problem.message


@given(path=st.sampled_from([fault.field for fault in FAULTS if "metrics[1]" not in fault.field]), value=json_values)
def test_whatever_stands_at_a_field_is_parsed_or_refused(path: str, value: object) -> None:
    manifest = study_manifest({path: value} if "notes" not in path else {})
    try:
        assert check_semantics(parse_study(manifest)) is not None
    except InvalidManifest as invalid:
        assert all(problem.message for problem in invalid.problems)


def test_a_study_is_what_its_manifest_says() -> None:
    study = parse_study(study_manifest())
    assert study.objective == Objective("validation_error", Direction.MINIMIZE, Selection.BEST)
    assert study.metrics == ("validation_error", "train_error")
    assert [arm.label for arm in study_space(study).arms] == ["optimizer=nesterov", "optimizer=adam"]
    assert study.spec.budget.duration is not None
    assert study.spec.budget.duration.total_seconds() == 5400


def test_left_out_fields_have_safe_defaults() -> None:
    study = parse_study(study_manifest({"spec.budget": {"trials": 2}}))
    assert (study.spec.budget.parallelism, study.spec.suspend, study.spec.phase) == (1, False, "Exploration")
    assert (study.metadata.namespace, study.metadata.uid) == ("default", "")
