from collections.abc import Mapping, Sequence

import numpy
import pytest
from scipy import stats
from study_operator.findings import Finding
from study_operator.findings.metric_names import better
from study_operator.findings.signatures import find
from study_operator.results.objective import Direction
from study_operator.results.trial import Curve
from study_operator.space import Hyperparameter, Range, Role, Value

from bench.rates.curves import METRIC, STEPS, Noise, Shape, curve, decay, flat, overfit, study_of
from bench.rates.signatures import WAVES, with_period

CLIPPING = Hyperparameter("gradient_clipping", Role.NUISANCE, Range(0.0, 2.0))


@pytest.fixture
def rng() -> numpy.random.Generator:
    return numpy.random.default_rng(2)


def constant(value: float, points: int = 20) -> Curve:
    return Curve(tuple(range(1, points + 1)), (value,) * points)


def found(trials: Sequence[Mapping[str, Curve]], rule: str, arms: int = 1, **told: object) -> list[Finding]:
    return [finding for finding in find(study_of([trials] * arms, **told)) if finding.rule == rule]  # type: ignore[arg-type]


def losses(
    shape: Shape, rng: numpy.random.Generator, metric: str = "train_loss", n: int = 40
) -> list[dict[str, Curve]]:
    return [{METRIC: curve(decay(12), n, Noise(), rng), metric: curve(shape, n, Noise(), rng)} for _ in range(3)]


def test_a_training_loss_that_rises_is_a_bug_until_it_is_explained(rng: numpy.random.Generator) -> None:
    (finding,) = found(losses(overfit(10), rng), "training-loss-rising")
    assert finding.step is not None
    assert finding.step < 0.8 * STEPS
    assert not found(losses(decay(12), rng), "training-loss-rising")


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("train_loss", Direction.MINIMIZE),
        ("top1.accuracy", Direction.MAXIMIZE),
        ("gloss", None),
        ("error_accuracy", None),
        ("reward", None),
    ],
)
def test_a_metrics_name_tells_what_is_better_or_nothing(metric: str, direction: Direction | None) -> None:
    assert better(metric) is direction


@pytest.mark.parametrize("wave", WAVES)
def test_a_period_that_the_best_trials_share_is_told_in_steps(wave: str, rng: numpy.random.Generator) -> None:
    trials = [{METRIC: curve(with_period(WAVES[wave], 4, 100), 100, Noise(), rng)} for _ in range(3)]
    (finding,) = found(trials, "epoch-period")
    assert finding.numbers["period"] == 4 * STEPS // 100


def test_the_period_is_held_against_the_epoch_where_it_is_reported(rng: numpy.random.Generator) -> None:
    epochs = Curve(tuple(range(100, STEPS + 1, 100)), tuple(step // 400 for step in range(100, STEPS + 1, 100)))
    shape = with_period(WAVES["saw"], 4, 100)
    trials = [{METRIC: curve(shape, 100, Noise(), rng), "epoch": epochs} for _ in range(3)]
    assert "the length of an epoch" in found(trials, "epoch-period")[0].message


@pytest.mark.parametrize("noise", [Noise(), Noise(0.8), Noise(heavy=True)], ids=str)
def test_noise_rarely_has_a_period(noise: Noise, rng: numpy.random.Generator) -> None:
    hits = sum(
        bool(found([{METRIC: curve(flat, 60, noise, rng)} for _ in range(3)], "epoch-period")) for _ in range(60)
    )
    assert stats.binomtest(hits, 60, 0.02, alternative="greater").pvalue > 1e-3


def test_evaluations_by_the_clock_are_uneven(rng: numpy.random.Generator) -> None:
    steps = tuple(numpy.cumsum(rng.integers(80, 120, 40)).tolist())
    (finding,) = found([{METRIC: Curve(steps, (0.5,) * 40)}] * 3, "uneven-evaluations")
    assert finding.numbers["spread"] == pytest.approx(0.3, abs=0.1)
    assert not found([{METRIC: constant(0.5)}] * 3, "uneven-evaluations")


def test_clipping_most_of_the_updates_asks_for_a_lower_learning_rate(rng: numpy.random.Generator) -> None:
    norms = [{METRIC: constant(1), "grad_norm": curve(lambda t: 1.5 + flat(t), 50, Noise(), rng)}] * 3
    (finding,) = found(norms, "gradient-clipping", nuisances=[CLIPPING])
    assert finding.numbers["threshold"] == 1.0
    assert f"{finding.numbers['p90']:.3g}" in finding.advice
    assert not found(norms, "gradient-clipping")
    low = [{METRIC: constant(1), "grad_norm": constant(0.9)}] * 3
    assert not found(low, "gradient-clipping", nuisances=[CLIPPING])


def test_a_flag_of_clipping_is_no_threshold(rng: numpy.random.Generator) -> None:
    flag = Hyperparameter("gradient_clipping", Role.FIXED, Value(True))
    norm = Hyperparameter("clip_norm", Role.NUISANCE, Range(0.0, 2.0), when={"gradient_clipping": (True,)})
    norms = [{METRIC: constant(1), "grad_norm": curve(lambda t: 1.5 + flat(t), 50, Noise(), rng)}] * 3
    (finding,) = found(norms, "gradient-clipping", nuisances=[flag, norm])
    assert finding.numbers["threshold"] == 1.0


@pytest.mark.parametrize(
    ("metrics", "bound"),
    [
        ({"data_wait_fraction": 0.3}, True),
        ({"data_wait_fraction": 0.05}, False),
        ({"data_wait_seconds": 0.2, "step_seconds": 1.0}, True),
        ({"data_wait_seconds": 0.2}, False),
    ],
    ids=str,
)
def test_waiting_for_data_is_told_once_a_study(metrics: Mapping[str, float], bound: bool) -> None:
    trial = {METRIC: constant(1), **{name: constant(value) for name, value in metrics.items()}}
    assert len(found([trial] * 3, "input-bound", arms=2)) == bound


def test_steps_that_are_reported_twice_tell_of_several_reporters() -> None:
    twice = Curve(tuple(step for step in range(1, 21) for _ in range(2)), (0.5,) * 40)
    assert len(found([{METRIC: twice}] * 3, "batch-norm-hosts", arms=2)) == 1
    resumed = Curve((*range(1, 12), *range(10, 41)), (0.5,) * 42)
    assert not found([{METRIC: resumed}] * 3, "batch-norm-hosts")
