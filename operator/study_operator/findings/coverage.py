"""Were enough points sampled? (rule 11)

Two answers. The bound: if n points, spread over the space as uniformly as random ones or more so, have the incumbent as
their best, then with 95% confidence no more than 1 - 0.05^(1/n) of the space's volume is better. And the saving test:
if half the points would have done as well, up to the variance between reruns, then twice as many are not worth it.
E[best of n/2] is the unbiased order statistic, the mean over all subsets; E[best of n] is the best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy

from study_operator.findings.evidence import ArmEvidence, Evidence
from study_operator.findings.finding import Finding, Number, Severity, Subject
from study_operator.findings.order_statistics import expected_best
from study_operator.findings.words import percent, short

CONFIDENCE = 0.95
WORTH = 1.0
"""Gain of the second half of the points, in deviations between reruns, above which more points are worth it."""
COARSE = 0.1
"""Bound of the better volume above which a study is told of it (fewer than 29 points an arm)."""
FEWEST = 4
"""Points that are compared with half of them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well ``n`` points covered an arm's space.

    ``better_volume``: the 95% bound of the share of the space that is better than the incumbent. ``gain``: what the
    second half of the points brought, in units of the objective; 0 where there are fewer than FEWEST. ``near_best``:
    trials within one standard deviation between reruns of the best, itself included; None where that deviation is not
    known.
    """

    n: int
    better_volume: float
    gain: float
    near_best: int | None


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 11."""
    for arm in evidence.arms:
        coverage = coverage_of(arm, evidence.trial_variance)
        if coverage is not None:
            yield from _findings(arm, coverage, evidence.trial_variance)
        elif arm.failed and not arm.trials:
            yield _unknown(arm)


def coverage_of(arm: ArmEvidence, trial_variance: float | None) -> Coverage | None:
    """The coverage of an arm; None for an arm without a feasible trial."""
    n = len(arm.trials)
    if arm.best is None:
        return None
    values = numpy.where(arm.infeasible, numpy.nanmax(arm.objective), arm.objective)
    best = float(arm.objective[arm.best])
    near = None if trial_variance is None else int(numpy.count_nonzero(arm.objective <= best + trial_variance))
    gain = expected_best(values, n // 2) - best if n >= FEWEST else 0.0
    return Coverage(n, 1 - (1 - CONFIDENCE) ** (1 / n), gain, near)


def _findings(arm: ArmEvidence, coverage: Coverage, trial_variance: float | None) -> Iterator[Finding]:
    numbers: dict[str, Number] = {"n": coverage.n, "better_volume": coverage.better_volume, "gain": coverage.gain}
    subject = Subject(arm=arm.label)
    bound = f"with 95% confidence up to {percent(coverage.better_volume)} of the space is better than the best trial"
    if trial_variance is not None and coverage.near_best is not None and coverage.gain > WORTH * trial_variance:
        yield Finding(
            "enough-points",
            Severity.WARNING,
            subject,
            f"The second half of the {coverage.n} points made the best better by {short(coverage.gain)}, more than "
            f"reruns differ ({short(trial_variance)}), so more points would go on to help; {bound}.",
            f"Sample more points: {2 * coverage.n} in this arm, or fewer dimensions.",
            {**numbers, "trial_variance": trial_variance, "near_best": coverage.near_best, "to": 2 * coverage.n},
        )
    elif coverage.better_volume > COARSE:
        yield Finding(
            "enough-points",
            Severity.INFO,
            subject,
            f"{_points(coverage.n)} a coarse look: {bound}.",
            "More points narrow that down: the budget can be raised, and the sequence of points goes on.",
            numbers,
        )


def _unknown(arm: ArmEvidence) -> Finding:
    """Of an arm of which nothing is known, since a failure says nothing of a trial's parameters."""
    return Finding(
        "enough-points",
        Severity.WARNING,
        Subject(arm=arm.label),
        f"No point is known: {'the one trial' if arm.failed == 1 else f'all {arm.failed} trials'} that ended failed.",
        "Mend the cause, and delete the failed trials: they run again at the same points.",
        {"n": 0, "failed": arm.failed},
    )


def _points(n: int) -> str:
    return "1 point is" if n == 1 else f"{n} points are"
