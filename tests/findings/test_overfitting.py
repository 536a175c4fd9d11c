from collections.abc import Callable

import numpy
import pytest
from scipy import stats
from study_operator.findings import Evidence, Severity
from study_operator.findings.overfitting import find
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.trial import Curve
from study_operator.space import Choices, Hyperparameter, Role, Space

from bench.rates.curves import METRIC, Noise, Shape, curve, decay, flat, overfit, study_of

WHITE = Noise()


def arm(shape: Shape, rng: numpy.random.Generator, trials: int = 3, noise: Noise = WHITE, n: int = 40) -> list:
    return [{METRIC: curve(shape, n, noise, rng)} for _ in range(trials)]


@pytest.fixture
def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(11)


def test_an_arm_whose_best_trials_get_worse_after_their_best_is_named(rng: numpy.random.Generator) -> None:
    (finding,) = find(study_of([arm(overfit(10), rng), arm(decay(12), rng)]))
    assert (finding.subject.arm, finding.severity) == ("method=a0", Severity.WARNING)
    assert finding.numbers["rise"] == pytest.approx(10, rel=0.4)
    assert finding.step is not None
    assert 1000 <= finding.step <= 6000


def test_larger_can_be_better(rng: numpy.random.Generator) -> None:
    accuracy = Objective(METRIC, Direction.MAXIMIZE, Selection.BEST)
    rising = [{METRIC: Curve(c[METRIC].steps, tuple(-v for v in c[METRIC].values))} for c in arm(overfit(10), rng)]
    assert len(list(find(study_of([rising], objective=accuracy)))) == 1
    assert not list(find(study_of([rising])))


def test_bad_trials_may_overfit_as_they_like(rng: numpy.random.Generator) -> None:
    bad = arm(lambda t: 50 + overfit(20)(t), rng)
    assert not list(find(study_of([arm(decay(12), rng) + bad])))


def test_one_of_three_is_not_enough_unless_it_is_the_best_and_beyond_doubt(rng: numpy.random.Generator) -> None:
    others = arm(decay(12), rng, trials=2)
    assert list(find(study_of([[*others, *arm(lambda t: overfit(15)(t) - 5, rng, trials=1)]])))
    assert not list(find(study_of([[*others, *arm(lambda t: overfit(15)(t) + 3, rng, trials=1)]])))


def test_a_rise_that_does_not_matter_is_not_told() -> None:
    t = numpy.linspace(0, 1, 60)
    smooth = Curve(tuple(range(60)), tuple((numpy.exp(-4 * t) + numpy.maximum(0, t - 0.8) * 0.15).tolist()))
    assert not list(find(study_of([[{METRIC: smooth}] * 3])))


def test_nothing_is_said_of_short_curves_or_without_curves(rng: numpy.random.Generator) -> None:
    assert not list(find(study_of([arm(lambda t: 30 * t, rng, n=13)])))
    assert not list(find(study_of([[{}] * 3])))


def test_a_regulariser_under_comparison_makes_it_a_remark(rng: numpy.random.Generator) -> None:
    dropout = Hyperparameter("dropout", Role.SCIENTIFIC, Choices((0.0, 0.5)))
    evidence = study_of([arm(overfit(10), rng)])
    space = Space.build([dropout, *evidence.space.definitions])
    (finding,) = find(Evidence("s", space, evidence.objective, 100, (), (), evidence.trials))
    assert finding.severity is Severity.INFO
    assert "dropout" in finding.advice


NULLS = [(flat, Noise()), (decay(12), Noise(0.5)), (decay(12), Noise(0.8)), (flat, Noise(0.95)), (flat, Noise(0, True))]


def false_alarms(make: Callable[[], Evidence], runs: int) -> int:
    return sum(any(find(make())) for _ in range(runs))


@pytest.mark.parametrize(("shape", "noise"), NULLS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_false_alarms_are_rare(shape: Shape, noise: Noise, rng: numpy.random.Generator) -> None:
    hits = false_alarms(lambda: study_of([arm(shape, rng, noise=noise)]), 80)
    assert stats.binomtest(hits, 80, 0.05, alternative="greater").pvalue > 1e-3


def test_what_rises_by_ten_noises_is_found(rng: numpy.random.Generator) -> None:
    hits = sum(any(find(study_of([arm(overfit(10), rng)]))) for _ in range(60))
    assert stats.binomtest(hits, 60, 0.9, alternative="less").pvalue > 1e-3
