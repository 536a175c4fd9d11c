from __future__ import annotations

import numpy
from study_operator.findings.plots import axis_plots, find, isolation_plots
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space

from tests.findings.evidence_samples import LEARNING_RATE, sobol, study, unit_space


def test_an_axis_plot_has_values_objectives_failures_and_the_best_three():
    space = Space.build([LEARNING_RATE])
    points = sobol(1, 16)
    loss = numpy.where(points[:, 0] > 0.8, numpy.nan, points[:, 0])
    (plot,) = axis_plots(study(space, points, loss))
    assert plot.hyperparameter == LEARNING_RATE
    assert [point.value for point in plot.points] == [
        space.parameters(0, tuple(row))["learning_rate"] for row in points
    ]
    assert sum(point.infeasible for point in plot.points) == numpy.count_nonzero(points[:, 0] > 0.8)
    assert all((point.objective is None) == point.infeasible for point in plot.points)
    best = sorted((point for point in plot.points if point.rank), key=lambda point: point.rank or 0)
    assert [point.objective for point in best] == sorted(points[:, 0].tolist())[:3]


def test_the_place_of_the_best_three_is_told_in_words():
    norm = Hyperparameter("norm", Role.NUISANCE, Choices(("batch", "layer")))
    points = sobol(2, 16)
    loss = numpy.where(points[:, 0] > 0.8, numpy.nan, points[:, 0])
    (told,) = find(study(Space.build([LEARNING_RATE, norm]), points, loss))
    failed = numpy.count_nonzero(points[:, 0] > 0.8)
    assert told.message.startswith("The best three trials have learning_rate 0.0001")
    assert "(of 0.0001 to 1), norm " in told.message
    assert told.message.endswith(f" {failed} of its 16 trials are infeasible.")


def test_the_place_on_a_reverse_log_scale_is_told_by_the_distance_to_one():
    space = Space.build([Hyperparameter("momentum", Role.NUISANCE, Range(0.9, 0.9999, ScaleName.REVERSE_LOG))])
    (told,) = find(study(space, sobol(1, 16), -sobol(1, 16)[:, 0]))
    low, high = told.message.removeprefix("The best three trials have momentum ").split(" (of")[0].split(" to ")
    assert 0.999 < float(low) < float(high) < 0.9999
    assert told.message.endswith(" (of 0.9 to 0.9999).")


def test_where_hardly_anything_worked_there_is_no_best_region():
    assert list(find(study(unit_space(1), sobol(1, 8), [0.1, 0.2, 0.3, *[numpy.nan] * 5]))) == []


def test_objectives_are_shown_as_the_user_knows_them():
    goal = Objective("accuracy", Direction.MAXIMIZE, Selection.BEST)
    (plot,) = axis_plots(study(unit_space(1), sobol(1, 4), [0.1, 0.9, 0.5, 0.3], goal=goal))
    assert [(point.objective, point.rank) for point in plot.points] == [(0.1, None), (0.9, 1), (0.5, 2), (0.3, 3)]


def test_the_isolation_plot_has_the_best_of_each_arm():
    points = sobol(1, 8)
    values = {0: [3.0, 1.0, 2.0, 5.0], 1: [numpy.nan, 4.0, 6.0, 7.0], 2: [numpy.nan] * 4}
    plot, *_ = isolation_plots(study(unit_space(1, arms=3), points, values))
    assert [(point.objective, point.infeasible) for point in plot.points] == [(1.0, 0), (4.0, 1), (None, 4)]
    assert [point.value for point in plot.points] == ["method=a0", "method=a1", "method=a2"]


def test_a_scientific_range_is_isolated_by_its_parts():
    space = Space.build([Hyperparameter("depth", Role.SCIENTIFIC, Range(0.0, 1.0)), *unit_space(1).definitions])
    points = sobol(2, 64)
    _, plot = isolation_plots(study(space, points, points[:, 1]))
    assert plot.hyperparameter == space.definitions[0]
    assert len(plot.points) == 10
    assert sum(point.trials for point in plot.points) == 64
    assert plot.points[0].objective == points[points[:, 0] < 0.1, 1].min()
