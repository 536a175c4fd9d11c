from __future__ import annotations

import numpy
import pytest
from study_operator.findings import Severity
from study_operator.findings.feasibility import find
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space

from bench.rates.feasibility import anywhere, beyond, reshapes, simulate, suspects_a_bug, trims
from bench.rates.rate import Hypothesis, Rate
from tests.findings.evidence_samples import sobol, study, unit_space

POINTS = sobol(2, 32)


def loss(infeasible: numpy.ndarray) -> numpy.ndarray:
    return numpy.where(infeasible, numpy.nan, (POINTS[: len(infeasible), 1] - 0.5) ** 2)


def test_a_feasible_study_has_nothing_to_tell():
    assert not list(find(study(unit_space(2), POINTS, loss(numpy.zeros(32, bool)))))


def test_a_study_of_failures_alone_is_told_to_look_for_a_bug():
    (finding,) = find(study(unit_space(2), POINTS, loss(numpy.ones(32, bool))))
    assert finding.severity is Severity.WARNING
    assert "Not one trial worked" in finding.advice
    assert finding.numbers["infeasible"] == 32


def test_failures_without_a_cause_in_the_space_suggest_a_bug():
    infeasible = numpy.random.default_rng(0).permutation(128) < 100
    points = sobol(2, 128)
    values = numpy.where(infeasible, numpy.nan, points[:, 1])
    (finding,) = find(study(unit_space(2), points, values))
    assert "suspect a bug" in finding.advice


def test_failures_beyond_a_value_trim_the_range_to_it():
    findings = list(find(study(unit_space(2), POINTS, loss(POINTS[:, 0] > 0.25))))
    reshape, trim = sorted(findings, key=lambda finding: finding.subject.hyperparameter)
    assert "x0 tells" in reshape.advice
    assert (trim.subject.hyperparameter, trim.numbers["side"], trim.numbers["from"]) == ("x0", "max", 1.0)
    assert trim.numbers["to"] == pytest.approx(0.25, abs=0.04)
    assert trim.severity is Severity.WARNING


def test_a_smaller_infeasible_part_is_trimmed_as_a_remark():
    (trim,) = find(study(unit_space(2), POINTS, loss(POINTS[:, 0] < 0.25)))
    assert (trim.severity, trim.numbers["side"]) == (Severity.INFO, "min")
    assert trim.numbers["to"] == pytest.approx(0.25, abs=0.04)


def test_a_trim_on_a_log_scale_keeps_the_best_trial_inside():
    space = Space.build([Hyperparameter("weight_decay", Role.NUISANCE, Range(1e-6, 1.0, ScaleName.LOG))])
    points = sobol(1, 64)
    values = numpy.where((points[:, 0] > 0.5) & (points[:, 0] < 0.9), numpy.nan, -points[:, 0])
    values[points[:, 0] > 0.9] = numpy.nan
    values[int(numpy.argmax(points[:, 0] * (points[:, 0] < 0.7)))] = -9.0
    (trim,) = (finding for finding in find(study(space, points, values)) if trims(finding))
    best = max(u for u in points[:, 0] if u < 0.7)
    assert 1e-6 * 1e6**best <= trim.numbers["to"] < 1.0


@pytest.mark.parametrize(
    ("domain", "wall"), [(Range(0.9, 0.999, ScaleName.REVERSE_LOG), 0.992), (Range(0.99, 0.999), 0.996)]
)
def test_a_trim_moves_the_bound_and_says_so_however_close_the_two_are(domain, wall):
    space = Space.build([Hyperparameter("momentum", Role.NUISANCE, domain)])
    points = sobol(1, 128)
    fails = points[:, 0] > domain.coordinate(wall)
    (trim,) = filter(trims, find(study(space, points, numpy.where(fails, numpy.nan, points[:, 0]))))
    assert trim.numbers["to"] == pytest.approx(wall, abs=0.001)
    assert trim.advice == f"Trim the range of momentum: max from 0.999 to {trim.numbers['to']}."
    assert f"above momentum = {trim.numbers['to']} " in trim.message


def test_a_trim_that_would_move_nothing_is_not_told():
    space = Space.build([Hyperparameter("layers", Role.NUISANCE, Range(1, 2, integer=True))])
    points = sobol(1, 32)
    assert not list(filter(trims, find(study(space, points, numpy.where(points[:, 0] > 0.5, numpy.nan, 1.0)))))


NORMALISATION = Hyperparameter("normalisation", Role.NUISANCE, Choices(("layer", "none", "batch")))


def without_normalisation() -> tuple[Space, numpy.ndarray, numpy.ndarray]:
    """A space, its points, and which of them have no normalisation."""
    space, points = Space.build([NORMALISATION, *unit_space(1).definitions]), sobol(2, 64)
    places = points[:, space.dimensions.index("normalisation")]
    return space, points, (places >= 1 / 3) & (places < 2 / 3)


def test_the_choice_that_fails_is_named():
    space, points, none = without_normalisation()
    (finding,) = find(study(space, points, numpy.where(none, numpy.nan, 1.0)))
    assert finding.numbers["choice"] == "none"


def test_a_flag_that_fails_is_told_as_the_manifest_has_it():
    space = Space.build([Hyperparameter("bias", Role.NUISANCE, Choices((True, False))), *unit_space(1).definitions])
    points = sobol(2, 64)
    on = points[:, space.dimensions.index("bias")] < 0.5
    (finding,) = find(study(space, points, numpy.where(on, numpy.nan, 1.0)))
    assert finding.message == "Trials with bias=true are the infeasible ones (AUC 1.00)."
    assert (finding.advice, finding.numbers["choice"]) == ("Leave true out of the choices of bias.", "true")


def test_a_choice_that_the_best_trial_has_is_not_left_out():
    space, points, none = without_normalisation()
    values = numpy.where(none, numpy.nan, 1.0)
    values[numpy.flatnonzero(none)[0]] = 0.5
    assert not list(find(study(space, points, values)))


@pytest.mark.parametrize(
    ("claim", "chance"), [(reshapes, anywhere(0.5)), (trims, anywhere(0.3)), (suspects_a_bug, beyond(0.25))]
)
@pytest.mark.parametrize("n", [16, 64])
def test_false_alarms_are_few(claim, chance, n):
    rng = numpy.random.default_rng(0)
    hits = sum(any(map(claim, find(simulate(n, 4, chance, rng)))) for _ in range(100))
    assert not Rate("infeasible-trials", Hypothesis.NULL, "", hits, 100).too_high


@pytest.mark.parametrize(("claim", "chance"), [(reshapes, anywhere(0.85)), (trims, beyond(0.5))])
def test_what_fails_is_seen_in_most_studies(claim, chance):
    rng = numpy.random.default_rng(0)
    hits = sum(any(map(claim, find(simulate(32, 4, chance, rng)))) for _ in range(50))
    assert hits >= 40
