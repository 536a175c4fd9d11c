"""The playbook's reviewer: what is unwise about a study before it has cost anything.

A lint looks at the plan alone, so the same findings come out of ``study lint``, of a repository's CI and of the
operator when it accepts a study. A warning leaves the decision to the user; a denial holds the study back until it is
mended or waived with a reason, which then limits the conclusion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from study_operator.findings.finding import Finding, Severity
from study_operator.findings.lints import adam, conditions, hosts, lengths, practice, regularisers, roles
from study_operator.findings.lints.design import Design, Lint, Words

LINTS: tuple[Lint, ...] = (
    roles.roles,
    roles.fixed_optimizer,
    roles.one_goal,
    roles.many_dimensions,
    regularisers.strength_compared,
    regularisers.off_arm,
    conditions.not_conditioned,
    conditions.shared_learning_rate,
    lengths.steps_tuned,
    lengths.batch_size_tuned,
    adam.adam_budget,
    practice.constant_schedule,
    practice.grid,
    practice.bayesian_exploration,
    practice.test_objective,
    practice.early_stopping,
    practice.evaluation_by_time,
    practice.long_warmup,
    practice.unconfirmed,
    hosts.several_hosts,
)


def lint(design: Design) -> tuple[Finding, ...]:
    """Every finding about a plan, in the order of the rules and, within one, of the manifest."""
    return tuple(finding for check in LINTS for finding in check(design))


def waive(findings: Iterable[Finding], waivers: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings, with those of a rule in ``waivers`` told as information that has the user's reason."""
    return tuple(
        replace(
            finding,
            severity=Severity.INFO,
            message=f"{finding.message} Waived: {waivers[finding.rule]}",
            numbers={**finding.numbers, "waived": "yes"},
        )
        if finding.rule in waivers and not finding.waived
        else finding
        for finding in findings
    )


__all__ = ["LINTS", "Design", "Lint", "Words", "lint", "waive"]
