"""What the training curves ask for: regularisation, fewer steps, clipping and warmup (rules 13, 16, 18 and 20).

A hyperparameter is only added where the manifest names it already, as a Fixed one: whether a trainer knows another one
cannot be seen, and a trial with an unknown hyperparameter fails. What would help beyond that is a note.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from study_operator.findings import ArmEvidence, Evidence, Finding, Severity
from study_operator.findings.boundary import expanded
from study_operator.findings.lints.practice import WARMUP_SHARE
from study_operator.results.trial import Trial
from study_operator.rounds.change import Change, Put
from study_operator.rounds.draft import Draft, domain_text
from study_operator.scalar import Scalar
from study_operator.space import Choices, Hyperparameter, Kind, Range, Role, ScaleName, Value

STRENGTHS: Mapping[Kind | None, Range] = MappingProxyType(
    {
        Kind.WEIGHT_DECAY: Range(1e-6, 1e-2, ScaleName.LOG),
        Kind.DROPOUT: Range(0.0, 0.5),
        Kind.LABEL_SMOOTHING: Range(0.0, 0.2),
    }
)
"""Where the search for a regulariser's strength begins."""

STRONG = 0.75
"""From this part of its range on a regulariser is strong (decided by the project): what overfits there wants a stronger
one yet.
"""

MARGIN = 1.5
"""How much longer a training may be than until it saturates (decided by the project): the median's is no bound."""

HALF_A_DECADE_FACTOR = math.sqrt(10.0)
"""By how much lower the learning rate may be than clipping had made it: half a decade."""

LADDER = (10, 1_000, 10_000, 100_000)
"""Warmups to try, in steps (rules.md, rule 20)."""


def regularise(draft: Draft, findings: Sequence[Finding]) -> list[str]:
    """Strengthen what the overfitting arms have of regularisation, or tune what they have fixed (rule 13)."""
    notes = []
    for finding in findings:
        if finding.rule != "overfitting" or finding.severity is not Severity.WARNING:
            continue
        named = [
            (place, definition, arm)
            for place, definition in draft.definitions()
            for arm in draft.arms_of(place)
            if definition.kind in STRENGTHS and arm.label == finding.subject.arm
        ]
        strengthened = [_strengthened(draft, place, definition, arm, finding) for place, definition, arm in named]
        if not any(strengthened):
            notes.append(f"{finding.sentence} {_wanted([definition for _, definition, _ in named])}")
    return notes


def _strengthened(draft: Draft, place: int, definition: Hyperparameter, arm: ArmEvidence, finding: Finding) -> bool:
    """Whether the next round has stronger values of a regulariser than what overfits; made so where it can be."""
    if not draft.untouched(place):
        return True
    if isinstance(definition.domain, Value):
        strengths = _strengths(definition, definition.domain.value)
        return draft.tuned(place, strengths, finding.message, finding.rule, arm.label)
    if not isinstance(definition.domain, Range) or definition.role is not Role.NUISANCE:
        return False
    parameters = _seen_in(arm, finding).spec.parameters
    if not definition.applies(parameters) or definition.domain.coordinate(parameters[definition.name]) < STRONG:
        return True
    further = expanded(definition, "max")
    if further is None:
        return False
    stronger = replace(definition.domain, maximum=further)
    return draft.ranged(place, stronger, finding.message, finding.rule, arm.label)


def _strengths(definition: Hyperparameter, fixed: Scalar) -> Range:
    """Where to look for a regulariser's strength: also beyond the ``fixed`` one that overfits, if that is strong."""
    usual = STRENGTHS[definition.kind]
    if isinstance(fixed, str | bool) or usual.coordinate(fixed) < STRONG:
        return usual
    reached = replace(usual, maximum=max(usual.maximum, fixed))
    further = expanded(replace(definition, domain=reached), "max")
    return reached if further is None else replace(reached, maximum=further)


def _wanted(named: Sequence[Hyperparameter]) -> str:
    """What a person has to do for an arm that has these regularisers."""
    if named:
        there = " or ".join(f"{each.name} ({domain_text(each.domain)})" for each in named)
        return f"A stronger regulariser is wanted than the manifest's {there}."
    candidates = " or ".join(f"{kind} ({domain_text(domain)})" for kind, domain in STRENGTHS.items())
    return (
        f"The manifest names no regulariser: add one that the trainer knows as a Nuisance hyperparameter, {candidates}."
    )


def _seen_in(arm: ArmEvidence, finding: Finding) -> Trial:
    """The trial that a finding names, or else the arm's best."""
    assert arm.best is not None
    return next((trial for trial in arm.trials if trial.spec.name == finding.subject.trial), arm.trials[arm.best])


def shorten(evidence: Evidence, findings: Sequence[Finding]) -> list[Change]:
    """Fewer steps where every arm is done long before the end (rule 16)."""
    saturated = {finding.subject.arm: finding for finding in findings if finding.rule == "early-saturation"}
    arms = {arm.label for arm in evidence.arms if arm.best is not None}
    if evidence.steps is None or not arms or not arms <= saturated.keys():
        return []
    latest = max(saturated.values(), key=lambda finding: float(finding.numbers.get("settled", 1.0)))
    wanted = MARGIN * float(latest.numbers.get("settled", 1.0)) * evidence.steps
    steps = _two_digits_up(wanted)
    if not 0 < steps < evidence.steps:
        return []
    path = "spec.training.steps"
    return [Change(path, str(evidence.steps), str(steps), latest.message, latest.rule, (Put(path, steps),))]


def _two_digits_up(value: float) -> int:
    unit: int = 10 ** max(0, math.floor(math.log10(max(value, 1.0))) - 1)
    return math.ceil(value / unit) * unit


def clip(draft: Draft, findings: Sequence[Finding]) -> None:
    """Clip at the 90th percentile of the gradient's norm, and let the learning rate be as low as the clipping had made
    it (rule 18).

    An update that is clipped at c where its norm is g is one at c / g of the learning rate.
    """
    for finding in findings:
        if finding.rule != "gradient-clipping" or not {"p90", "threshold", "median"} <= finding.numbers.keys():
            continue
        p90, threshold, median = (float(finding.numbers[name]) for name in ("p90", "threshold", "median"))
        for place, definition in draft.definitions():
            arms = {arm.label: arm for arm in draft.arms_of(place)}
            if finding.subject.arm not in arms or not draft.untouched(place):
                continue
            parameters = _seen_in(arms[finding.subject.arm], finding).spec.parameters
            if not definition.applies(parameters):
                continue
            what, domain = definition.kind, definition.domain
            if what is Kind.GRADIENT_CLIPPING and isinstance(domain, Value):
                draft.revalued(place, float(f"{p90:.2g}"), finding.message, finding.rule, finding.subject.arm)
            elif what is Kind.GRADIENT_CLIPPING and isinstance(domain, Range) and domain.maximum < p90:
                wider = replace(domain, maximum=float(f"{p90:.2g}"))
                draft.ranged(place, wider, finding.message, finding.rule, finding.subject.arm)
            elif what is Kind.LEARNING_RATE and isinstance(domain, Range):
                lowest = float(parameters[definition.name]) * threshold / median / HALF_A_DECADE_FACTOR
                if 0 < lowest < domain.minimum:
                    lower = replace(domain, minimum=float(f"{lowest:.1g}"))
                    draft.ranged(place, lower, finding.message, finding.rule, finding.subject.arm)


def warm_up(draft: Draft, findings: Sequence[Finding]) -> list[str]:
    """A ladder of warmups where instability limits the learning rate (rules 10 and 20), and the probe before it."""
    steps = draft.evidence.steps
    notes = []
    for finding in findings:
        if finding.rule != "learning-rate-edge":
            continue
        notes.append(f"{finding.sentence} {finding.advice}")
        longest = int(WARMUP_SHARE * steps) if steps else 0
        for place, definition in draft.definitions():
            arms = {arm.label for arm in draft.arms_of(place)}
            if definition.kind is not Kind.WARMUP_STEPS or finding.subject.arm not in arms or not longest:
                continue
            if isinstance(definition.domain, Value) and not isinstance(definition.domain.value, str):
                rungs = {definition.domain.value, *(min(rung, longest) for rung in LADDER)}
                ladder = Choices(tuple(sorted(rungs)))
                if len(ladder.values) > 1:
                    draft.tuned(place, ladder, finding.message, "warmup", finding.subject.arm)
    return notes
