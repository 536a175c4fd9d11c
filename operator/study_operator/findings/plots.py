"""The data of the basic plots: axis plots and the isolation plot (rule 12).

The playbook's two pictures. An axis plot shows one hyperparameter of one arm against the objective, the infeasible
trials marked, because where training fails is half of what it teaches. The isolation plot shows the best trial for each
scientific value with everything else optimised away. Reports draw what is prepared here. Where nothing can be drawn, as
in a status, ``find`` says in words where the best trials are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy

from study_operator.findings.evidence import ArmEvidence, Axis, Evidence, Rows
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.words import distinct
from study_operator.scalar import Scalar
from study_operator.space import Hyperparameter, Range, Role

TOP = 3
"""Trials of an arm that are marked as its best."""
BINS = 10
"""Parts of a continuous scientific range, each of which shows its best trial."""


@dataclass(frozen=True, slots=True)
class AxisPoint:
    """A trial on an axis plot: ``objective`` as the user knows it, None where infeasible; ``rank`` 1 to 3 or None."""

    trial: str
    index: int
    coordinate: float
    value: Scalar
    objective: float | None
    infeasible: bool
    rank: int | None


@dataclass(frozen=True, slots=True)
class AxisPlot:
    """One hyperparameter of one arm, which may have several of a name, with the trials to which it applies."""

    arm: str
    hyperparameter: Hyperparameter
    points: tuple[AxisPoint, ...]


@dataclass(frozen=True, slots=True)
class IsolationPoint:
    """The best of the trials that share a scientific value; ``trial`` and ``objective`` None where none is feasible."""

    value: Scalar
    trial: str | None
    objective: float | None
    trials: int
    infeasible: int


@dataclass(frozen=True, slots=True)
class IsolationPlot:
    """The best trial at each value of ``hyperparameter``: the arms' labels, or the parts of a scientific range.

    ``hyperparameter`` is None for the arms. In the parts of a range, values are the best trials' own.
    """

    arm: str
    hyperparameter: Hyperparameter | None
    points: tuple[IsolationPoint, ...]


def find(evidence: Evidence) -> Iterator[Finding]:
    """Where the best trials of each arm are, of which there are more than the plots mark."""
    for arm in evidence.arms:
        top = arm.order[:TOP]
        if len(arm.order) <= TOP:
            continue
        places = [place for axis in arm.axes if (place := _span(arm, axis, top))]
        infeasible = int(numpy.count_nonzero(arm.infeasible))
        told = f" {infeasible} of its {len(arm.trials)} trials are infeasible." if infeasible else ""
        yield Finding(
            "axis-plots",
            Severity.INFO,
            Subject(arm=arm.label),
            f"The best three trials have {', '.join(places)}.{told}",
            "Look at the axis plots, which show all of them: `study report` with --html.",
            {"trials": len(arm.trials), "infeasible": infeasible},
        )


def _span(arm: ArmEvidence, axis: Axis, rows: Rows) -> str:
    """``learning_rate 0.01 to 0.05 (of 0.001 to 10)``; empty where it applies to none of ``rows``."""
    values = [arm.trials[row].spec.parameters[axis.name] for row in rows.tolist() if row in axis.rows]
    if not values:
        return ""
    if not isinstance(axis.domain, Range):
        return f"{axis.name} {' or '.join(dict.fromkeys(distinct(axis.domain, *values)))}"
    numbers = sorted(value for value in values if isinstance(value, int | float))
    low, high, least, most = distinct(axis.domain, numbers[0], numbers[-1], axis.domain.minimum, axis.domain.maximum)
    return f"{axis.name} {low if low == high else f'{low} to {high}'} (of {least} to {most})"


def axis_plots(evidence: Evidence) -> tuple[AxisPlot, ...]:
    """A plot for each hyperparameter that is sampled in each arm."""
    return tuple(
        AxisPlot(arm.label, axis.hyperparameter, tuple(_points(evidence, arm, axis)))
        for arm in evidence.arms
        for axis in arm.axes
    )


def isolation_plots(evidence: Evidence) -> tuple[IsolationPlot, ...]:
    """The plot of the arms, and one for each arm and continuous scientific hyperparameter."""
    arms = tuple(_best(evidence, arm, numpy.arange(len(arm.trials)), arm.label) for arm in evidence.arms)
    ranges = tuple(
        _isolation_of_range(evidence, arm, axis)
        for arm in evidence.arms
        for axis in arm.axes
        if axis.hyperparameter.role is Role.SCIENTIFIC
    )
    return (IsolationPlot("", None, arms), *ranges)


def _points(evidence: Evidence, arm: ArmEvidence, axis: Axis) -> Iterator[AxisPoint]:
    ranks = {row: rank for rank, row in enumerate(arm.order[:TOP].tolist(), 1)}
    for row, coordinate in zip(axis.rows.tolist(), axis.coordinates.tolist(), strict=True):
        spec = arm.trials[row].spec
        infeasible = bool(arm.infeasible[row])
        yield AxisPoint(
            trial=spec.name,
            index=spec.index,
            coordinate=coordinate,
            value=spec.parameters[axis.name],
            objective=None if infeasible else evidence.objective.direction.minimised(float(arm.objective[row])),
            infeasible=infeasible,
            rank=ranks.get(row),
        )


def _isolation_of_range(evidence: Evidence, arm: ArmEvidence, axis: Axis) -> IsolationPlot:
    bins = numpy.minimum((axis.coordinates * BINS).astype(int), BINS - 1)
    points = []
    for part in range(BINS):
        rows = axis.rows[bins == part]
        if len(rows):
            best = rows[numpy.argmin(arm.ranked[rows])]
            points.append(_best(evidence, arm, rows, arm.trials[best].spec.parameters[axis.name]))
    return IsolationPlot(arm.label, axis.hyperparameter, tuple(points))


def _best(evidence: Evidence, arm: ArmEvidence, rows: Rows, value: Scalar) -> IsolationPoint:
    infeasible = int(numpy.count_nonzero(arm.infeasible[rows]))
    best = arm.best_of(rows)
    if best is None:
        return IsolationPoint(value, None, None, len(rows), infeasible)
    objective = evidence.objective.direction.minimised(float(arm.objective[best]))
    return IsolationPoint(value, arm.trials[best].spec.name, objective, len(rows), infeasible)
