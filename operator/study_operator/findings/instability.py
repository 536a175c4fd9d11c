"""The best learning rate at the edge of feasibility (rule 10).

Learning rates above some value fail, and the best one is just below. A larger range would only sample more failures,
and a smaller one would hide what limits the model: the wall can be moved, by warmup, clipping or a steadier
architecture, and the best learning rate often moves with it. So the advice is to look at the instability.

A wall is a run of infeasible trials at the upper end of the range without a feasible one. Failures that fall anywhere
make short runs by chance: with k of n trials infeasible the top m are all so with probability C(n-m, k-m) / C(n, k),
which must be below 5%, shared out among the learning rates of the arms. That the best trial is close to the wall may
be chance as well, so the feasible trials must still get better half a decade below it: the slope there of a parabola
fitted to normal scores must be downwards by more than its standard error. Without that, walls a decade above the
optimum raised false alarms in about a tenth of the studies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy

from study_operator.findings.evidence import ArmEvidence, Axis, Evidence
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.scores import normal_scores
from study_operator.findings.words import distinct
from study_operator.results.period import Floats
from study_operator.space import Kind, Range

SIGNIFICANCE = 0.05
FEWEST = 6
"""Feasible trials below which there is no curvature to speak of."""
HALF_A_DECADE = 0.5
"""Distance of the best learning rate from the wall, in powers of ten, that counts as at the edge (rule 10)."""


@dataclass(frozen=True, slots=True)
class Wall:
    """All the ``trials`` with a learning rate of ``threshold`` or more are infeasible.

    ``p`` is the chance of such a run if infeasible trials were anywhere; ``best`` is the best trial's learning rate;
    ``improving`` whether the feasible trials still get better half a decade below the wall.
    """

    axis: Axis
    threshold: float
    trials: int
    best: float
    p: float
    improving: bool

    @property
    def limits(self) -> bool:
        """Whether the best trial is at the wall, and not by chance."""
        return self.improving and math.log10(self.threshold / self.best) <= HALF_A_DECADE


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 10."""
    for arm, wall in walls_of(evidence):
        yield _finding(arm, wall)


def walls_of(evidence: Evidence) -> list[tuple[ArmEvidence, Wall]]:
    """The walls that limit the best trial of an arm, with their arms."""
    axes = [(arm, axis) for arm in evidence.arms for axis in arm.axes if _is_learning_rate(axis)]
    walls = [(arm, wall) for arm, axis in axes if (wall := _wall(arm, axis)) is not None]
    return [(arm, wall) for arm, wall in walls if wall.limits and wall.p < SIGNIFICANCE / len(axes)]


def _is_learning_rate(axis: Axis) -> bool:
    is_one = axis.hyperparameter.kind is Kind.LEARNING_RATE
    return is_one and isinstance(axis.domain, Range) and axis.domain.minimum > 0


def _wall(arm: ArmEvidence, axis: Axis) -> Wall | None:
    infeasible = arm.infeasible[axis.rows]
    best = arm.best_of(axis.rows)
    if best is None:
        return None
    beyond = axis.coordinates > axis.coordinates[~infeasible].max()
    run, bad, n = int(numpy.count_nonzero(beyond)), int(numpy.count_nonzero(infeasible)), len(infeasible)
    if run == 0:
        return None
    p = math.prod((bad - k) / (n - k) for k in range(run))
    learning_rate = axis.domain.value
    threshold = float(learning_rate(float(axis.coordinates[beyond].min())))
    below = axis.domain.coordinate(threshold / 10**HALF_A_DECADE)
    improving = _improves_at(below, axis.coordinates[~infeasible], arm.objective[axis.rows[~infeasible]])
    return Wall(axis, threshold, run, float(learning_rate(axis.coordinate(best))), p, improving)


def _improves_at(place: float, coordinates: Floats, objective: Floats) -> bool:
    """Whether the parabola through the normal scores falls at ``place``, by more than the slope's standard error."""
    if len(numpy.unique(coordinates)) < FEWEST:
        return False
    coefficients, covariance = numpy.polyfit(coordinates, normal_scores(objective), 2, cov=True)
    derivative = numpy.array([2 * place, 1.0, 0.0])
    return bool(derivative @ coefficients < -math.sqrt(derivative @ covariance @ derivative))


def _finding(arm: ArmEvidence, wall: Wall) -> Finding:
    threshold, best = distinct(wall.axis.domain, wall.threshold, wall.best)
    return Finding(
        "learning-rate-edge",
        Severity.WARNING,
        Subject(arm=arm.label, hyperparameter=wall.axis.name),
        f"Every trial with a {wall.axis.name} of {threshold} or more is infeasible ({wall.trials} of them),"
        f" and the best trial's {best} is within half a decade of that: instability limits this arm.",
        "Do not expand the range. Find what is unstable: about 500 steps at twice the best learning rate, evaluated at "
        "every step. Then try, in this order, warmup, gradient clipping, another optimizer, normalisation.",
        {"threshold": wall.threshold, "best": wall.best, "infeasible_above": wall.trials, "p": wall.p},
    )
