"""The objective: which metric a study ranks its trials by, and which of the metric's values counts.

It is read from a metric's summary alone, so a study whose objective changed is ranked anew without its curves and
without a rerun.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from study_operator.results.trial import MetricSummary, Sample


class Direction(StrEnum):
    """Whether the smallest or the largest objective is the best."""

    MINIMIZE = "Minimize"
    MAXIMIZE = "Maximize"

    def minimised(self, value: float) -> float:
        """The value with its sign turned where necessary, so that smaller is better; its own inverse."""
        return value if self is Direction.MINIMIZE else -value


class Selection(StrEnum):
    """Which point of a training curve is the trial's objective: the best one, or the last."""

    BEST = "Best"
    FINAL = "Final"


@dataclass(frozen=True, slots=True)
class Objective:
    """What trials are compared by."""

    metric: str
    direction: Direction
    selection: Selection


def objective_of(metrics: Mapping[str, MetricSummary], objective: Objective) -> Sample | None:
    """The trial's objective, or None where its metric was not reported or the selected point is not finite."""
    summary = metrics.get(objective.metric)
    if summary is None:
        return None
    if objective.selection is Selection.BEST:
        return summary.minimum if objective.direction is Direction.MINIMIZE else summary.maximum
    return summary.final if math.isfinite(summary.final.value) else None
