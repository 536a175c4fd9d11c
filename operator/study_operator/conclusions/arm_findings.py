"""The comparison of arms as findings (rules 21 and 22)."""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.conclusions.comparison import Comparison
from study_operator.conclusions.statements import expected, number
from study_operator.findings.finding import Finding, Severity, Subject


def arm_findings(comparison: Comparison) -> Iterator[Finding]:
    """What the search says of the leading arm against the next one, and which arms mostly fail."""
    for lead in comparison.differences[:1]:
        advice = (
            "Confirm it on fresh seeds before you adopt it."
            if lead.clear
            else "The search does not separate the two: more trials, or reruns of the best of each, may."
        )
        numbers: dict[str, float | int | str] = {"effect": lead.effect, "m": comparison.m}
        if lead.interval is not None:
            numbers |= {"low": lead.interval.low, "high": lead.interval.high}
        told = "" if lead.clear else " Zero lies in the interval."
        message = expected(comparison) + (told if lead.interval is not None else "")
        yield Finding("arm-comparison", Severity.INFO, Subject(arm=lead.leader), message, advice, numbers)
    for estimate in comparison.estimates:
        if comparison.differences and estimate.barren > 0.05:
            yield Finding(
                "arm-comparison",
                Severity.WARNING,
                Subject(arm=estimate.label),
                f"{estimate.infeasible} of its {estimate.trials} trials are infeasible: {estimate.m} trials all are, "
                f"with a chance of {number(estimate.barren)}, so the arms are compared by their ranges more than by "
                "their merits.",
                "Trim the ranges of this arm to where it trains, and search again.",
                {"infeasible": estimate.infeasible, "trials": estimate.trials, "m": estimate.m, "p": estimate.barren},
            )
