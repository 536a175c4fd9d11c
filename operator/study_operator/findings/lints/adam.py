"""Rule 5: how many of Adam's hyperparameters a budget can tune.

They are not equally important, and each that is tuned takes points from the learning rate. The thresholds are the
playbook's ("How should Adam's hyperparameters be tuned?"); its "substantially more than 25 trials" for beta2 is taken
as 50. They count trials of one arm, because each arm is tuned by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from study_operator.findings.finding import Finding
from study_operator.findings.lints.design import Design
from study_operator.space import Kind, Role

TRIALS_NEEDED: Mapping[Kind | None, int] = MappingProxyType({Kind.BETA1: 10, Kind.EPSILON: 25, Kind.BETA2: 50})
"""Trials per arm from which on a hyperparameter of Adam is worth tuning."""


def adam_budget(design: Design) -> Iterator[Finding]:
    """Hyperparameters of Adam that are tuned on too few trials."""
    for definition in design.of_kind(Kind.BETA1, Kind.EPSILON, Kind.BETA2):
        needed = TRIALS_NEEDED[definition.kind]
        if definition.role is Role.FIXED or design.trials_per_arm >= needed:
            continue
        tunable = ["the learning rate"]
        tunable += [
            kind.value.lower() for kind, least in TRIALS_NEEDED.items() if kind and design.trials_per_arm >= least
        ]
        yield definition.finding(
            "adam-budget",
            f"{definition.name} is tuned on {design.trials_per_arm} trials an arm, and takes at least {needed}; "
            f"so few can tune {' and '.join(tunable)}.",
            f"Write `role: Fixed` with the default, or raise budget.trials to {needed * len(design.space.arms)}.",
            field="role",
        )
