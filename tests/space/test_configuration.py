import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.space import Choices, Hyperparameter, InvalidSpace, Range, Role, Scalar, Space, Value, configuration

SPACE = Space.build(
    [
        Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("nesterov", "adam"))),
        Hyperparameter("learning_rate", Role.NUISANCE, Range(0.1, 1.0)),
        Hyperparameter("momentum", Role.NUISANCE, Range(0.5, 0.9), {"optimizer": ("nesterov",)}),
        Hyperparameter("layers", Role.NUISANCE, Range(1, 4, integer=True)),
        Hyperparameter("units", Role.FIXED, Value(64)),
    ]
)
GIVEN: dict[str, Scalar] = {"optimizer": "nesterov", "learning_rate": 2, "momentum": 0.7, "layers": 3.0}


def problems(given: dict[str, Scalar]) -> list[str]:
    with pytest.raises(InvalidSpace) as invalid:
        configuration(SPACE, given, "baseline")
    return [problem.path for problem in invalid.value.problems]


def test_values_are_those_of_a_trial_also_outside_the_ranges() -> None:
    found = configuration(SPACE, GIVEN, "baseline")
    assert SPACE.arms[found.arm].label == "optimizer=nesterov"
    assert {name: repr(value) for name, value in found.parameters.items()} == {
        "optimizer": "'nesterov'",
        "learning_rate": "2.0",
        "momentum": "0.7",
        "layers": "3",
        "units": "64",
    }


@given(arm=st.sampled_from([0, 1]), point=st.tuples(*[st.floats(0, 1)] * 3))
def test_a_trial_of_the_search_is_a_configuration(arm: int, point: tuple[float, ...]) -> None:
    parameters = SPACE.parameters(arm, point)
    found = configuration(SPACE, parameters, "baseline")
    assert (found.arm, found.parameters) == (arm, parameters)
    assert SPACE.parameters(arm, found.point) == pytest.approx(parameters)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"optimizer": "sgd"}, "baseline.optimizer"),
        ({"layers": 2.5}, "baseline.layers"),
        ({"learning_rate": "high"}, "baseline.learning_rate"),
        ({"learning_rate": True}, "baseline.learning_rate"),
        ({"units": 32}, "baseline.units"),
        ({"width": 3}, "baseline.width"),
    ],
)
def test_what_cannot_be_compared_is_told_at_its_field(change: dict[str, Scalar], path: str) -> None:
    assert path in problems(GIVEN | change)


def test_it_is_complete_and_has_nothing_that_does_not_apply() -> None:
    assert problems({"optimizer": "adam", "momentum": 0.9}) == ["baseline.momentum", "baseline", "baseline"]
