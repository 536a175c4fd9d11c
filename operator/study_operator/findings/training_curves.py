"""The training curves of the best trials, as the rules on curves look at them: smaller is better.

Only the best trials count, as in the playbook: what bad trials do late in training decides nothing. A single curve is
weak evidence where its noise wanders (up to 13% of flat curves with an autocorrelation of .95 look as if they still
improved), and independent trials agree in such an error seldom: so the rules ask at least two of the best three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from study_operator.findings.evidence import ArmEvidence
from study_operator.results.objective import Direction
from study_operator.results.trial import CurveDiagnostics, MetricSummary, Sample, Trend, Trial

BEST = 3
"""Trials of an arm whose curves are looked at."""

AGREEING = 2
"""Of these, how many must show the same."""

MATERIAL = 0.1
"""A change is told only if it is more than this part of the way from the curve's median to its best, and of what the
best two trials differ by: without noise, as on a large validation set, the smallest change is significant.
"""


@dataclass(frozen=True, slots=True)
class BestCurve:
    """One metric of one of the best trials.

    ``sign`` is -1 where larger is better; trends are turned by it, so that a positive one is for the worse. ``spread``
    is what the metric's best differs by between the best two trials.
    """

    trial: Trial
    diagnostics: CurveDiagnostics
    summary: MetricSummary
    sign: int
    spread: float = 0.0

    @property
    def name(self) -> str:
        """The trial's name."""
        return self.trial.spec.name

    @property
    def best(self) -> Sample:
        """The best point, in the metric's own direction."""
        extreme = self.summary.minimum if self.sign > 0 else self.summary.maximum
        assert extreme is not None, "a diagnosed curve has a finite point"
        return extreme

    @property
    def after_best(self) -> Trend | None:
        """The trend after the best point."""
        found = self.diagnostics
        return self._turned(found.after_minimum if self.sign > 0 else found.after_maximum)

    @property
    def late(self) -> Trend | None:
        """The trend late in training."""
        return self._turned(self.diagnostics.late)

    @property
    def settled(self) -> float | None:
        """When the curve came within its noise of the best tenth of its late values, as a share of the training."""
        found = self.diagnostics
        return self._share(found.settled_at_minimum if self.sign > 0 else found.settled_at_maximum)

    def step(self, step: int) -> int | None:
        """``step`` where the trainer told its steps: otherwise it is a mere number of an evaluation."""
        return step if self.summary.final.step is not None else None

    def exceeds(self, change: float, noises: float) -> bool:
        """Whether ``change`` is more than so many times the noise, and material."""
        noise, path = self.diagnostics.noise, abs(self.diagnostics.median - self.best.value)
        return noise is not None and abs(change) > max(noises * noise, MATERIAL * path, MATERIAL * self.spread)

    def _share(self, step: int | None) -> float | None:
        last = self.summary.count if self.summary.final.step is None else self.summary.final.step
        return None if step is None or last <= 0 else step / last

    def _turned(self, trend: Trend | None) -> Trend | None:
        return None if trend is None else Trend(self.sign * trend.z, self.sign * trend.change, trend.step)


def best_curves(arm: ArmEvidence, metric: str, direction: Direction, count: int = BEST) -> tuple[BestCurve, ...]:
    """The curves of ``metric`` of the arm's best ``count`` trials, best first, where they are known."""
    trials = [arm.trials[row] for row in arm.order[:count].tolist()]
    sign = 1 if direction is Direction.MINIMIZE else -1
    curves = [
        BestCurve(trial, trial.status.diagnostics[metric], trial.status.metrics[metric], sign)
        for trial in trials
        if metric in trial.status.diagnostics and metric in trial.status.metrics
    ]
    spread = abs(curves[0].best.value - curves[1].best.value) if len(curves) > 1 else 0.0
    return tuple(replace(curve, spread=spread) for curve in curves)


def shared(significance: float, arms: int) -> float:
    """The significance at which a curve is judged in a study of so many ``arms``, to keep that of the study.

    Two of three curves that are mistaken with probability p agree with about 3 p^2; so p may be smaller by the root of
    the number of arms only.
    """
    return significance / math.sqrt(arms)


def names(curves: Sequence[BestCurve]) -> str:
    """The names of the curves' trials."""
    return ", ".join(curve.name for curve in curves)


def within(arm: ArmEvidence) -> str:
    """The beginning of a sentence about an arm's best trials."""
    return f"Of {arm.label}, the best trials" if arm.arm.parameters else "The best trials"


def upper_tail(z: float) -> float:
    """The probability that a standard normal variable is above ``z``."""
    return math.erfc(z / math.sqrt(2)) / 2
