"""Evidence made to order: studies whose trials have given points, objectives and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy
from numpy.typing import ArrayLike
from study_operator.findings import Evidence
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.trial import Purpose, Sample, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.samplers.sobol import sobol_points
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space

OBJECTIVE = Objective("validation_error", Direction.MINIMIZE, Selection.BEST)
LEARNING_RATE = Hyperparameter("learning_rate", Role.NUISANCE, Range(1e-4, 1.0, ScaleName.LOG))


def unit_space(dimensions: int, arms: int = 1) -> Space:
    """Nuisances x0, x1, ... uniform in [0, 1], and a scientific choice that makes the arms."""
    nuisances = [Hyperparameter(f"x{index}", Role.NUISANCE, Range(0.0, 1.0)) for index in range(dimensions)]
    labels = tuple(f"a{index}" for index in range(arms))
    scientific = [Hyperparameter("method", Role.SCIENTIFIC, Choices(labels))] if arms > 1 else []
    return Space.build([*scientific, *nuisances])


def sobol(dimensions: int, count: int, seed: int = 0) -> numpy.ndarray:
    """The product's own points; shape (count, dimensions)."""
    return sobol_points(dimensions, seed, 1 << max(count - 1, 0).bit_length())[:count]


def study(
    space: Space,
    points: ArrayLike,
    objective: Sequence[float] | numpy.ndarray | Mapping[int, Sequence[float] | numpy.ndarray],
    *,
    trial_variance: float | None = None,
    goal: Objective = OBJECTIVE,
) -> Evidence:
    """Trial k of each arm at row k of ``points``. ``objective`` is for one arm, or by arm; NaN means infeasible."""
    by_arm = objective if isinstance(objective, Mapping) else {0: objective}
    rows = numpy.asarray(points, dtype=float)
    arms = len(space.arms)
    trials = [
        trial(space, place * arms + arm, arm, tuple(rows[place].tolist()), float(value))
        for arm, values in by_arm.items()
        for place, value in enumerate(values)
    ]
    return Evidence("study", space, goal, 1000, ("train_error",), (goal.metric,), trials, trial_variance)


def trial(space: Space, index: int, arm: int, point: tuple[float, ...], value: float) -> Trial:
    """A final search trial; infeasible where ``value`` is NaN."""
    state = TrialState.INFEASIBLE if numpy.isnan(value) else TrialState.SUCCEEDED
    spec = TrialSpec("study", index, arm, Purpose.SEARCH, point, space.parameters(arm, point), seed=index)
    objective = None if numpy.isnan(value) else Sample(1000, value)
    return Trial(spec, TrialStatus(state=state, objective=objective))
