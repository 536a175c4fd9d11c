from collections.abc import Sequence
from dataclasses import replace

import numpy
import pytest
from scipy import stats
from study_operator.findings import Evidence, Finding
from study_operator.findings.progress import find
from study_operator.results.trial import Curve, MetricSummary, Sample

from bench.rates.curves import METRIC, Noise, Shape, curve, decay, fall, flat, overfit, study_of

WHITE = Noise()


def study(shape: Shape, rng: numpy.random.Generator, trials: int = 5, noise: Noise = WHITE, n: int = 40) -> Evidence:
    return study_of([[{METRIC: curve(shape, n, noise, rng)} for _ in range(trials)]])


def rules(findings: Sequence[Finding] | object) -> list[str]:
    return [finding.rule for finding in findings]  # type: ignore[attr-defined]


@pytest.fixture
def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(8)


def test_curves_that_fall_to_the_end_still_improve_from_the_last_quarter_on(rng: numpy.random.Generator) -> None:
    (finding,) = find(study(fall(0, 1, 60), rng))
    assert (finding.rule, finding.step) == ("still-improving", 7750)
    assert finding.numbers["change"] == pytest.approx(15, rel=0.4)


def test_the_stretch_is_told_that_the_change_is_of(rng: numpy.random.Generator) -> None:
    (finding,) = find(study(fall(0, 1, 300), rng, n=20))
    assert finding.step is not None and finding.step < 7000  # of twenty evaluations the last eight
    assert f"from step {finding.step} on in {finding.subject.trial}." in finding.message


def test_curves_that_are_done_early_tell_when(rng: numpy.random.Generator) -> None:
    (finding,) = find(study(fall(0, 0.2, 60), rng))
    assert finding.rule == "early-saturation"
    assert finding.numbers["settled"] == pytest.approx(0.2, abs=0.06)
    assert f"has settled, within its noise, after {finding.numbers['settled']:.0%} of the steps" in finding.message
    assert finding.step is not None
    assert 1500 <= finding.step <= 3000


def test_overfitting_is_not_taken_for_saturation(rng: numpy.random.Generator) -> None:
    assert not list(find(study(overfit(20, 0.1), rng)))


def test_a_smooth_curve_that_hardly_moves_any_more_does_not_still_improve() -> None:
    t = numpy.linspace(0, 1, 60)
    smooth = Curve(tuple(range(60)), tuple((0.1 + numpy.exp(-20 * t)).tolist()))
    assert "still-improving" not in rules(find(study_of([[{METRIC: smooth}] * 3])))


def test_two_trials_do_not_make_a_study_too_long(rng: numpy.random.Generator) -> None:
    assert not list(find(study(flat, rng, trials=2)))


def test_without_steps_nothing_is_marked_on_the_curve(rng: numpy.random.Generator) -> None:
    evidence = study(fall(0, 1, 60), rng)

    def stepless(summary: MetricSummary) -> MetricSummary:
        final, low, high = (Sample(None, sample.value) for sample in (summary.final, summary.minimum, summary.maximum))  # type: ignore[union-attr]
        return MetricSummary(summary.count, final, low, high)

    trials = [
        replace(trial, status=replace(trial.status, metrics={METRIC: stepless(trial.status.metrics[METRIC])}))
        for trial in evidence.trials
    ]
    (finding,) = find(replace(evidence, trials=trials))
    assert (finding.rule, finding.step) == ("still-improving", None)


@pytest.mark.parametrize("noise", [Noise(), Noise(0.5), Noise(0.8), Noise(0.95), Noise(heavy=True)], ids=str)
@pytest.mark.parametrize("shape", [flat, decay(12)], ids=["flat", "decay"])
def test_what_has_settled_rarely_seems_to_improve(shape: Shape, noise: Noise, rng: numpy.random.Generator) -> None:
    hits = sum("still-improving" in rules(find(study(shape, rng, 3, noise))) for _ in range(60))
    assert stats.binomtest(hits, 60, 0.05, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize("noise", [Noise(), Noise(0.8), Noise(heavy=True)], ids=str)
@pytest.mark.parametrize("shape", [fall(0.75, 1, 4), decay(2.5, 60), fall(0, 0.7, 20)], ids=["late", "slow", "70%"])
def test_what_needs_its_steps_is_rarely_called_saturated(
    shape: Shape, noise: Noise, rng: numpy.random.Generator
) -> None:
    hits = sum("early-saturation" in rules(find(study(shape, rng, noise=noise))) for _ in range(50))
    assert stats.binomtest(hits, 50, 0.05, alternative="greater").pvalue > 1e-3


@pytest.mark.parametrize(
    ("rule", "shape", "power"), [("still-improving", fall(0, 1, 20), 0.8), ("early-saturation", decay(20), 0.9)]
)
def test_what_is_there_is_found(rule: str, shape: Shape, power: float, rng: numpy.random.Generator) -> None:
    hits = sum(rule in rules(find(study(shape, rng))) for _ in range(50))
    assert stats.binomtest(hits, 50, power, alternative="less").pvalue > 1e-3
