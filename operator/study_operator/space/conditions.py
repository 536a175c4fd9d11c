"""Which definitions can apply together.

`when` names parents, and parents have conditions of their own, so what a definition needs is spread over the manifest.
Here it is gathered: a condition says for each ancestor which of its values are needed, and a definition applies if one
of its conditions holds (there are several only where an ancestor is defined several times). Two definitions can then be
compared, and held against an arm, by looking at shared ancestors alone: nothing is enumerated, and a space with a
billion combinations is checked as fast as a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

from study_operator.scalar import Identity, Scalar, identity
from study_operator.space.hyperparameter import Hyperparameter

Condition = Mapping[str, frozenset[Identity]]

LIMIT = 256
"""Conditions a definition may have: more than a person writes, few enough to compare all pairs at once."""


class TooManyConditions(ValueError):
    """A definition applies in more than ``LIMIT`` ways."""


def parents_of(definitions: Sequence[Hyperparameter]) -> dict[str, list[str]]:
    """The names that each name's `when` entries refer to, as far as they are defined."""
    parents: dict[str, list[str]] = {definition.name: [] for definition in definitions}
    for definition in definitions:
        parents[definition.name] += [name for name in definition.when if name in parents]
    return parents


def parents_first(definitions: Sequence[Hyperparameter]) -> tuple[int, ...]:
    """The indices of ``definitions``, parents before children. Needs `when` without cycles."""
    names = TopologicalSorter(parents_of(definitions)).static_order()
    position = {name: place for place, name in enumerate(names)}
    return tuple(sorted(range(len(definitions)), key=lambda index: position[definitions[index].name]))


def conditions_of(
    definition: Hyperparameter, known: Mapping[str, Iterable[tuple[Hyperparameter, Sequence[Condition]]]]
) -> list[Condition]:
    """The conditions under which ``definition`` applies; none where its ``when`` contradicts itself or its parents'.

    ``known`` has for each name its definitions and their conditions. Raises TooManyConditions.
    """
    conditions: list[Condition] = [{}]
    for parent, allowed in definition.when.items():
        needed = frozenset(map(identity, allowed))
        conditions = _all_pairs(
            conditions,
            [
                {**condition, parent: values}
                for other, others in known.get(parent, ())
                if (values := needed & frozenset(map(identity, other.values)))
                for condition in others
            ],
        )
    return conditions


def overlap(first: Iterable[Condition], second: Sequence[Condition]) -> bool:
    """Whether some combination of values satisfies a condition of each."""
    return any(_both(one, other) is not None for one in first for other in second)


def allows(conditions: Iterable[Condition], values: Mapping[str, Scalar]) -> bool:
    """Whether one of ``conditions`` can still hold once the names in ``values`` have those values."""
    return any(
        all(identity(value) in condition[name] for name, value in values.items() if name in condition)
        for condition in conditions
    )


def _all_pairs(first: Sequence[Condition], second: Sequence[Condition]) -> list[Condition]:
    pairs: list[Condition] = []
    for one in first:
        for other in second:
            merged = _both(one, other)
            if merged is not None and merged not in pairs:
                pairs.append(merged)
            if len(pairs) > LIMIT:
                raise TooManyConditions
    return pairs


def _both(first: Condition, second: Condition) -> Condition | None:
    merged = dict(first)
    for name, values in second.items():
        shared = values & merged.get(name, values)
        if not shared:
            return None
        merged[name] = shared
    return merged
