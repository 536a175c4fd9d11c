"""Evidence: a study's trials as the rules look at them, arrays for each arm.

Rules never pool arms: a learning rate under one optimizer says nothing of one under another. Within an arm a
hyperparameter is an axis of the unit cube, where "the outer tenth" means the same on every scale; axes that apply to
some of the trials only, under a condition on a nuisance choice, have those trials alone.

Only trials that say something of their parameters count: those that succeeded and those that are infeasible. The
arrays are made once, on first use, so that every rule is arithmetic on columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy
from numpy.typing import NDArray

from study_operator.results.objective import Objective
from study_operator.results.period import Floats
from study_operator.results.trial import Purpose, Trial, TrialState
from study_operator.space import Arm, Choices, Hyperparameter, Range, Space

Flags = NDArray[numpy.bool_]
Rows = NDArray[numpy.intp]

MANY_MADS = 5.0
"""A trial that is worse than the median by more of these, and no better than at its start, has diverged (rule 8)."""


@dataclass(frozen=True, eq=False)
class Axis:
    """A sampled hyperparameter within an arm.

    ``coordinates`` are those of its values in [0, 1], not of the drawn points: an integer's or a choice's is the middle
    of its cell, so that equal values are ties. ``rows`` are the arm's trials to which it applies (indices into the
    arm's arrays); both have one length.
    """

    hyperparameter: Hyperparameter
    rows: Rows
    coordinates: Floats

    def coordinate(self, row: int) -> float:
        """The coordinate of the trial at ``row`` of the arm, to which the axis applies."""
        return float(self.coordinates[numpy.searchsorted(self.rows, row)])

    @property
    def name(self) -> str:
        """The hyperparameter's name."""
        return self.hyperparameter.name

    @property
    def domain(self) -> Range | Choices:
        """What it is sampled from."""
        domain = self.hyperparameter.domain
        assert isinstance(domain, Range | Choices), "a value is not sampled"
        return domain


@dataclass(frozen=True, eq=False)
class ArmEvidence:
    """The final search trials of an arm, by index: those that succeeded or are infeasible, n of them.

    ``points`` has shape (n, dimensions); ``objective`` is minimised, and NaN where infeasible; ``infeasible`` marks the
    trials that diverged or did not fit. ``failed`` counts those that say nothing of their parameters.
    """

    arm: Arm
    space: Space
    trials: tuple[Trial, ...]
    points: Floats
    objective: Floats
    infeasible: Flags
    failed: int

    @property
    def label(self) -> str:
        """The arm's label, as findings name it."""
        return self.arm.label

    @cached_property
    def ranked(self) -> Floats:
        """The objective with infeasible trials as +inf: worst, and all alike. Shape (n,)."""
        return numpy.where(self.infeasible, numpy.inf, self.objective)

    @cached_property
    def order(self) -> Rows:
        """The feasible trials, best first; equal objectives by index."""
        ranked: Rows = numpy.argsort(self.ranked, kind="stable")
        return ranked[: int(numpy.count_nonzero(~self.infeasible))]

    @property
    def best(self) -> int | None:
        """The row of the best trial; None where none is feasible."""
        return int(self.order[0]) if len(self.order) else None

    def best_of(self, rows: Rows) -> int | None:
        """The row of the best trial among ``rows``; None where none of them is feasible."""
        ranked = self.ranked[rows]
        return int(rows[numpy.argmin(ranked)]) if len(rows) and numpy.isfinite(ranked).any() else None

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The hyperparameters that are sampled in this arm, in the order of the manifest."""
        return tuple(self._axes())

    def _axes(self) -> Iterator[Axis]:
        everywhere = numpy.arange(len(self.trials))
        for definition in self.space.hyperparameters(self.arm.index):
            if not definition.sampled:
                continue
            if set(definition.when) <= set(self.arm.parameters):
                rows = everywhere
            else:
                applies = [definition.applies(trial.spec.parameters) for trial in self.trials]
                rows = numpy.flatnonzero(numpy.array(applies, dtype=bool))
            drawn = self.points[rows, self.space.dimensions.index(definition.name)]
            yield Axis(definition, rows, _cells(definition, drawn))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules look at.

    ``steps`` is the length of a training, None where the study does not tell it. ``training_metrics``,
    ``validation_metrics`` and ``test_metrics`` are the metrics by the examples that they are measured on. ``trials``
    may have every purpose and state; ``trial_variance`` is s_r, the standard deviation between reruns of one
    configuration (None before there are any), in the units of the objective. ``last_launch``: no later launch of this
    workload is planned.
    """

    study: str
    space: Space
    objective: Objective
    steps: int | None
    training_metrics: tuple[str, ...]
    validation_metrics: tuple[str, ...]
    trials: Sequence[Trial]
    trial_variance: float | None = None
    test_metrics: tuple[str, ...] = ()
    last_launch: bool = False

    @cached_property
    def arms(self) -> tuple[ArmEvidence, ...]:
        """The evidence of each arm, in the order of the space."""
        by_arm: list[list[Trial]] = [[] for _ in self.space.arms]
        for trial in self.trials:
            if trial.spec.purpose is Purpose.SEARCH:
                by_arm[trial.spec.arm].append(trial)
        return tuple(self._arm(arm, trials) for arm, trials in zip(self.space.arms, by_arm, strict=True))

    @cached_property
    def order(self) -> tuple[ArmEvidence, ...]:
        """The arms with a feasible trial, by the best of each; equal objectives by index, as in a ranking."""

        def place(arm: ArmEvidence) -> tuple[float, int]:
            best = arm.order[0]
            return float(arm.objective[best]), arm.trials[best].spec.index

        return tuple(sorted((arm for arm in self.arms if arm.best is not None), key=place))

    @property
    def best(self) -> Trial | None:
        """The best trial of all arms; None where none is feasible."""
        return next((arm.trials[arm.order[0]] for arm in self.order), None)

    def _arm(self, arm: Arm, trials: Sequence[Trial]) -> ArmEvidence:
        known = sorted((trial for trial in trials if _tells(trial)), key=lambda trial: trial.spec.index)
        objective = numpy.array([self._minimised(trial) for trial in known], dtype=float)
        infeasible = numpy.isnan(objective) | self._diverged(known, objective)
        return ArmEvidence(
            arm=arm,
            space=self.space,
            trials=tuple(known),
            points=numpy.array([trial.spec.point for trial in known], dtype=float).reshape(
                len(known), len(self.space.dimensions)
            ),
            objective=numpy.where(infeasible, numpy.nan, objective),
            infeasible=infeasible,
            failed=sum(trial.status.state is TrialState.FAILED for trial in trials),
        )

    def _minimised(self, trial: Trial) -> float:
        if trial.status.state is TrialState.INFEASIBLE or trial.status.objective is None:
            return numpy.nan
        return self.objective.direction.minimised(trial.status.objective.value)

    def _diverged(self, trials: Sequence[Trial], objective: Floats) -> Flags:
        """Trials with a finite objective that diverged all the same: far off, and no better than when they began."""
        if not numpy.isfinite(objective).any():
            return numpy.zeros(len(trials), dtype=bool)
        median = numpy.nanmedian(objective)
        far = objective > median + MANY_MADS * numpy.nanmedian(numpy.abs(objective - median))
        diverged = numpy.zeros(len(trials), dtype=bool)
        for row in numpy.flatnonzero(far).tolist():
            start = self._start(trials[row])
            diverged[row] = start is not None and objective[row] >= start
        return diverged

    def _start(self, trial: Trial) -> float | None:
        """The objective's metric at the first of several evaluations, minimised; None where it is not known."""
        curve = trial.status.curves.get(self.objective.metric)
        return None if curve is None or len(curve) < 2 else self.objective.direction.minimised(curve.values[0])


def _tells(trial: Trial) -> bool:
    """Whether the trial has ended with a word about its parameters."""
    if trial.status.state is TrialState.SUCCEEDED:
        return trial.status.objective is not None
    return trial.status.state is TrialState.INFEASIBLE


def _cells(definition: Hyperparameter, drawn: Floats) -> Floats:
    """The coordinates of the values at the ``drawn`` ones."""
    domain = definition.domain
    if isinstance(domain, Choices):
        count = len(domain.values)
        return (numpy.minimum(numpy.floor(drawn * count), count - 1) + 0.5) / count
    if isinstance(domain, Range) and domain.integer:
        values, places = numpy.unique([domain.value(u) for u in drawn], return_inverse=True)
        return numpy.array([domain.coordinate(int(value)) for value in values], dtype=float)[places]
    return drawn
