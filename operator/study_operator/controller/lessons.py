"""What an analysis taught, in the form of the study's status.

It is small, unlike what it was made of, and it can be read back from a status: a restarted controller goes on telling
what its predecessor told until it has looked at the trials itself. A study may have a thousand arms, of each of which
something is found; the API server refuses what is too long, and etcd what is too large. So sentences are cut, and where
there are more findings than a status shows, every rule has its say before any has a second one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from study_operator.analysis import Analysis
from study_operator.api.lessons import CHANGES, FINDINGS, NOTES
from study_operator.conclusions import Conclusion, Interval, Verdict
from study_operator.findings import Finding
from study_operator.results.sentences import clean
from study_operator.rounds import Proposal

LONGEST = 2048
"""Characters of a sentence that a status shows."""

Shown = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Parts of a status; ``intervals`` are of the arms, by index. What is empty is left out."""

    findings: tuple[Shown, ...] = ()
    intervals: Mapping[int, Shown] = field(default_factory=dict)
    conclusion: Shown | None = None
    proposed_next: Shown | None = None


def lessons_of(analysis: Analysis) -> Lessons:
    """What to show of an analysis."""
    direction = analysis.evidence.objective.direction
    labels = {arm.label: arm.index for arm in analysis.evidence.space.arms}
    return Lessons(
        tuple(_finding(finding) for finding in told(analysis.findings)),
        {
            labels[estimate.label]: _interval(estimate.interval.turned(direction))
            for estimate in analysis.comparison.estimates
            if estimate.interval is not None
        },
        None if analysis.conclusion is None else _conclusion(analysis.conclusion),
        None if analysis.proposal is None else _proposal(analysis.proposal),
    )


def lessons_at_acceptance(reviewed: Sequence[Finding]) -> Lessons:
    """What to show of a study that has no trials: what the reviewer says of its plan."""
    ordered = sorted(reviewed, key=lambda finding: finding.order)
    return Lessons(tuple(_finding(finding) for finding in told(ordered)))


def told(findings: Iterable[Finding], most: int = FINDINGS) -> list[Finding]:
    """The ``findings`` that are shown, in their order: the gravest, and of equally grave ones the first of each rule,
    then the second of each.
    """
    seen: Counter[tuple[str, str]] = Counter()
    places = []
    for place, finding in enumerate(findings):
        key = (finding.severity.value, finding.rule)
        places.append((finding.severity.rank, seen[key], place, finding))
        seen[key] += 1
    chosen = sorted(places, key=lambda each: each[:3])[:most]
    return [finding for *_, finding in sorted(chosen, key=lambda each: each[2])]


def failed_lessons(error: Exception) -> Lessons:
    """What to show where an analysis failed, which is a fault of this program and no reason to hold up a study."""
    statement = f"The analysis failed, so there are no findings: {type(error).__name__}: {error}"
    return Lessons(conclusion=_conclusion(Conclusion(Verdict.INCONCLUSIVE, statement)))


def lessons_told(status: Mapping[str, Any]) -> Lessons:
    """What a status that was written earlier tells."""
    return Lessons(
        tuple(status.get("findings", ())),
        {arm["index"]: arm["interval"] for arm in status.get("arms", ()) if "interval" in arm},
        status.get("conclusion"),
        status.get("proposedNext"),
    )


def _interval(interval: Interval) -> Shown:
    return {"low": repr(interval.low), "high": repr(interval.high)}


def _finding(finding: Finding) -> Shown:
    subject = {
        part: text for part in ("arm", "hyperparameter", "trial", "field") if (text := getattr(finding.subject, part))
    }
    shown = {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "subject": subject,
        "message": clean(finding.message, LONGEST),
        "advice": clean(finding.advice, LONGEST),
        "numbers": {name: str(value) for name, value in finding.numbers.items()},
        "step": finding.step,
    }
    return {part: value for part, value in shown.items() if value not in ({}, "", None)}


def _conclusion(conclusion: Conclusion) -> Shown:
    shown = {
        "verdict": conclusion.verdict.value,
        "statement": clean(conclusion.statement, LONGEST),
        "effect": None if conclusion.effect is None else repr(conclusion.effect),
        "interval": None if conclusion.interval is None else _interval(conclusion.interval),
        "trialVariance": None if conclusion.trial_variance is None else repr(conclusion.trial_variance),
        "caveats": [clean(caveat, LONGEST) for caveat in conclusion.caveats],
    }
    return {part: value for part, value in shown.items() if value not in ([], None)}


def _proposal(proposal: Proposal) -> Shown:
    changes = [
        {
            part: clean(text, LONGEST)
            for part, text in (
                ("path", change.path),
                ("from", change.before),
                ("to", change.after),
                ("reason", change.reason),
                ("rule", change.rule),
            )
            if text
        }
        for change in proposal.changes[:CHANGES]
    ]
    notes = [clean(note, LONGEST) for note in proposal.notes[:NOTES]]
    shown = {"summary": clean(proposal.summary, LONGEST), "changes": changes, "notes": notes}
    return {part: value for part, value in shown.items() if value}
