"""What is wrong with one hyperparameter, whatever the others are.

Everything that a scale, an environment variable or a comparison of values relies on is made sure of here, so that none
of them checks again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from study_operator.scalar import Identity, Scalar, identity
from study_operator.space.hyperparameter import Choices, Hyperparameter, Range, Role, ScaleName, Value, parameter_text
from study_operator.space.problem import Problem

LARGEST_INTEGER = 2**51
"""Up to here floats have halves, which the cells of integers end at."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def problems_of_definition(definition: Hyperparameter, path: str) -> Iterator[Problem]:
    """What is wrong with one definition, whatever the others are."""
    if not _NAME.fullmatch(definition.name):
        yield Problem(
            f"{path}.name",
            f"{definition.name!r} cannot be a part of an environment variable: "
            "use at most 63 letters, digits and underscores, and no digit at the beginning",
        )
    match definition.domain:
        case Range() as domain:
            yield from _problems_of_range(domain, f"{path}.range")
        case Choices(values):
            if len(values) < 2:
                yield Problem(
                    f"{path}.choices", "needs two values at least; give a single one as `value`, with the role Fixed"
                )
            yield from _problems_of_values(values, f"{path}.choices")
        case Value(value):
            yield from _problems_of_value(value, f"{path}.value")
    if (definition.role is Role.FIXED) != isinstance(definition.domain, Value):
        yield Problem(
            f"{path}.role",
            "a Fixed hyperparameter has one `value`; give it that, or the role Nuisance or Scientific"
            if definition.role is Role.FIXED
            else f"a {definition.role} hyperparameter varies: give it a `range` or `choices`, or the role Fixed",
        )
    for parent, allowed in definition.when.items():
        yield from _problems_of_values(allowed, f"{path}.when.{parent}")


def _problems_of_range(domain: Range, path: str) -> Iterator[Problem]:
    ends = {"min": domain.minimum, "max": domain.maximum}
    unusable = [end for end, bound in ends.items() if not _finite(bound)]
    for end in unusable:
        yield Problem(f"{path}.{end}", "must be a finite number")
    if unusable:
        return
    if domain.minimum >= domain.maximum:
        yield Problem(path, f"min must be less than max, and {domain.minimum!r} is not less than {domain.maximum!r}")
        return
    if domain.scale is ScaleName.LOG and domain.minimum <= 0:
        yield Problem(f"{path}.min", f"must be greater than 0 on the Log scale, and is {domain.minimum!r}")
    elif domain.scale is ScaleName.REVERSE_LOG and domain.maximum >= 1:
        yield Problem(f"{path}.max", f"must be less than 1 on the ReverseLog scale, and is {domain.maximum!r}")
    elif domain.integer:
        yield from _problems_of_integers(domain, path)
    elif domain.layout.coordinate(domain.maximum) != 1.0:
        yield Problem(
            path,
            f"min and max are too close to be told apart on the {domain.scale} scale: use Linear or widen the range",
        )


def _problems_of_integers(domain: Range, path: str) -> Iterator[Problem]:
    if domain.scale is ScaleName.REVERSE_LOG:
        yield Problem(f"{path}.scale", "ReverseLog is for numbers less than 1: integers need Linear or Log")
    for end, bound in (("min", domain.minimum), ("max", domain.maximum)):
        if bound != int(bound):
            yield Problem(f"{path}.{end}", f"must be a whole number with integer: true, and is {bound!r}")
        elif abs(bound) > LARGEST_INTEGER:
            yield Problem(
                f"{path}.{end}", f"must be within {LARGEST_INTEGER} of 0 with integer: true, and is {bound!r}"
            )


def _problems_of_values(values: Sequence[Scalar], path: str) -> Iterator[Problem]:
    """Each value is to be another one, and to reach the trainer as another text."""
    places: dict[Identity | str, int] = {}
    for place, value in enumerate(values):
        yield from _problems_of_value(value, f"{path}[{place}]")
        first = min(places.setdefault(key, place) for key in (identity(value), parameter_text(value)))
        if first != place:
            text = parameter_text(values[first])
            yield Problem(
                f"{path}[{place}]",
                f"{value!r} is there already, at [{first}], which a trainer reads as {text}: leave one of them out",
            )


def _problems_of_value(value: Scalar, path: str) -> Iterator[Problem]:
    if isinstance(value, float) and not math.isfinite(value):
        yield Problem(path, "must be a finite number")
    elif isinstance(value, str) and "\0" in value:
        yield Problem(path, "has a NUL character, which an environment variable cannot hold")


def _finite(bound: float) -> bool:
    try:
        return math.isfinite(bound)
    except OverflowError:  # an int beyond the largest float
        return False
