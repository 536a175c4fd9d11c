from collections.abc import Sequence

import numpy
import pytest
from scipy import stats
from study_operator.findings.noise import find
from study_operator.results.trial import Curve

from bench.rates.curves import METRIC, Noise, curve, decay, study_of

WHITE = Noise()

Trials = Sequence[dict[str, Curve]]


def arm(level: float, rng: numpy.random.Generator, noise: Noise = WHITE, n: int = 40) -> Trials:
    return [{METRIC: curve(lambda t: level + decay(20)(t), n, noise, rng)} for _ in range(4)]


@pytest.fixture
def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(5)


def test_noise_above_half_the_gap_is_told_of_both_arms(rng: numpy.random.Generator) -> None:
    findings = list(find(study_of([arm(0, rng), arm(0.8, rng)])))
    assert {finding.subject.arm for finding in findings} == {"method=a0", "method=a1"}
    assert findings[0].numbers["noise"] == pytest.approx(1, rel=0.5)
    assert findings[0].step == 7750


def test_a_third_arm_is_measured_against_the_best_of_the_others(rng: numpy.random.Generator) -> None:
    findings = list(find(study_of([arm(0, rng), arm(0.5, rng), arm(40, rng)])))
    assert {finding.subject.arm for finding in findings} == {"method=a0", "method=a1"}
    assert all("what separates it from the best other arm" in finding.message for finding in findings)


def test_noise_above_the_trial_variance_is_told_of_a_single_arm(rng: numpy.random.Generator) -> None:
    trials = arm(0, rng)
    (finding,) = find(study_of([trials], trial_variance=0.3))
    assert "reruns" in finding.message
    assert not list(find(study_of([trials], trial_variance=5.0)))


def test_without_anything_to_compare_it_with_no_noise_is_large(rng: numpy.random.Generator) -> None:
    assert not list(find(study_of([arm(0, rng)])))


@pytest.mark.parametrize("noise", [Noise(), Noise(0.8), Noise(heavy=True)], ids=str)
def test_noise_of_a_third_of_the_limit_is_rarely_told(noise: Noise, rng: numpy.random.Generator) -> None:
    hits = sum(any(find(study_of([arm(0, rng, noise), arm(6, rng, noise)]))) for _ in range(60))
    assert stats.binomtest(hits, 60, 0.05, alternative="greater").pvalue > 1e-3


def test_noise_of_twice_the_limit_is_mostly_told(rng: numpy.random.Generator) -> None:
    hits = sum(any(find(study_of([arm(0, rng), arm(1, rng)]))) for _ in range(60))
    assert stats.binomtest(hits, 60, 0.9, alternative="less").pvalue > 1e-3
