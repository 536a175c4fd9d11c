"""How hyperparameters hang together, and what is wrong where they do not.

First each definition is checked by itself, then how they refer to each other, then what they make together; a later
check leaves out what an earlier one found broken, so that one mistake is told once, and all that can be told is told at
once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from study_operator.scalar import identity
from study_operator.space import arms, conditions
from study_operator.space.checks import problems_of_definition
from study_operator.space.conditions import Condition
from study_operator.space.hyperparameter import Hyperparameter, Range, Role
from study_operator.space.problem import InvalidSpace, Problem


@dataclass(frozen=True, slots=True)
class Structure:
    """How checked definitions hang together: their indices with parents first, and each one's conditions."""

    order: tuple[int, ...]
    conditions: tuple[Sequence[Condition], ...]


def check(definitions: Sequence[Hyperparameter], path: str) -> Structure:
    """The structure of ``definitions``; raises InvalidSpace with all that is wrong, at paths under ``path``."""
    problems: list[Problem] = []
    for index, definition in enumerate(definitions):
        problems += problems_of_definition(definition, f"{path}[{index}]")
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
            if not allowed:
                problems[index].append(Problem(place, "needs one value at least; leave it out where any value will do"))
            elif parent not in by_name:
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
            place = next(
                index
                for index, definition in enumerate(definitions)
                if definition.name in names and not definition.when.keys().isdisjoint(names)
            )
            yield Problem(f"{path}[{place}].when", f"a cycle: {' <- '.join(names)}; none of them can be decided first")
            for name in names:
                parents[name] = []
        else:
            return


def _problems_of_combinations(
    definitions: Sequence[Hyperparameter], gathered: Sequence[Sequence[Condition] | None], path: str
) -> Iterator[Problem]:
    """What is wrong with what applies together; ``gathered`` has the conditions of each definition, as far as known."""
    sampled = {definition.name for definition in definitions if definition.sampled}
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
