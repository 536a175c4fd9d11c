"""Rule 2: whether to regularise is the question, how strongly is a nuisance.

"With or without dropout" is only answered when each side is at its best: the side with it at a tuned strength, the side
without it at a tuned learning rate, and both on equal budgets.
"""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.lints.design import PATH, Definition, Design
from study_operator.scalar import is_number
from study_operator.space import REGULARISERS, Choices, Hyperparameter, Kind, Range, Role


def strength_compared(design: Design) -> Iterator[Finding]:
    """Strengths that are Scientific."""
    for definition in design.of_kind(*REGULARISERS):
        if definition.role is Role.SCIENTIFIC and _has_strength(definition):
            yield definition.finding(
                "regulariser-off-arm",
                f"The strength of {definition.name} is Scientific: strengths that nobody tuned are compared.",
                f"Make `use_{definition.name}` Scientific with `choices: [false, true]`, and {definition.name} "
                f"Nuisance with a range and `when: {{use_{definition.name}: [true]}}`.",
                field="role",
            )


def off_arm(design: Design) -> Iterator[Finding]:
    """Switches of a regulariser: an arm without it, the learning rate tuned on both sides, equal budgets."""
    for name in dict.fromkeys(definition.name for definition in design.of_kind(*REGULARISERS)):
        definitions = [definition for definition in design.of_kind(*REGULARISERS) if definition.name == name]
        for switch in _switches(design, definitions):
            yield from _one_switch(design, definitions[0], switch)


def _switches(design: Design, definitions: list[Definition]) -> list[str]:
    """The scientific flags that decide whether the regulariser applies, or by their name should."""
    name = definitions[0].name
    parents = {parent for definition in definitions for parent in definition.hyperparameter.when}
    return [
        each.name
        for each in design.definitions
        if (each.name in parents or name in each.name)
        and each.role is Role.SCIENTIFIC
        and any(isinstance(value, bool) for value in each.hyperparameter.values)
    ]


def _one_switch(design: Design, strength: Definition, switch: str) -> Iterator[Finding]:
    space = design.space
    sides: dict[bool, list[int]] = {True: [], False: []}
    for arm in space.arms:
        if switch in arm.parameters:
            sides[any(each.name == strength.name for each in space.hyperparameters(arm.index))].append(arm.index)
    if not sides[False] or not sides[True]:
        yield strength.finding(
            "regulariser-off-arm",
            f"No arm of {switch} is without {strength.name}: nothing tells whether it is needed.",
            f"Let `when` name only those values of {switch} under which it is on.",
            field="when",
        )
        return
    if strength.role is Role.FIXED:
        yield strength.finding(
            "regulariser-off-arm",
            f"{switch} is compared at one strength of {strength.name}, which may be too weak or too strong.",
            "Write `role: Nuisance` with a range, so that the side with it is seen at its best.",
            field="role",
        )
    for side, words in ((True, "with"), (False, "without")):
        if not any(_tunes_learning_rate(space.hyperparameters(arm)) for arm in sides[side]):
            yield strength.finding(
                "regulariser-off-arm",
                f"The arms {words} {strength.name} do not tune a learning rate: the comparison takes one that may suit "
                "the other side only.",
                "Define learning_rate as Nuisance for these arms too.",
            )
    if len(sides[True]) != len(sides[False]):
        yield Finding(
            "regulariser-off-arm",
            Severity.WARNING,
            Subject(hyperparameter=strength.name, field=PATH),
            f"{len(sides[True])} arms have {strength.name} and {len(sides[False])} do not: the side with more arms has "
            "more trials to be lucky in.",
            "Give both sides the same number of arms.",
            {"with": len(sides[True]), "without": len(sides[False])},
        )


def _has_strength(definition: Definition) -> bool:
    domain = definition.hyperparameter.domain
    if isinstance(domain, Range):
        return True
    return isinstance(domain, Choices) and any(is_number(value) and value != 0 for value in domain.values)


def _tunes_learning_rate(hyperparameters: tuple[Hyperparameter, ...]) -> bool:
    return any(each.kind is Kind.LEARNING_RATE and each.role is not Role.FIXED for each in hyperparameters)
