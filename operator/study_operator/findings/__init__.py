"""Findings: what a study's trials teach beyond the best of them, as the tuning playbook's rules. Pure.

One module a family; each has ``find(evidence)``, which yields its findings in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from study_operator.findings import (
    boundary,
    coverage,
    feasibility,
    insight,
    instability,
    noise,
    overfitting,
    plots,
    progress,
    signatures,
    test_set,
)
from study_operator.findings.evidence import ArmEvidence, Axis, Evidence
from study_operator.findings.finding import RULES, Finding, Rule, Severity, Subject

FAMILIES: tuple[Callable[[Evidence], Iterable[Finding]], ...] = (
    feasibility.find,
    boundary.find,
    instability.find,
    coverage.find,
    plots.find,
    insight.find,
    overfitting.find,
    noise.find,
    progress.find,
    signatures.find,
    test_set.find,
)


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """All that the rules find, the gravest first; the same trials give the same findings in the same order."""
    found = (finding for family in FAMILIES for finding in family(evidence))
    return tuple(sorted(found, key=lambda finding: finding.order))


__all__ = [
    "RULES",
    "ArmEvidence",
    "Axis",
    "Evidence",
    "Finding",
    "Rule",
    "Severity",
    "Subject",
    "findings",
]
