import math

import pytest
from study_operator.results.objective import Direction, Objective, Selection, objective_of
from study_operator.results.trial import MetricSummary, Sample

METRICS = {
    "error": MetricSummary(3, Sample(30, 0.3), Sample(20, 0.1), Sample(10, 0.9)),
    "loss": MetricSummary(3, Sample(30, math.nan), Sample(20, 1.0), Sample(10, 2.0)),
}


@pytest.mark.parametrize(
    ("direction", "selection", "expected"),
    [
        (Direction.MINIMIZE, Selection.BEST, Sample(20, 0.1)),
        (Direction.MAXIMIZE, Selection.BEST, Sample(10, 0.9)),
        (Direction.MINIMIZE, Selection.FINAL, Sample(30, 0.3)),
        (Direction.MAXIMIZE, Selection.FINAL, Sample(30, 0.3)),
    ],
)
def test_selects_the_best_or_the_last_point(direction, selection, expected):
    assert objective_of(METRICS, Objective("error", direction, selection)) == expected


def test_a_last_point_that_is_not_finite_is_no_objective():
    assert objective_of(METRICS, Objective("loss", Direction.MINIMIZE, Selection.FINAL)) is None


def test_a_metric_that_was_not_reported_gives_no_objective():
    assert objective_of(METRICS, Objective("accuracy", Direction.MAXIMIZE, Selection.BEST)) is None
