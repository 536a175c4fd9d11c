"""Do the best trials overfit? (rule 13)

Overfitting is a problem where the validation error rises again during the training. A rise after the minimum alone says
nothing: after the lowest of many noisy points, higher ones are certain to come. So the points after it must rise in
their order (Kendall's tau, p < .01), by more than three times the noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study_operator.findings.evidence import ArmEvidence, Evidence
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.training_curves import AGREEING, BestCurve, best_curves, names, shared, upper_tail, within
from study_operator.findings.words import short
from study_operator.space import REGULARISERS, Hyperparameter, Role

SIGNIFICANCE = 0.01
ALONE = 0.0001
"""At this significance the best trial needs no second one: it is the one that the arms are compared by."""
NOISES = 3.0


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 13, one an arm at most."""
    metric, direction = evidence.objective.metric, evidence.objective.direction
    regulariser = next(filter(_compared_regulariser, evidence.space.definitions), None)
    arms = len(evidence.arms)
    for arm in evidence.arms:
        curves = best_curves(arm, metric, direction)
        rising = [curve for curve in curves if worsens(curve, shared(SIGNIFICANCE, arms))]
        alone = [curve for curve in rising if curve.trial is arm.trials[arm.order[0]] and worsens(curve, ALONE / arms)]
        if alone or len(rising) >= AGREEING:
            yield _finding(arm, metric, curves, rising, regulariser, shared(SIGNIFICANCE, arms))


def worsens(curve: BestCurve, significance: float = SIGNIFICANCE) -> bool:
    """Whether the curve gets worse after its best: in order, by three times its noise, and materially."""
    after = curve.after_best
    return after is not None and upper_tail(after.z) < significance and curve.exceeds(after.change, NOISES)


def _compared_regulariser(definition: Hyperparameter) -> bool:
    return definition.role is Role.SCIENTIFIC and definition.kind in REGULARISERS


def _finding(
    arm: ArmEvidence,
    metric: str,
    curves: Sequence[BestCurve],
    rising: Sequence[BestCurve],
    regulariser: Hyperparameter | None,
    significance: float,
) -> Finding:
    first = rising[0]
    after, noise = first.after_best, first.diagnostics.noise
    assert after is not None and noise is not None
    at = first.step(after.step)
    where = "" if at is None else f" at step {first.best.step}"
    advice = (
        "Add regularisation, or tune what there is of it more strongly (weight decay, dropout, label smoothing, "
        "augmentation), before the arms are compared."
    )
    if regulariser is not None:
        advice = f"{regulariser.name} is what this study compares, so overfitting where it is weak is no surprise."
    return Finding(
        "overfitting",
        Severity.WARNING if regulariser is None else Severity.INFO,
        Subject(arm=arm.label, trial=first.name),
        f"{within(arm)} overfit: in {names(rising)} {metric} gets worse after its best{where}, "
        f"by {short(abs(after.change))} in {first.name}, {short(abs(after.change) / noise)} times its noise.",
        advice,
        {
            "trials": len(curves),
            "overfitting": len(rising),
            "p": upper_tail(after.z),
            "significance": significance,
            "rise": abs(after.change),
            "noise": noise,
            "noises": NOISES,
        },
        step=None if at is None else first.best.step,
    )
