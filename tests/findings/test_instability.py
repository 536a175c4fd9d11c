from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
from study_operator.findings.instability import find
from study_operator.space import Hyperparameter, Kind, Role, Space

from bench.rates.instability import simulate
from bench.rates.rate import Hypothesis, Rate
from tests.findings.evidence_samples import LEARNING_RATE, sobol, study, unit_space

POINTS = sobol(1, 32)


def loss(wall: float) -> numpy.ndarray:
    """Better and better up to a wall."""
    return numpy.where(POINTS[:, 0] > wall, numpy.nan, -POINTS[:, 0])


def test_a_best_learning_rate_below_a_wall_of_failures_is_told_with_the_wall():
    (finding,) = find(study(Space.build([LEARNING_RATE]), POINTS, loss(0.7)))
    assert finding.subject.hyperparameter == "learning_rate"
    assert finding.numbers["best"] < finding.numbers["threshold"] < 1e-4 * 1e4**0.8
    assert "warmup" in finding.advice


def test_another_hyperparameter_has_no_edge_of_feasibility():
    assert not list(find(study(unit_space(1), POINTS, loss(0.7))))


def test_the_kind_tells_a_learning_rate_of_another_name():
    peak = Hyperparameter("peak", Role.NUISANCE, LEARNING_RATE.domain, kind=Kind.LEARNING_RATE)
    assert len(list(find(study(Space.build([peak]), POINTS, loss(0.7))))) == 1
    assert not list(find(study(Space.build([replace(peak, kind=None)]), POINTS, loss(0.7))))


@pytest.mark.parametrize(("optimum", "share", "wall"), [(0.95, 0.5, 1.0), (0.95, 0.8, 1.0), (0.4, 0.02, 0.65)])
def test_failures_anywhere_and_far_walls_raise_few_false_alarms(optimum, share, wall):
    rng = numpy.random.default_rng(0)
    hits = sum(any(find(simulate(32, optimum, share, wall, rng))) for _ in range(150))
    assert not Rate("learning-rate-edge", Hypothesis.NULL, "", hits, 150).too_high


def test_an_optimum_behind_a_wall_is_seen_in_most_studies():
    rng = numpy.random.default_rng(0)
    assert sum(any(find(simulate(32, 0.8, 0.02, 0.65, rng))) for _ in range(50)) >= 35
