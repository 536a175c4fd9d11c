from __future__ import annotations

import numpy
import pytest
from study_operator.findings import Severity
from study_operator.findings.boundary import expanded, find
from study_operator.space import Choices, Hyperparameter, Kind, Range, Role, ScaleName, Space

from bench.rates.boundary import irrelevant, optimum_at
from bench.rates.rate import Hypothesis
from tests.findings.evidence_samples import LEARNING_RATE, sobol, study, unit_space


def towards(place: float, dimensions: int = 2, count: int = 32) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Points, and a loss whose optimum in the first hyperparameter is at ``place``."""
    points = sobol(dimensions, count)
    return points, (points[:, 0] - place) ** 2


@pytest.mark.parametrize(("place", "side", "bound"), [(1.3, "max", 1.5), (-0.3, "min", None)])
def test_an_optimum_beyond_the_range_is_found_with_its_side(place, side, bound):
    (finding,) = find(study(unit_space(2), *towards(place)))
    assert finding.subject.hyperparameter == "x0"
    assert (finding.numbers["side"], finding.numbers.get("to")) == (side, bound)
    assert finding.severity is (Severity.WARNING if bound else Severity.INFO)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7])
def test_an_optimum_inside_is_left_alone(place):
    assert not list(find(study(unit_space(2), *towards(place))))


def test_failures_rank_worst_so_that_the_trend_goes_away_from_them():
    points, loss = towards(1.3)
    loss[points[:, 0] > 0.6] = numpy.nan
    assert not list(find(study(unit_space(2), points, loss)))


def test_arms_are_looked_at_one_by_one():
    points, loss = towards(1.3)
    (finding,) = find(study(unit_space(2, arms=2), points, {0: loss, 1: (points[:, 0] - 0.5) ** 2}))
    assert finding.subject.arm == "method=a0"


def test_a_learning_rate_limited_by_instability_is_not_expanded():
    space = Space.build([LEARNING_RATE])
    points = sobol(1, 64)
    loss = -points[:, 0]
    assert list(find(study(space, points, loss)))
    loss[points[:, 0] > 0.93] = numpy.nan
    assert not [finding for finding in find(study(space, points, loss)) if finding.numbers["side"] == "max"]


def test_choices_have_no_boundary():
    space = Space.build([Hyperparameter("width", Role.NUISANCE, Choices((1, 2, 3, 4))), LEARNING_RATE])
    points = sobol(2, 32)
    assert not list(find(study(space, points, -points[:, space.dimensions.index("width")])))


def test_an_integer_at_the_end_of_its_range_counts_as_at_the_boundary():
    space = Space.build([Hyperparameter("layers", Role.NUISANCE, Range(1, 4, integer=True))])
    points = sobol(1, 64)
    loss = [-space.parameters(0, tuple(point))["layers"] + 0.1 * point[0] for point in points]
    (finding,) = find(study(space, points, loss))
    assert (finding.numbers["from"], finding.numbers["to"]) == (4, 6)


@pytest.mark.parametrize(
    ("domain", "kind", "side", "bound"),
    [
        (Range(1e-4, 1.0, ScaleName.LOG), None, "max", 10.0),
        (Range(1e-4, 1.0, ScaleName.LOG), None, "min", 1e-5),
        (Range(0.9, 0.99, ScaleName.REVERSE_LOG), None, "max", 0.999),
        (Range(0.9, 0.99, ScaleName.REVERSE_LOG), None, "min", 0.0),
        (Range(0.9, 0.9999, ScaleName.REVERSE_LOG), None, "max", 0.99999),
        (Range(0.9, 0.9999999, ScaleName.REVERSE_LOG), None, "max", 0.99999999),
        (Range(1e-12, 1e-3, ScaleName.LOG), Kind.EPSILON, "min", 1e-13),
        (Range(0.2, 0.6), None, "min", 0.0),
        (Range(-1.0, 1.0), None, "min", -2.0),
        (Range(0.1, 0.5), None, "min", 0.0),
        (Range(0.0, 0.8), Kind.DROPOUT, "max", 0.9),
        (Range(0.0, 0.8), Kind.DROPOUT, "min", None),
        (Range(0.0, 1.0), Kind.DROPOUT, "max", None),
        (Range(2, 6, integer=True), None, "max", 8),
        (Range(1, 2, integer=True), None, "max", 3),
        (Range(4, 5, integer=True), None, "min", 3),
        (Range(1, 64, ScaleName.LOG, integer=True), None, "min", None),
    ],
)
def test_a_range_grows_by_a_decade_or_half_its_width_up_to_its_natural_bound(domain, kind, side, bound):
    assert expanded(Hyperparameter("x", Role.NUISANCE, domain, kind=kind), side) == bound


def test_a_momentum_is_told_in_as_many_digits_as_tell_its_bounds_apart():
    space = Space.build([Hyperparameter("momentum", Role.NUISANCE, Range(0.9, 0.9999, ScaleName.REVERSE_LOG))])
    (finding,) = find(study(space, sobol(1, 32), -sobol(1, 32)[:, 0]))
    assert "the upper end of momentum (0.9999)" in finding.message
    assert finding.advice == "Expand the range of momentum: max from 0.9999 to 0.99999."


@pytest.mark.parametrize(("dimensions", "arms", "n"), [(1, 1, 16), (8, 1, 16), (8, 2, 32), (4, 1, 64)])
def test_irrelevant_hyperparameters_raise_false_alarms_in_few_studies(dimensions, arms, n):
    assert not irrelevant(dimensions, arms, n, 0.1, 100, numpy.random.default_rng(0)).too_high


@pytest.mark.parametrize("n", [16, 64])
def test_an_optimum_well_inside_raises_few_false_alarms(n):
    assert not optimum_at(0.7, Hypothesis.NULL, 1, n, 0.1, 200, numpy.random.default_rng(0)).too_high


@pytest.mark.parametrize(("n", "power"), [(16, 0.85), (32, 0.9), (64, 0.95)])
def test_a_range_that_is_too_small_is_seen(n, power):
    rate = optimum_at(1.2, Hypothesis.ALTERNATIVE, 1, n, 0.02, 100, numpy.random.default_rng(0))
    assert rate.interval[1] >= power
