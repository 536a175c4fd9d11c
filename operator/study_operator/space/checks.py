"""What a list of hyperparameters must satisfy to be a search space.

First each definition by itself, then how they refer to each other, then what they make together; a later check leaves
out what an earlier one found broken, so that one mistake is told once.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from study_operator.scalar import Identity, Scalar, identity
from study_operator.space import arms, conditions
from study_operator.space.conditions import Condition
from study_operator.space.hyperparameter import Choices, Hyperparameter, Range, Role, ScaleName, Value
from study_operator.space.problem import InvalidSpace, Problem

LARGEST_INTEGER = 2**52
"""From here on floats have no halves, and the cells of integers cannot be told apart."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Structure:
    """How checked definitions hang together: their indices with parents first, and each one's conditions."""

    order: tuple[int, ...]
    conditions: tuple[Sequence[Condition], ...]


def check(definitions: Sequence[Hyperparameter], path: str) -> Structure:
    """The structure of ``definitions``; raises InvalidSpace with all that is wrong, at paths under ``path``."""
    problems: list[Problem] = []
    for index, definition in enumerate(definitions):
        problems += _problems_of_definition(definition, f"{path}[{index}]")
    references = _problems_of_references(definitions, path)
    problems += [problem for found in references.values() for problem in found]
    cycles = list(_problems_of_cycles(definitions, path))
    if cycles:
        raise InvalidSpace(problems + cycles)
    order = conditions.parents_first(definitions)
    gathered: list[Sequence[Condition] | None] = [None] * len(definitions)
    for index in order:
        if index not in references:
            try:
                gathered[index] = _gather(definitions, index, gathered)
            except conditions.TooManyConditions:
                problems.append(
                    Problem(f"{path}[{index}].when", "can hold in too many ways: define its parents fewer times")
                )
    problems += _problems_of_combinations(definitions, gathered, path)
    structure = Structure(order, tuple(found or () for found in gathered))
    if not problems:
        problems += _problems_of_arms(definitions, structure, path)
    if problems:
        raise InvalidSpace(problems)
    return structure


def _gather(
    definitions: Sequence[Hyperparameter], index: int, gathered: Sequence[Sequence[Condition] | None]
) -> Sequence[Condition] | None:
    """The conditions of one definition, given those of its ancestors; None where one of theirs is unknown."""
    parents: dict[str, list[tuple[Hyperparameter, Sequence[Condition]]]] = defaultdict(list)
    for other, found in zip(definitions, gathered, strict=True):
        if other.name in definitions[index].when:
            if found is None:
                return None
            parents[other.name].append((other, found))
    return conditions.conditions_of(definitions[index], parents)


def _problems_of_definition(definition: Hyperparameter, path: str) -> Iterator[Problem]:
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
        if not allowed:
            yield Problem(
                f"{path}.when.{parent}", "needs one value at least; leave the entry out where any value will do"
            )
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
    places: dict[Identity, int] = {}
    for place, value in enumerate(values):
        yield from _problems_of_value(value, f"{path}[{place}]")
        if places.setdefault(identity(value), place) != place:
            yield Problem(
                f"{path}[{place}]", f"{value!r} is there already, at [{places[identity(value)]}]: leave one of them out"
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


def _problems_of_references(definitions: Sequence[Hyperparameter], path: str) -> dict[int, list[Problem]]:
    """What is wrong with the names and with `when`, by the index of the definition."""
    problems: dict[int, list[Problem]] = defaultdict(list)
    by_name: dict[str, list[Hyperparameter]] = defaultdict(list)
    variables: dict[str, str] = {}
    for index, definition in enumerate(definitions):
        by_name[definition.name].append(definition)
        other = variables.setdefault(definition.name.upper(), definition.name)
        if other != definition.name:
            problems[index].append(
                Problem(
                    f"{path}[{index}].name",
                    f"{definition.name} and {other} would both be HP_{other.upper()}: rename one",
                )
            )
    for index, definition in enumerate(definitions):
        for parent, allowed in definition.when.items():
            place = f"{path}[{index}].when.{parent}"
            if parent not in by_name:
                known = ", ".join(sorted(by_name))
                problems[index].append(Problem(place, f"there is no hyperparameter {parent}; there are {known}"))
            elif ranges := [other for other in by_name[parent] if isinstance(other.domain, Range)]:
                problems[index].append(
                    Problem(place, f"{ranges[0].name} has a range: a parent needs choices or a value")
                )
            else:
                values = {identity(value): value for other in by_name[parent] for value in other.values}
                problems[index].extend(
                    Problem(f"{place}[{at}]", f"{parent} is never {value!r}; it is one of {list(values.values())!r}")
                    for at, value in enumerate(allowed)
                    if identity(value) not in values
                )
    return {index: found for index, found in problems.items() if found}


def _problems_of_cycles(definitions: Sequence[Hyperparameter], path: str) -> Iterator[Problem]:
    parents = conditions.parents_of(definitions)
    while True:
        try:
            TopologicalSorter(parents).prepare()
        except CycleError as error:
            names: list[str] = error.args[1]
            place = next(index for index, definition in enumerate(definitions) if definition.name in names)
            yield Problem(f"{path}[{place}].when", f"a cycle: {' <- '.join(names)}; none of them can be decided first")
            for name in names:
                parents[name] = []
        else:
            return


def _problems_of_combinations(
    definitions: Sequence[Hyperparameter], gathered: Sequence[Sequence[Condition] | None], path: str
) -> Iterator[Problem]:
    """What is wrong with what applies together. ``gathered`` has each definition's conditions, None where they are
    unknown.
    """
    scientific = {definition.name for definition in definitions if definition.distinguishes_arms}
    fixed = {definition.name for definition in definitions if definition.role is Role.FIXED}
    sampled = {definition.name for definition in definitions if definition.sampled} - scientific - fixed
    for index, definition in enumerate(definitions):
        own = gathered[index]
        if own is None:
            continue
        if not own:
            yield Problem(
                f"{path}[{index}].when", "never holds: its parents do not apply together, or not with these values"
            )
        for other in range(index):
            others = gathered[other]
            if definitions[other].name == definition.name and others is not None and conditions.overlap(own, others):
                yield Problem(
                    f"{path}[{index}].name",
                    f"{definition.name} is defined at {path}[{other}] too, and both can apply at once: "
                    "rename one, or make their `when` exclude each other",
                )
        ancestors = sorted({name for condition in own for name in condition} & sampled)
        if definition.distinguishes_arms and ancestors:
            yield Problem(
                f"{path}[{index}].when",
                f"depends on {ancestors[0]}, which is sampled: arms depend on scientific choices and fixed values only",
            )


def _problems_of_arms(definitions: Sequence[Hyperparameter], structure: Structure, path: str) -> Iterator[Problem]:
    """What is wrong with what the study compares; the definitions are right otherwise."""
    if all(definition.role is Role.FIXED for definition in definitions):
        yield Problem(path, "nothing varies: give one hyperparameter at least the role Nuisance or Scientific")
        return
    try:
        found = arms.arms_of(definitions, structure.order)
    except arms.TooManyArms:
        yield Problem(
            path, f"the choices of scientific hyperparameters make more than {arms.LIMIT} arms: compare less at once"
        )
        return
    bare = [
        arm.label
        for arm in found
        if not any(
            definition.sampled and conditions.allows(own, arm.parameters)
            for definition, own in zip(definitions, structure.conditions, strict=True)
        )
    ]
    if bare:
        rest = f" and {len(bare) - 5} others" if len(bare) > 5 else ""
        yield Problem(
            path,
            f"nothing to tune in the arm {'; '.join(bare[:5])}{rest}: its trials would all be the same; "
            "add a nuisance hyperparameter that applies there, such as the learning rate",
        )
