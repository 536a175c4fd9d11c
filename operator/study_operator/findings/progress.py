"""Was the training long enough, or too long? (rules 15 and 16)

Whether the last evaluation is better than an earlier one is a coin's toss on a flat curve (a third of them are taken
for improving). So the last quarter must get better in its order (Kendall's tau, p < .05) by more than twice the noise.
Training is too long where the curves settled long before the end, within their noise of the best tenth of what they end
with; curves that overfit have their best early for another reason, and more steps or fewer are not the remedy.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from study_operator.findings.evidence import ArmEvidence, Evidence
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.overfitting import worsens
from study_operator.findings.training_curves import (
    AGREEING,
    BEST,
    BestCurve,
    best_curves,
    names,
    shared,
    upper_tail,
    within,
)
from study_operator.findings.words import percent, short

SIGNIFICANCE = 0.05
NOISES = 2.0

TOP = 5
"""Trials of an arm that rule 16 looks at."""
LONG_BEFORE = 0.5
FEWEST_EVALUATIONS = 20
"""Of fewer, the late part is nearly half of the curve, and what happens in the last quarter is lost in it."""
DOUBT = 0.2
"""A late improvement this doubtful already keeps a curve from being called saturated: otherwise, where the last quarter
brings four noises and has eight evaluations, a tenth of the studies would be told to train for fewer steps.
"""


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rules 15 and 16, one an arm at most."""
    metric, direction = evidence.objective.metric, evidence.objective.direction
    significance = shared(SIGNIFICANCE, len(evidence.arms))
    for arm in evidence.arms:
        curves = best_curves(arm, metric, direction, TOP)
        improving = [curve for curve in curves[:BEST] if improves(curve, significance)]
        if len(improving) >= AGREEING:
            yield _improving(arm, metric, curves[:BEST], improving, significance)
            continue
        steady = [curve for curve in curves if _steady(curve)]
        if len(steady) >= BEST and 2 * len(steady) > len(curves):
            yield from _saturated(arm, metric, steady)


def improves(curve: BestCurve, significance: float = SIGNIFICANCE) -> bool:
    """Whether the curve still gets better at its end: in order, by twice its noise, and materially."""
    late = curve.late
    return late is not None and upper_tail(-late.z) < significance and curve.exceeds(late.change, NOISES)


def _steady(curve: BestCurve) -> bool:
    late = curve.late
    if late is None or curve.diagnostics.evaluations < FEWEST_EVALUATIONS:
        return False
    return upper_tail(-late.z) >= DOUBT and not worsens(curve)


def _improving(
    arm: ArmEvidence, metric: str, curves: Sequence[BestCurve], improving: Sequence[BestCurve], significance: float
) -> Finding:
    first = improving[0]
    late, noise = first.late, first.diagnostics.noise
    assert late is not None and noise is not None
    step = first.step(late.step)
    stretch = "over its last evaluations" if step is None else f"from step {step} on"
    return Finding(
        "still-improving",
        Severity.WARNING,
        Subject(arm=arm.label, trial=first.name),
        f"{within(arm)} still improve at the end: {metric} of {names(improving)} gets better late in training, "
        f"by {short(abs(late.change))} {stretch} in {first.name}.",
        "Train longer in the next round, and stretch a schedule that decays to zero with it: extra steps at a learning "
        "rate near zero teach nothing.",
        {
            "trials": len(curves),
            "improving": len(improving),
            "p": upper_tail(-late.z),
            "significance": significance,
            "change": abs(late.change),
            "noise": noise,
            "noises": NOISES,
        },
        step=step,
    )


def _saturated(arm: ArmEvidence, metric: str, curves: Sequence[BestCurve]) -> Iterator[Finding]:
    settled = [share for curve in curves if (share := curve.settled) is not None]
    median = statistics.median(settled) if settled else 1.0
    if median >= LONG_BEFORE:
        return
    first = curves[0]
    step = first.diagnostics.settled_at_minimum if first.sign > 0 else first.diagnostics.settled_at_maximum
    yield Finding(
        "early-saturation",
        Severity.INFO,
        Subject(arm=arm.label, trial=first.name),
        f"{within(arm)} are done long before the end: {metric} has settled, within its noise, after "
        f"{percent(median)} of the steps (median of {len(settled)}).",
        "Train for fewer steps in the next round, if every arm is done as early, and spend the time on more trials.",
        {"trials": len(curves), "settled": median, "limit": LONG_BEFORE},
        step=None if step is None else first.step(step),
    )
