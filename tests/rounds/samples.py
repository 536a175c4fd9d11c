"""Rounds, findings of them, and what follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
from study_operator.findings import Evidence, Finding, Severity, Subject
from study_operator.rounds import Plan, Proposal, propose
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space

from tests.findings.evidence_samples import sobol, study

RATE = "spec.hyperparameters[0].range"

TWO_ARMS = [
    Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("nesterov", "adam"))),
    Hyperparameter("learning_rate", Role.NUISANCE, Range(0.01, 10.0, ScaleName.LOG), {"optimizer": ("nesterov",)}),
    Hyperparameter("learning_rate", Role.NUISANCE, Range(1e-4, 0.1, ScaleName.LOG), {"optimizer": ("adam",)}),
    Hyperparameter("momentum", Role.NUISANCE, Range(0.8, 0.99), {"optimizer": ("nesterov",)}),
    Hyperparameter("dropout", Role.NUISANCE, Range(0.0, 0.4)),
]

ARMS = [("adam", 0.2), ("nesterov", 0.3)]


def found(rule: str, name: str = "", arm: str = "all", **numbers: Any) -> Finding:
    return Finding(rule, Severity.WARNING, Subject(arm=arm, hyperparameter=name), "It was seen.", "Act.", numbers)


def remark(rule: str) -> Finding:
    return replace(found(rule), severity=Severity.INFO)


def round_of(*definitions: Hyperparameter, trials: int = 32, best: float = 0.5) -> Evidence:
    """A round whose objective is the distance of the first coordinate from ``best``; the later arms are worse."""
    space = Space.build(definitions)
    points = sobol(len(space.dimensions), trials)
    objective = {arm.index: numpy.abs(points[:, 0] - best) + arm.index for arm in space.arms}
    return study(space, points, objective)


def proposed(evidence: Evidence, *seen: Finding, **plan: Any) -> Proposal:
    return propose(evidence, seen, Plan(**{"trials": len(evidence.trials), "exploitation": True, **plan}))


def exploring(evidence: Evidence, *seen: Finding) -> Proposal:
    """What follows from an exploration of which a trial is still to end, so that it is not over."""
    return propose(evidence, seen, Plan(trials=len(evidence.trials) + 1))


def moves(proposal: Proposal) -> list[tuple[str, str, str]]:
    return [(change.path, change.before, change.after) for change in proposal.changes]


def of_arm(optimizer: str, name: str, role: Role, domain: Range | Choices) -> Hyperparameter:
    return Hyperparameter(name, role, domain, {"optimizer": (optimizer,)})
