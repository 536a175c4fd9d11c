"""A configuration that a person gives, such as the one in use today, checked against the space.

It need not lie within the ranges, because what is in use may well lie outside of what is searched; it has to be
complete and to belong to one of the arms, because it is run and compared like any trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from study_operator.scalar import Scalar, identity
from study_operator.space.hyperparameter import Choices, Hyperparameter, Range, Value
from study_operator.space.problem import InvalidSpace, Problem
from study_operator.space.space import Space


@dataclass(frozen=True, slots=True)
class Configuration:
    """The values of all hyperparameters that apply, the arm that they belong to, and the unit point next to them."""

    arm: int
    point: tuple[float, ...]
    parameters: Mapping[str, Scalar]


def configuration(space: Space, given: Mapping[str, Scalar], path: str) -> Configuration:
    """The configuration of the ``given`` values; fixed hyperparameters may be left out.

    ``point`` is that of the nearest values in range, and 0.5 for coordinates that do not apply. Raises InvalidSpace
    with all that is wrong, at paths under ``path``.
    """
    values = dict(given)
    for _ in space.definitions:  # a fixed value can be the parent of another
        values |= {
            definition.name: definition.domain.value
            for definition in space.definitions
            if isinstance(definition.domain, Value) and definition.applies(values) and definition.name not in values
        }
    applicable = [definition for definition in space.definitions if definition.applies(values)]
    problems = tuple(_problems(space, applicable, values, path))
    if problems:
        raise InvalidSpace(problems)
    arm = next(
        arm
        for arm in space.arms
        if all(identity(values[name]) == identity(value) for name, value in arm.parameters.items() if name in values)
        and arm.parameters.keys() <= values.keys()
    )
    coordinates = space.coordinates(arm.index, values)
    return Configuration(
        arm.index,
        tuple(coordinates.get(name, 0.5) for name in space.dimensions),
        {definition.name: _typed(definition, values[definition.name]) for definition in applicable},
    )


def _problems(
    space: Space, applicable: list[Hyperparameter], values: Mapping[str, Scalar], path: str
) -> Iterator[Problem]:
    names = {definition.name for definition in applicable}
    known = {definition.name for definition in space.definitions}
    for name in values:
        if name not in known:
            yield Problem(f"{path}.{name}", f"there is no hyperparameter {name}; there are {', '.join(sorted(known))}")
        elif name not in names:
            yield Problem(f"{path}.{name}", f"{name} does not apply with these values: leave it out")
    for definition in applicable:
        if definition.name not in values:
            yield Problem(path, f"lacks {definition.name}: give every hyperparameter that applies a value")
        else:
            yield from _problems_of_value(definition, values[definition.name], f"{path}.{definition.name}")


def _problems_of_value(definition: Hyperparameter, value: Scalar, path: str) -> Iterator[Problem]:
    match definition.domain:
        case Value(fixed) if identity(fixed) != identity(value):
            yield Problem(path, f"must be {fixed!r}, as it is fixed in this study: only what varies can be compared")
        case Choices(choices) if identity(value) not in map(identity, choices):
            yield Problem(path, f"must be one of {list(choices)!r}: the baseline is held against the arms of the study")
        case Range() if isinstance(value, str | bool):
            yield Problem(path, f"must be a number, not {value!r}")
        case Range(integer=True) if isinstance(value, float) and not value.is_integer():
            yield Problem(path, f"must be a whole number, not {value!r}")


def _typed(definition: Hyperparameter, value: Scalar) -> Scalar:
    """The value as a trial of the search would have it: an int in an integer range, a float in any other."""
    if isinstance(definition.domain, Range) and not isinstance(value, str):
        return int(value) if definition.domain.integer else float(value)
    return value
