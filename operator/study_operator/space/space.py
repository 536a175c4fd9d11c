"""The search space: from a trial's index to its arm, and from a unit point to its parameters.

The coordinates of all the arms are laid out in one cube, so that one list of points serves them all and trial k of one
arm can be compared with trial k of another: hyperparameters that always apply first, then one slot for each conditional
name. Arms read the slots of the names that apply to them, each through its own range, and leave the others. The layout
depends on the manifest alone; a change of it would move every point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study_operator.scalar import Scalar
from study_operator.space.arms import Arm, arms_of
from study_operator.space.conditions import allows
from study_operator.space.hyperparameter import Choices, Hyperparameter, Range, Value
from study_operator.space.problem import Problem
from study_operator.space.structure import check


@dataclass(frozen=True, slots=True)
class Space:
    """A checked search space. Made by :meth:`build`.

    ``arms`` are what is compared, ``dimensions`` the names of the unit point's coordinates.
    """

    definitions: tuple[Hyperparameter, ...]
    arms: tuple[Arm, ...]
    dimensions: tuple[str, ...]
    _order: tuple[int, ...]
    _applicable: tuple[frozenset[int], ...]

    @classmethod
    def build(cls, hyperparameters: Sequence[Hyperparameter], path: str = "spec.hyperparameters") -> Space:
        """The space of ``hyperparameters``; raises InvalidSpace with all that is wrong, at paths under ``path``."""
        definitions = tuple(hyperparameters)
        structure = check(definitions, path)
        arms = arms_of(definitions, structure.order)
        applicable = tuple(
            frozenset(index for index, own in enumerate(structure.conditions) if allows(own, arm.parameters))
            for arm in arms
        )
        return cls(definitions, arms, _dimensions(definitions), structure.order, applicable)

    def hyperparameters(self, arm: int) -> tuple[Hyperparameter, ...]:
        """The definitions that can apply in ``arm``, in the order of the manifest."""
        return tuple(self.definitions[index] for index in sorted(self._applicable[arm]))

    def parameters(self, arm: int, point: Sequence[float]) -> dict[str, Scalar]:
        """The values of all hyperparameters that apply in ``arm`` at the unit ``point``, in the order of the manifest.

        Raises ValueError where ``point`` has not one coordinate for each of ``dimensions``.
        """
        if len(point) != len(self.dimensions):
            raise ValueError(f"the point has {len(point)} coordinates, and the space {len(self.dimensions)} dimensions")
        coordinates = dict(zip(self.dimensions, point, strict=True))
        values: dict[str, Scalar] = {}
        for definition in self._parents_first(arm):
            if definition.applies(values):
                values[definition.name] = self._value(definition, arm, coordinates)
        return {
            definition.name: values[definition.name]
            for definition in self.hyperparameters(arm)
            if definition.applies(values)
        }

    def coordinates(self, arm: int, parameters: Mapping[str, Scalar]) -> dict[str, float]:
        """The coordinate of every sampled hyperparameter that applies in ``arm`` with ``parameters``, by name.

        The inverse of :meth:`parameters`; a number beyond its range has the coordinate of the end. Raises ValueError
        for a value of the wrong sort, KeyError for a missing one.
        """
        return {
            definition.name: definition.domain.coordinate(parameters[definition.name])
            for definition in self.hyperparameters(arm)
            if definition.sampled and not isinstance(definition.domain, Value) and definition.applies(parameters)
        }

    def _parents_first(self, arm: int) -> list[Hyperparameter]:
        return [self.definitions[index] for index in self._order if index in self._applicable[arm]]

    def _value(self, definition: Hyperparameter, arm: int, coordinates: Mapping[str, float]) -> Scalar:
        match definition.domain:
            case Value(value):
                return value
            case Choices() if definition.distinguishes_arms:
                return self.arms[arm].parameters[definition.name]
            case Choices() | Range() as domain:
                return domain.value(coordinates[definition.name])


def check_arms_fit(space: Space, trials: int, path: str = "spec.budget.trials") -> tuple[Problem, ...]:
    """Whether ``trials`` give every arm of ``space`` one trial at least."""
    if len(space.arms) <= trials:
        return ()
    return (
        Problem(
            path,
            f"{trials} trials cannot cover {len(space.arms)} arms: give each arm one trial at least, or compare fewer",
        ),
    )


def _dimensions(definitions: Sequence[Hyperparameter]) -> tuple[str, ...]:
    """The names of the coordinates: what always applies, then what is conditional, in order of first appearance."""
    sampled = [definition for definition in definitions if definition.sampled]
    always = [definition.name for definition in sampled if not definition.when]
    conditional = [definition.name for definition in sampled if definition.when]
    return tuple(dict.fromkeys(always + conditional))
