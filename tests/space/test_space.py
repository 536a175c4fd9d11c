import dataclasses

import pytest
from study_operator.space import (
    Choices,
    Hyperparameter,
    InvalidSpace,
    Problem,
    Range,
    Role,
    ScaleName,
    Space,
    Value,
    check_arms_fit,
)

SCIENTIFIC, NUISANCE, FIXED = Role.SCIENTIFIC, Role.NUISANCE, Role.FIXED
OPTIMIZER = Hyperparameter("optimizer", SCIENTIFIC, Choices(("nesterov", "adam")))
DROPOUT = Hyperparameter("dropout", NUISANCE, Range(0.0, 0.5))
ADAM, NESTEROV = {"optimizer": ("adam",)}, {"optimizer": ("nesterov",)}
STUDY = [
    OPTIMIZER,
    Hyperparameter("learning_rate", NUISANCE, Range(0.001, 10.0, ScaleName.LOG), NESTEROV),
    Hyperparameter("learning_rate", NUISANCE, Range(0.00001, 0.1, ScaleName.LOG), ADAM),
    Hyperparameter("momentum", NUISANCE, Range(0.8, 0.999, ScaleName.REVERSE_LOG), NESTEROV),
    DROPOUT,
    Hyperparameter("hidden_units", FIXED, Value(64)),
]


def scientific(name, *values, when=None):
    return Hyperparameter(name, SCIENTIFIC, Choices(values), when or {})


def nuisance(name, *values, when=None):
    return Hyperparameter(name, NUISANCE, Choices(values), when or {})


def labels(*definitions):
    return [arm.label for arm in Space.build([*definitions, DROPOUT]).arms]


def test_shared_dimensions_come_first_and_a_conditional_name_has_one_slot():
    assert Space.build(STUDY).dimensions == ("dropout", "learning_rate", "momentum")


def test_each_arm_maps_a_shared_slot_through_its_own_range():
    space = Space.build(STUDY)
    assert space.parameters(0, (0.5, 0.5, 0.0)) == pytest.approx(
        {"optimizer": "nesterov", "learning_rate": 0.1, "momentum": 0.8, "dropout": 0.25, "hidden_units": 64}
    )
    assert space.parameters(1, (0.5, 0.5, 0.0)) == pytest.approx(
        {"optimizer": "adam", "learning_rate": 0.001, "dropout": 0.25, "hidden_units": 64}
    )


def test_parameters_are_in_the_order_of_the_manifest():
    assert list(Space.build(STUDY).parameters(1, (0.0,) * 3)) == [
        "optimizer",
        "learning_rate",
        "dropout",
        "hidden_units",
    ]


def test_a_point_of_another_space_is_refused():
    with pytest.raises(ValueError, match="2 coordinates, and the space 3 dimensions"):
        Space.build(STUDY).parameters(0, (0.5, 0.5))


def test_coordinates_are_those_of_the_arm():
    coordinates = Space.build(STUDY).coordinates(1, {"optimizer": "adam", "learning_rate": 0.01, "dropout": 0.125})
    assert coordinates == pytest.approx({"learning_rate": 0.75, "dropout": 0.25})


def test_a_scientific_range_is_a_dimension_and_makes_no_arms():
    space = Space.build([Hyperparameter("width", SCIENTIFIC, Range(1.0, 4.0)), DROPOUT])
    assert (space.dimensions, [arm.label for arm in space.arms]) == (("width", "dropout"), ["all"])


def test_the_first_scientific_choice_varies_slowest():
    assert labels(scientific("a", 1, 2), scientific("b", "x", "y")) == ["a=1, b=x", "a=1, b=y", "a=2, b=x", "a=2, b=y"]


def test_a_conditional_scientific_choice_multiplies_only_the_arms_in_which_it_applies():
    warmup = scientific("warmup", True, False, when={"optimizer": ("adam",)})
    expected = ["optimizer=nesterov", "warmup=true, optimizer=adam", "warmup=false, optimizer=adam"]
    assert labels(warmup, OPTIMIZER) == expected


def test_a_fixed_value_can_be_a_parent():
    assert labels(Hyperparameter("n", FIXED, Value(1)), scientific("a", 1, 2, when={"n": (1.0,)})) == ["a=1", "a=2"]


def test_what_depends_on_a_sampled_choice_applies_by_the_point():
    space = Space.build(
        [nuisance("schedule", "constant", "cosine"), nuisance("cycles", 1, 2, when={"schedule": ("cosine",)})]
    )
    assert space.parameters(0, (0.2, 0.9)) == {"schedule": "constant"}
    assert space.parameters(0, (0.7, 0.9)) == {"schedule": "cosine", "cycles": 2}


def test_grandchildren_need_their_parents_to_apply():
    space = Space.build(
        [
            nuisance("c", 0, 1, when={"b": (1,)}),
            nuisance("b", 0, 1, when={"a": (1,)}),
            nuisance("a", 0, 1),
        ]
    )
    assert space.dimensions == ("a", "c", "b")
    assert space.parameters(0, (0.9, 0.9, 0.9)) == {"c": 1, "b": 1, "a": 1}
    assert space.parameters(0, (0.1, 0.9, 0.9)) == {"a": 0}


def test_the_budget_must_cover_the_arms():
    space = Space.build(STUDY)
    assert check_arms_fit(space, 2) == ()
    assert [problem.path for problem in check_arms_fit(space, 1)] == ["spec.budget.trials"]


def problems(*definitions):
    with pytest.raises(InvalidSpace) as caught:
        Space.build(definitions, "h")
    return {problem.path: problem.message for problem in caught.value.problems}


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("domain", "path", "message"),
    [
        (Range(NAN, 1.0), "h[0].range.min", "finite"),
        (Range(0.0, INF), "h[0].range.max", "finite"),
        (Range(0, 10**400), "h[0].range.max", "finite"),
        (Range(1.0, 1.0), "h[0].range", "1.0 is not less than 1.0"),
        (Range(2.0, 1.0), "h[0].range", "min must be less than max"),
        (Range(0.0, 1.0, ScaleName.LOG), "h[0].range.min", "greater than 0 on the Log scale"),
        (Range(0.0, 1.0, ScaleName.REVERSE_LOG), "h[0].range.max", "less than 1 on the ReverseLog scale"),
        (Range(1e300, 1.0000000000000002e300, ScaleName.LOG), "h[0].range", "too close"),
        (Range(-5, 0, ScaleName.REVERSE_LOG, True), "h[0].range.scale", "integers need Linear or Log"),
        (Range(0, 8, ScaleName.LOG, True), "h[0].range.min", "greater than 0 on the Log scale"),
        (Range(0.5, 8, ScaleName.LOG, True), "h[0].range.min", "whole number"),
        (Range(1, 2.0**52, integer=True), "h[0].range.max", "within 2251799813685248 of 0"),
        (Choices(()), "h[0].choices", "two values at least"),
        (Choices((1,)), "h[0].choices", "two values at least"),
        (Choices((1, 2, 1.0)), "h[0].choices[2]", r"there already, at [0]"),
        (Choices((1, 2, "1")), "h[0].choices[2]", "there already, at [0], which a trainer reads as 1"),
        (Choices(("true", True)), "h[0].choices[1]", "there already, at [0], which a trainer reads as true"),
        (Choices((1, NAN)), "h[0].choices[1]", "finite"),
        (Choices(("a", "b\0")), "h[0].choices[1]", "NUL"),
        (Value(1), "h[0].role", "give it a `range` or `choices`"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_bad_domain_is_told_at_its_field(domain, path, message):
    found = problems(Hyperparameter("x", NUISANCE, domain), DROPOUT)
    assert list(found) == [path]
    assert message in found[path]


@pytest.mark.parametrize("name", ["", "1x", "learning-rate", "x.y", "naïve", "x" * 64, "x\n"])
def test_a_name_that_makes_no_environment_variable_is_refused(name):
    assert "environment variable" in problems(Hyperparameter(name, NUISANCE, Range(0.0, 1.0)))["h[0].name"]


def test_names_that_make_one_environment_variable_are_refused():
    assert "HP_DROPOUT" in problems(DROPOUT, dataclasses.replace(DROPOUT, name="Dropout"))["h[1].name"]


def test_a_flag_and_a_number_are_different_choices():
    assert labels(scientific("x", 1, True, 0, False, "True")) == ["x=1", "x=true", "x=0", "x=false", "x=True"]


@pytest.mark.parametrize(
    ("definitions", "path", "message"),
    [
        ([DROPOUT, DROPOUT], "h[1].name", "defined at h[0] too"),
        ([OPTIMIZER, DROPOUT, nuisance("dropout", 0.1, 0.2, when=ADAM)], "h[2].name", "defined at h[1] too"),
        (
            [OPTIMIZER, nuisance("x", 1, 2, when=ADAM), nuisance("x", 1, 2, when={"optimizer": ("sgd", "adam")})],
            "h[2].when.optimizer[0]",
            "never 'sgd'",
        ),
        (
            [DROPOUT, nuisance("x", 1, 2, when={"optimizer": ("adam",)})],
            "h[1].when.optimizer",
            "no hyperparameter optimizer",
        ),
        ([DROPOUT, nuisance("x", 1, 2, when={"dropout": (0.1,)})], "h[1].when.dropout", "has a range"),
        (
            [scientific("flag", True, False), DROPOUT, nuisance("x", 1, 2, when={"flag": (1,)})],
            "h[2].when.flag[0]",
            "never 1",
        ),
        (
            [OPTIMIZER, DROPOUT, nuisance("x", 1, 2, when={"optimizer": ()})],
            "h[2].when.optimizer",
            "one value at least",
        ),
        ([DROPOUT, nuisance("x", 1, 2, when={"x": (1,)})], "h[1].when", "a cycle"),
        (
            [DROPOUT, nuisance("x", 1, 2, when={"y": (1,)}), nuisance("y", 1, 2, when={"x": (1,)})],
            "h[1].when",
            "a cycle",
        ),
        (
            [OPTIMIZER, nuisance("a", 1, 2, when=ADAM), nuisance("b", 1, 2, when={"a": (1,), **NESTEROV}), DROPOUT],
            "h[2].when",
            "never holds",
        ),
        ([nuisance("a", 1, 2), scientific("b", 1, 2, when={"a": (1,)})], "h[1].when", "depends on a, which is sampled"),
        ([OPTIMIZER], "h", "nothing to tune in the arm optimizer=nesterov; optimizer=adam"),
        ([OPTIMIZER, nuisance("x", 1, 2, when=ADAM)], "h", "nothing to tune in the arm optimizer=nesterov"),
        ([Hyperparameter("x", FIXED, Value(1))], "h", "nothing varies"),
        ([], "h", "nothing varies"),
        ([Hyperparameter("x", FIXED, Range(0.0, 1.0)), DROPOUT], "h[0].role", "a Fixed hyperparameter has one `value`"),
        ([*(scientific(f"a{i}", *range(10)) for i in range(30)), DROPOUT], "h", "more than 1000 arms"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_does_not_fit_together_is_told_at_its_field(definitions, path, message):
    found = problems(*definitions)
    assert list(found) == [path]
    assert message in found[path]


def test_definitions_that_exclude_each_other_through_their_parents_may_share_a_name():
    space = Space.build(
        [
            OPTIMIZER,
            nuisance("decoupled", True, False, when=ADAM),
            nuisance("decay", 1, 2, when={"decoupled": (True,)}),
            nuisance("decay", 3, 4, when=NESTEROV),
        ]
    )
    assert space.dimensions == ("decoupled", "decay")


def test_all_problems_are_told_at_once():
    found = problems(
        Hyperparameter("1x", NUISANCE, Range(2.0, 1.0)),
        nuisance("y", 1, 1, when={"nowhere": (1,)}),
        nuisance("a", 1, 2, when={"b": (1,)}),
        nuisance("b", 1, 2, when={"a": (1,)}),
        nuisance("c", 1, 2, when={"d": (1,)}),
        nuisance("d", 1, 2, when={"c": (1,)}),
    )
    assert list(found) == ["h[0].name", "h[0].range", "h[1].choices[1]", "h[1].when.nowhere", "h[2].when", "h[4].when"]


def test_what_applies_in_too_many_ways_is_refused_before_it_takes_long():
    chain = [nuisance("p0", 0, 1)]
    for i in range(1, 30):
        chain += [nuisance(f"p{i}", 0, 1, when={f"p{i - 1}": (value,)}) for value in (0, 1)]
    found = problems(*chain)
    assert "too many ways" in found["h[19].when"]


def test_a_problem_reads_as_its_path_and_sentence():
    assert str(InvalidSpace([Problem("h[0].name", "bad"), Problem("h", "worse")])) == "h[0].name: bad\nh: worse"
