"""Ranges that the evidence widens or trims (rules 8, 9 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from study_operator.findings import Finding
from study_operator.rounds.draft import Draft
from study_operator.space import Choices, Range, parameter_text


def widen(draft: Draft, findings: Sequence[Finding]) -> None:
    """Expand ranges whose best trial is at their end, in one arm at least (rule 9)."""
    for finding in findings:
        place, side, bound = _asked(draft, finding, "search-space-boundary")
        if place is None or bound is None:
            continue
        domain = dict(draft.definitions())[place].domain
        if isinstance(domain, Range):
            _move(draft, place, domain, side, bound, finding, outwards=True)


def trim(draft: Draft, findings: Sequence[Finding]) -> None:
    """Take out what does not train (rule 8), as far as every arm that shares a range agrees."""
    asked: dict[tuple[int, str], list[Finding]] = {}
    for finding in findings:
        place, side, _ = _asked(draft, finding, "infeasible-trials")
        if place is not None and draft.untouched(place):
            asked.setdefault((place, side), []).append(finding)
    for (place, side), agreeing in asked.items():
        labels = {arm.label for arm in draft.arms_of(place)}
        if not labels <= {finding.subject.arm for finding in agreeing}:
            continue
        domain = dict(draft.definitions())[place].domain
        bounds = {float(finding.numbers["to"]): finding for finding in agreeing if "to" in finding.numbers}
        if isinstance(domain, Range) and bounds:
            bound = max(bounds) if side == "max" else min(bounds)
            _move(draft, place, domain, side, bound, bounds[bound], outwards=False)
        elif isinstance(domain, Choices):
            _leave_out(draft, place, domain, agreeing)


def _asked(draft: Draft, finding: Finding, rule: str) -> tuple[int | None, str, float | None]:
    """The place of the definition that a finding of ``rule`` is about, the side, and the bound that it asks for."""
    if finding.rule != rule or not finding.subject.hyperparameter:
        return None, "", None
    place = draft.place_of(finding.subject.arm, finding.subject.hyperparameter)
    bound = finding.numbers.get("to")
    return place, str(finding.numbers.get("side", "")), None if bound is None else float(bound)


def _move(
    draft: Draft, place: int, domain: Range, side: str, bound: float, finding: Finding, *, outwards: bool
) -> None:
    old = domain.maximum if side == "max" else domain.minimum
    further = bound > old if side == "max" else bound < old
    if further is not outwards or bound == old:
        return
    moved = replace(domain, maximum=bound) if side == "max" else replace(domain, minimum=bound)
    draft.ranged(place, moved, finding.message, finding.rule, finding.subject.arm)


def _leave_out(draft: Draft, place: int, domain: Choices, agreeing: Sequence[Finding]) -> None:
    bad = {finding.numbers.get("choice") for finding in agreeing}
    left = tuple(value for value in domain.values if parameter_text(value) not in bad)
    if len(bad) == 1 and 2 <= len(left) < len(domain.values):
        draft.chosen(place, left, agreeing[0].message, agreeing[0].rule, agreeing[0].subject.arm)
