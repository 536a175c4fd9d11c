from __future__ import annotations

import math

import numpy
import pytest
from scipy import stats
from study_operator.findings import findings
from study_operator.findings.importance import importances, interactions, noncentrality
from study_operator.findings.insight import find
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Space

from bench.rates.importance import (
    INSENSITIVE,
    INTERACTS,
    MATTERS,
    Setting,
    last,
    names,
    nothing,
    product,
    total,
    valley,
)
from bench.rates.rate import Hypothesis, Rate
from tests.findings.evidence_samples import sobol, study, unit_space


def told(evidence, rule: str) -> set[str]:
    return {finding.subject.hyperparameter for finding in find(evidence) if finding.rule == rule}


def test_what_matters_and_what_does_not_is_told():
    points = sobol(3, 128)
    loss = (points[:, 0] - 0.6) ** 2 + 0.02 * numpy.random.default_rng(0).standard_normal(128)
    evidence = study(unit_space(3), points, loss)
    assert told(evidence, MATTERS) == {"x0"}
    assert told(evidence, INSENSITIVE) == {"x1", "x2"}


def test_an_insensitive_nuisance_is_fixed_at_the_best_trials_value():
    points = sobol(2, 128)
    loss = (points[:, 0] - 0.6) ** 2 + 0.001 * numpy.random.default_rng(0).standard_normal(128)
    (fix,) = (finding for finding in find(study(unit_space(2), points, loss)) if finding.rule == INSENSITIVE)
    assert fix.numbers["to"] == points[numpy.argmin(loss), 1]


def test_the_value_to_fix_has_the_digits_of_its_scale():
    momentum = Hyperparameter("momentum", Role.NUISANCE, Range(0.99, 0.9999, ScaleName.REVERSE_LOG))
    points = sobol(2, 128)
    space = Space.build([momentum, *unit_space(1).definitions])
    loss = (points[:, 1] - 0.6) ** 2 + 1e-5 * numpy.abs(points[:, 0] - 0.8)
    (fix,) = (finding for finding in find(study(space, points, loss)) if finding.rule == INSENSITIVE)
    told = float(fix.advice.split("best trial's ")[1].split(",")[0])
    assert 1 - told == pytest.approx(1 - fix.numbers["to"], rel=0.005)


def test_a_hyperparameter_that_matters_only_together_is_not_insensitive():
    points = sobol(3, 128)
    loss = (points[:, 0] - 0.5) * (points[:, 1] - 0.5) + 0.01 * numpy.random.default_rng(0).standard_normal(128)
    evidence = study(unit_space(3), points, loss)
    assert told(evidence, INTERACTS) == {"x0"}
    assert told(evidence, INSENSITIVE) == {"x2"}


def test_a_pair_that_interacts_is_told_of_the_first_with_both_names():
    points = sobol(3, 128)
    loss = (points[:, 0] - 0.5) * (points[:, 1] - 0.5)
    (pair,) = (finding for finding in find(study(unit_space(3), points, loss)) if finding.rule == INTERACTS)
    assert pair.subject.hyperparameter == "x0"
    assert (pair.numbers["first"], pair.numbers["second"]) == ("x0", "x1")
    assert "x0 and x1 interact" in pair.message


def test_a_choice_matters_by_its_means():
    space = Space.build(
        [Hyperparameter("activation", Role.NUISANCE, Choices(("relu", "tanh", "gelu"))), *unit_space(1).definitions]
    )
    points = sobol(2, 64)
    place = space.dimensions.index("activation")
    loss = (points[:, place] // (1 / 3) == 1) + 0.1 * numpy.random.default_rng(0).standard_normal(64)
    assert told(study(space, points, loss), MATTERS) == {"activation"}


def test_a_conditional_hyperparameter_is_judged_where_it_applies():
    space = Space.build(
        [
            Hyperparameter("dropout_on", Role.NUISANCE, Choices((False, True))),
            Hyperparameter("dropout", Role.NUISANCE, Range(0.0, 1.0), when={"dropout_on": (True,)}),
            Hyperparameter("width", Role.NUISANCE, Range(0.0, 1.0)),
        ]
    )
    points = sobol(3, 128)
    on = points[:, space.dimensions.index("dropout_on")] >= 0.5
    loss = on * points[:, space.dimensions.index("dropout")] + 0.05 * numpy.random.default_rng(0).standard_normal(128)
    evidence = study(space, points, loss)
    assert told(evidence, MATTERS) == {"dropout_on", "dropout"}
    assert (
        next(axis for axis in evidence.arms[0].axes if axis.name == "dropout").rows.tolist()
        == numpy.flatnonzero(on).tolist()
    )


def test_infeasible_trials_are_part_of_what_is_explained():
    points = sobol(2, 64)
    loss = numpy.where(points[:, 0] > 0.7, numpy.nan, numpy.random.default_rng(0).standard_normal(64))
    assert told(study(unit_space(2), points, loss), MATTERS) == {"x0"}


@pytest.mark.parametrize(
    "loss", [[], [1.0] * 8, [1.0] * 64, [numpy.nan] * 64], ids=["none", "few", "constant", "infeasible"]
)
def test_there_is_nothing_to_say_without_differences(loss):
    evidence = study(unit_space(2), sobol(2, 64), loss)
    assert not [finding for finding in findings(evidence) if finding.rule in (MATTERS, INTERACTS, INSENSITIVE)]


@pytest.mark.parametrize(
    ("f", "terms", "freedom"), [(1.0, 2, 20), (8.0, 2, 50), (40.0, 1, 10), (3.0, 5, 200), (900.0, 2, 100)]
)
@pytest.mark.parametrize("level", [0.05, 0.95])
def test_noncentrality_inverts_the_noncentral_f_distribution(f, terms, freedom, level):
    found = noncentrality(f, terms, freedom, level)
    at = stats.ncf.cdf(f, terms, freedom, found) if found else stats.f.cdf(f, terms, freedom)
    assert at == pytest.approx(level, abs=0.005) if found else at <= level + 0.01


def test_the_interval_covers_the_share_in_most_studies():
    setting = Setting(
        MATTERS, Hypothesis.NULL, "", 4, last, 0.09428, names(3)
    )  # noise with the variance of the parabola
    rng = numpy.random.default_rng(0)
    truth = importances(setting.simulate(8192, rng).arms[0])[3].share
    known = [importances(setting.simulate(64, rng).arms[0])[3] for _ in range(100)]
    assert sum(one.low <= truth <= one.high for one in known) >= 80


@pytest.mark.parametrize(
    "setting",
    [
        Setting(MATTERS, Hypothesis.NULL, "", 1, nothing, 0.1, names(0)),
        Setting(MATTERS, Hypothesis.NULL, "", 8, last, 0.03, names(*range(7)), arms=2),
        Setting(INSENSITIVE, Hypothesis.NULL, "", 4, last, 0.2828, names(3)),
        Setting(INTERACTS, Hypothesis.NULL, "", 2, total, 0.01, names(0)),
        Setting(INTERACTS, Hypothesis.NULL, "", 2, product, 0.01, names(0)),
    ],
    ids=lambda setting: f"{setting.rule}, {setting.loss.__name__}",
)
@pytest.mark.parametrize("n", [32, 64])
def test_false_claims_are_few(setting, n):
    assert not setting.rate(n, 0.5, numpy.random.default_rng(0)).too_high


@pytest.mark.parametrize(
    "setting",
    [
        Setting(MATTERS, Hypothesis.ALTERNATIVE, "", 4, last, 0.09, names(3)),
        Setting(INSENSITIVE, Hypothesis.ALTERNATIVE, "", 4, last, 0.03, names(0)),
        Setting(INTERACTS, Hypothesis.ALTERNATIVE, "", 4, valley, 0.1, names(2)),
    ],
    ids=lambda setting: setting.rule,
)
def test_what_is_there_is_seen_in_most_studies(setting):
    rate: Rate = setting.rate(64, 0.2, numpy.random.default_rng(0))
    assert rate.share >= 0.8


def test_interactions_need_enough_trials():
    assert not interactions(study(unit_space(8), sobol(8, 16), numpy.arange(16.0)).arms[0])


@pytest.mark.parametrize("terms", [1, 2, 10])
@pytest.mark.parametrize("freedom", [5, 200, 1000, 9000])
def test_noncentrality_survives_where_the_distribution_has_no_digits(terms, freedom):
    for f in (1.01, 1.4, 5.0, 20.0, 500.0, 900.0):
        found = [noncentrality(f, terms, freedom, level) for level in (0.975, 0.5, 0.025)]
        assert 0 <= found[0] <= found[1] <= found[2] < math.inf
