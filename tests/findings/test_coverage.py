from __future__ import annotations

from dataclasses import replace

import numpy
import pytest
from study_operator.findings import Severity
from study_operator.findings.coverage import coverage_of, find
from study_operator.results.trial import TrialState, TrialStatus

from bench.rates.coverage import warned
from bench.rates.rate import Hypothesis, Rate
from tests.findings.evidence_samples import sobol, study, unit_space


def test_the_bound_of_the_better_volume_is_that_of_the_rule():
    points = sobol(2, 32)
    coverage = coverage_of(study(unit_space(2), points, points[:, 0]).arms[0], trial_variance=0.05)
    assert coverage.better_volume == pytest.approx(1 - 0.05 ** (1 / 32))
    assert coverage.near_best == numpy.count_nonzero(points[:, 0] <= points[:, 0].min() + 0.05)


def test_without_reruns_few_points_are_a_remark_and_many_are_nothing():
    few, many = sobol(2, 16), sobol(2, 64)
    (finding,) = find(study(unit_space(2), few, few[:, 0]))
    assert finding.severity is Severity.INFO
    assert not list(find(study(unit_space(2), many, many[:, 0])))


@pytest.mark.parametrize(("n", "told"), [(1, "1 point is a coarse look"), (3, "3 points are a coarse look")])
def test_the_fewest_points_are_a_remark_too(n, told):
    points = sobol(2, 32)[:n]
    (finding,) = find(study(unit_space(2), points, points[:, 0], trial_variance=1e-6))
    assert finding.severity is Severity.INFO
    assert finding.message.startswith(told)


def test_an_arm_whose_trials_all_failed_is_a_warning():
    points = sobol(2, 4)
    known = study(unit_space(2), points, points[:, 0])
    failed = [replace(trial, status=TrialStatus(state=TrialState.FAILED)) for trial in known.trials]
    (finding,) = find(replace(known, trials=failed))
    assert (finding.severity, finding.message) == (
        Severity.WARNING,
        "No point is known: all 4 trials that ended failed.",
    )
    assert not list(find(replace(known, trials=[])))


def test_points_that_still_pay_are_a_warning_with_the_number_to_take():
    points = sobol(8, 64)
    (finding,) = find(study(unit_space(8), points, ((points - 0.4) ** 2).sum(axis=1), trial_variance=0.01))
    assert (finding.severity, finding.numbers["to"]) == (Severity.WARNING, 128)


def test_infeasible_trials_count_as_points():
    points = sobol(2, 32)
    values = numpy.where(points[:, 0] > 0.5, numpy.nan, points[:, 1])
    assert coverage_of(study(unit_space(2), points, values).arms[0], None).n == 32


@pytest.mark.parametrize("noise", [0.1, 0.3])
@pytest.mark.parametrize("n", [16, 64])
def test_false_alarms_are_few(noise, n):
    rng = numpy.random.default_rng(0)
    hits = sum(warned(n, 1, 1.0, noise, rng) for _ in range(200))
    assert not Rate("enough-points", Hypothesis.NULL, "", hits, 200).too_high


def test_many_dimensions_with_few_points_are_seen_in_most_studies():
    rng = numpy.random.default_rng(0)
    assert sum(warned(32, 8, 1.0, 0.02, rng) for _ in range(50)) >= 40
