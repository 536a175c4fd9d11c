"""Is the error noisy from step to step, late in training? (rule 14)

Where one evaluation differs from the next by more than the arms differ from each other, or by more than a rerun would
change, the best of many evaluations is partly luck. The noise is that of the objective's metric around its curve in the
last quarter of the training; it needs another quantity to be called large, so with one arm and no reruns nothing is
said.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

from study_operator.findings.evidence import ArmEvidence, Evidence
from study_operator.findings.finding import Finding, Number, Severity, Subject
from study_operator.findings.training_curves import BEST, BestCurve, best_curves, within
from study_operator.findings.words import short

SHARE_OF_GAP = 0.5


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 14, one an arm at most."""
    metric, direction = evidence.objective.metric, evidence.objective.direction
    levels = {arm.arm.index: level for arm in evidence.arms if (level := _level(arm)) is not None}
    for arm in evidence.arms:
        curves = [curve for curve in best_curves(arm, metric, direction) if curve.diagnostics.noise is not None]
        if not curves:
            continue
        noise = statistics.median(_noise(curve) for curve in curves)
        gap = _gap(levels, arm.arm.index)
        reasons, numbers = [], dict[str, Number](noise=noise, trials=len(curves))
        if gap is not None:
            numbers |= {"gap": gap, "limit": SHARE_OF_GAP * gap}
            if noise > SHARE_OF_GAP * gap:
                reasons.append(f"more than half of what separates it from the best other arm ({short(gap)})")
        if evidence.trial_variance is not None:
            numbers |= {"trial_variance": evidence.trial_variance}
            if noise > evidence.trial_variance:
                reasons.append(f"more than reruns differ ({short(evidence.trial_variance)})")
        if reasons:
            yield _finding(arm, metric, curves[0], noise, reasons, numbers)


def _gap(levels: Mapping[int, float], arm: int) -> float | None:
    """How far the arm is from the best of the others; None without others."""
    others = [level for other, level in levels.items() if other != arm]
    return abs(levels[arm] - min(others)) if others and arm in levels else None


def _level(arm: ArmEvidence) -> float | None:
    """The median of the arm's best three objectives: the very best is often one lucky evaluation, which is what this
    rule is about.
    """
    best = arm.objective[arm.order[:BEST]].tolist()
    return statistics.median(best) if best else None


def _noise(curve: BestCurve) -> float:
    noise = curve.diagnostics.noise
    assert noise is not None, "only curves with a noise are asked"
    return noise


def _finding(
    arm: ArmEvidence, metric: str, curve: BestCurve, noise: float, reasons: list[str], numbers: dict[str, Number]
) -> Finding:
    late = curve.diagnostics.late
    return Finding(
        "late-variance",
        Severity.WARNING,
        Subject(arm=arm.label, trial=curve.name),
        f"{within(arm)} are noisy late in training: from one evaluation to the next {metric} varies by {short(noise)} "
        f"(standard deviation), {' and '.join(reasons)}.",
        "Evaluate on more validation examples, let the learning rate decay to zero, average the weights over the last "
        "steps, or use a larger batch; and confirm the winner by reruns before it is believed.",
        numbers,
        step=None if late is None else curve.step(late.step),
    )
