"""Arms: the configurations that a study compares.

An arm is one combination of the discrete scientific values that apply together. Every arm gets the same number of
trials, dealt out in turns, so that a study that is stopped early is still a fair comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study_operator.scalar import Identity, Scalar, identity
from study_operator.space.hyperparameter import Hyperparameter, Role, parameter_text

LIMIT = 1000
"""Arms a study may have. A comparison of more is a search, and belongs into nuisance hyperparameters."""


class TooManyArms(ValueError):
    """The discrete scientific values make more than ``LIMIT`` arms."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the compared configurations: its discrete scientific values by name, in the order of the manifest."""

    index: int
    parameters: Mapping[str, Scalar]

    @property
    def label(self) -> str:
        """``optimizer=adam, augment=true``; ``all`` where there is nothing discrete to compare."""
        return ", ".join(f"{name}={parameter_text(value)}" for name, value in self.parameters.items()) or "all"


def arms_of(definitions: Sequence[Hyperparameter], order: Sequence[int]) -> tuple[Arm, ...]:
    """The arms in the order of the manifest, in which the first scientific hyperparameter varies slowest.

    ``order`` has the indices of ``definitions``, parents first. Raises TooManyArms.
    """
    combinations: list[dict[str, Scalar]] = [{}]
    for definition in (definitions[index] for index in order):
        if definition.distinguishes_arms or definition.role is Role.FIXED:
            combinations = [
                grown
                for combination in combinations
                for grown in (
                    [{**combination, definition.name: value} for value in definition.values]
                    if definition.applies(combination)
                    else [combination]
                )
            ]
        if len(combinations) > LIMIT:
            raise TooManyArms
    scientific = [definition for definition in definitions if definition.distinguishes_arms]
    combinations.sort(key=lambda combination: [_place(definition, combination) for definition in scientific])
    return tuple(
        Arm(
            index, {definition.name: values[definition.name] for definition in scientific if definition.applies(values)}
        )
        for index, values in enumerate(combinations)
    )


def _place(definition: Hyperparameter, combination: Mapping[str, Scalar]) -> int:
    if not definition.applies(combination):
        return -1
    places: list[Identity] = [identity(value) for value in definition.values]
    return places.index(identity(combination[definition.name]))
