"""Properties of any space, however its conditions are nested, against what `when` says word by word."""

from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from study_operator.space import Choices, Hyperparameter, InvalidSpace, Range, Role, ScaleName, Space, Value

DOMAINS = {
    Role.SCIENTIFIC: st.sampled_from([Choices((1, 2)), Choices(("a", True)), Range(0.0, 1.0)]),
    Role.NUISANCE: st.sampled_from([Choices((1, 2)), Choices((0, False)), Range(1, 9, ScaleName.LOG, True)]),
    Role.FIXED: st.sampled_from([Value(1), Value("a")]),
}


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def spaces(draw):
    """Up to seven definitions beside one that always applies; their parents come before or after them."""
    definitions = [Hyperparameter("always", Role.NUISANCE, Range(0.8, 0.99, ScaleName.REVERSE_LOG))]
    for number in range(draw(st.integers(0, 7))):
        role = draw(st.sampled_from(Role))
        allowed = [d for d in definitions if role is not Role.SCIENTIFIC or d.role is not Role.NUISANCE]
        parents = draw(st.lists(st.sampled_from(allowed), max_size=2, unique_by=lambda d: d.name)) if allowed else []
        when = {
            parent.name: tuple(draw(st.lists(st.sampled_from(parent.values), min_size=1, max_size=1)))
            for parent in parents
            if parent.values
        }
        name = f"x{number if draw(st.integers(0, 3)) else max(0, number - 1)}"
        definitions.append(Hyperparameter(name, role, draw(DOMAINS[role]), when))
    try:
        return Space.build(draw(st.permutations(definitions)))
    except InvalidSpace:
        assume(False)


@st.composite
def points(draw):
    space = draw(spaces())
    dimensions = len(space.dimensions)
    point = draw(st.lists(st.floats(0.0, 1.0, exclude_max=True), min_size=dimensions, max_size=dimensions))
    return space, draw(st.sampled_from(space.arms)), point


@unhurried
@given(points())
def test_the_parameters_are_those_of_exactly_the_definitions_that_apply(drawn):
    space, arm, point = drawn
    parameters = space.parameters(arm.index, point)
    applying = [definition for definition in space.definitions if definition.applies(parameters)]
    assert list(parameters) == [definition.name for definition in applying]
    assert arm.parameters.items() <= parameters.items()


@unhurried
@given(points())
def test_a_coordinate_leads_back_to_its_parameters(drawn):
    space, arm, point = drawn
    parameters = space.parameters(arm.index, point)
    coordinates = space.coordinates(arm.index, parameters)
    again = [coordinates.get(name, u) for name, u in zip(space.dimensions, point, strict=True)]
    assert space.parameters(arm.index, again) == pytest.approx(parameters)


@unhurried
@given(spaces())
def test_what_can_apply_in_an_arm_is_what_applies_at_one_of_its_points(space):
    corners = list(product((0.0, 0.9), repeat=len(space.dimensions)))
    for arm in space.arms:
        applying = {
            index
            for corner in corners
            for index, definition in enumerate(space.definitions)
            if definition.applies(space.parameters(arm.index, corner))
        }
        assert [space.definitions[index] for index in sorted(applying)] == list(space.hyperparameters(arm.index))


@unhurried
@given(spaces())
def test_arms_are_all_the_different_combinations_of_discrete_scientific_values(space):
    settled = {d.name for d in space.definitions if d.distinguishes_arms or d.role is Role.FIXED}
    values = {name: [v for d in space.definitions if d.name == name for v in d.values] for name in settled}
    combinations = [
        dict(zip(values, chosen, strict=True)) for chosen in product(*([None, *v] for v in values.values()))
    ]
    scientific = {d.name for d in space.definitions if d.distinguishes_arms}
    expected = {
        tuple((name, type(v), v) for name, v in sorted(combination.items()) if name in scientific and v is not None)
        for combination in combinations
        if agrees(space, {name: v for name, v in combination.items() if v is not None})
    }
    found = [tuple((name, type(v), v) for name, v in sorted(arm.parameters.items())) for arm in space.arms]
    assert len(found) == len(set(found))
    assert set(found) == expected


def agrees(space, combination):
    """Whether the names in ``combination`` are those that it makes apply, with values that they have."""
    applying = {
        d.name: [(type(v), v) for v in d.values]
        for d in space.definitions
        if (d.distinguishes_arms or d.role is Role.FIXED) and d.applies(combination)
    }
    return applying.keys() == combination.keys() and all((type(v), v) in applying[k] for k, v in combination.items())
