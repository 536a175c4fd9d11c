"""A finding of every rule that has any, each from trials or a plan that it speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy
from study_operator.analysis import analyse
from study_operator.api import parse_study, study_space
from study_operator.conclusions import Confirmation, Question, arm_findings, arms, compare, rerun_findings
from study_operator.findings import Evidence, Finding, findings
from study_operator.findings.lints import lint
from study_operator.results.trial import Curve
from study_operator.space import Choices, Hyperparameter, Range, Role, Space

from bench.rates.curves import METRIC, Noise, Shape, curve, decay, fall, overfit, study_of
from bench.rates.signatures import WAVES, with_period
from tests.api.manifests import study_manifest
from tests.conclusions import studies
from tests.findings.evidence_samples import LEARNING_RATE, sobol, study, unit_space
from tests.findings.test_lints import CASES, plan

CLIPPING = Hyperparameter("gradient_clipping", Role.NUISANCE, Range(0.0, 2.0))
NORM = Hyperparameter("norm", Role.NUISANCE, Choices(("batch", "layer")))


def every_finding() -> list[Finding]:
    """In no particular order, some rules several times."""
    rng = numpy.random.default_rng(0)
    found = [finding for case in CASES for finding in lint(plan(*case.wrong, **case.wrong_rest))]
    for evidence in (*_searches(rng), *_trainings(rng)):
        found += [*findings(evidence), *arm_findings(compare(arms(evidence), rng))]
    trials = [studies.trial(0, 0.1), studies.trial(1, 0.2)]
    reruns = [*studies.reruns(trials[0], 0, [0.1, 0.2]), *studies.baseline(trials[0], 1, [0.9, 0.8])]
    found += rerun_findings(studies.evidence([*trials, *reruns]), Question(Confirmation(1, 2), chance=0.9))
    bayesian = parse_study(study_manifest({"spec.phase": "Exploitation"}))
    return [*found, *analyse(bayesian, study_space(bayesian), [], 7, complete=False).findings]


def _searches(rng: numpy.random.Generator) -> Iterator[Evidence]:
    """By where the good and the infeasible trials are."""
    points = sobol(3, 128)
    noise = 0.01 * rng.standard_normal(128)
    yield study(unit_space(3), points, (points[:, 0] - 0.5) * (points[:, 1] - 0.5) + noise)
    yield study(unit_space(3), points, numpy.where(points[:, 0] > 0.3, numpy.nan, points[:, 1]))
    yield study(Space.build([NORM, *unit_space(1).definitions]), points[:16, :2], points[:16, 0] - points[:16, 1])
    yield study(unit_space(1), sobol(1, 32), -sobol(1, 32)[:, 0])
    rates = sobol(1, 32)[:, 0]
    yield study(Space.build([LEARNING_RATE]), sobol(1, 32), numpy.where(rates > 0.7, numpy.nan, -rates))
    tested = study(unit_space(1), sobol(1, 8), [0.1] * 8)
    yield replace(tested, last_launch=True)


def _trainings(rng: numpy.random.Generator) -> Iterator[Evidence]:
    """By the curves of the trials."""

    def trials(shape: Shape, metric: str = METRIC, n: int = 40, **constants: float) -> Sequence[Mapping[str, Curve]]:
        others = {name: _constant(value) for name, value in constants.items()}
        return [
            {METRIC: curve(decay(12), n, Noise(), rng), metric: curve(shape, n, Noise(), rng), **others}
            for _ in range(5)
        ]

    yield study_of([trials(overfit(20))])
    yield study_of([trials(fall(0, 1, 60))])
    yield study_of([trials(fall(0, 0.2, 60)), trials(fall(0, 0.2, 60))])
    yield study_of([trials(fall(0, 0.2, 60))], trial_variance=0.3)
    yield study_of([trials(overfit(10), "train_loss")])
    yield study_of([trials(with_period(WAVES["saw"], 4, 100), n=100)])
    yield study_of([trials(decay(12), grad_norm=2.0, data_wait_fraction=0.3)], nuisances=[CLIPPING])
    uneven = tuple(numpy.cumsum(rng.integers(80, 120, 40)).tolist())
    yield study_of([[{METRIC: Curve(uneven, (0.5,) * 40)}] * 3])


def _constant(value: float) -> Curve:
    return Curve(tuple(range(1, 21)), (value,) * 20)
