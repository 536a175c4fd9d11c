"""The comparison of arms: what each is expected to reach, and how sure that is."""

import math

import numpy
import pytest
from numpy.typing import NDArray
from study_operator.conclusions import Group, best_of_m_curves, compare, isolation
from study_operator.conclusions.comparison import arms
from study_operator.results.objective import Direction
from study_operator.samplers import SobolSampler, SuggestionRequest
from study_operator.space import Choices, Hyperparameter, Range, Role, Space

from tests.conclusions.studies import SPACE, evidence, trial
from tests.findings.evidence_samples import study

Floats = NDArray[numpy.float64]


def group(label: str, values: Floats, points: NDArray[numpy.intp] | None = None) -> Group:
    return Group(label, numpy.arange(len(values)) if points is None else points, values)


def rng(seed: int = 0) -> numpy.random.Generator:
    return numpy.random.default_rng(seed)


def test_the_arm_with_the_better_expectation_leads() -> None:
    found = compare([group("a", numpy.arange(8.0) + 4), group("b", numpy.arange(8.0))], rng())
    assert [estimate.label for estimate in found.estimates] == ["b", "a"]
    (lead,) = found.differences
    assert (found.m, lead.effect) == (2, pytest.approx(4.0))


def test_points_that_the_arms_share_cancel_out_of_the_difference() -> None:
    values = rng().normal(size=32)
    paired = compare([group("a", values), group("b", values + 0.1)], rng()).differences[0]
    strangers = compare([group("a", values), group("b", values + 0.1, numpy.arange(32) + 32)], rng()).differences[0]
    assert paired.clear
    assert not strangers.clear
    assert paired.interval is not None
    assert (paired.interval.low, paired.interval.high) == pytest.approx((0.1, 0.1))


def test_an_arm_with_more_trials_is_judged_at_the_trials_of_the_other() -> None:
    few, many = rng().exponential(size=16), rng().exponential(size=4000)
    found = compare([group("few", few), group("many", many)], rng())
    assert {estimate.m for estimate in found.estimates} == {4}
    assert abs(found.differences[0].effect) < 0.25 < few.min() - many.min() + 0.25


def test_infeasible_trials_use_up_the_budget_and_never_win() -> None:
    sound = rng().uniform(size=16)
    half = numpy.where(numpy.arange(16) % 2, math.inf, sound)
    found = compare([group("half", half), group("sound", sound)], rng())
    estimates = {estimate.label: estimate for estimate in found.estimates}
    assert estimates["half"].expected > estimates["sound"].expected
    assert estimates["half"].barren == pytest.approx(70 / 1820)
    assert math.isfinite(estimates["half"].expected)


def test_an_arm_in_which_nothing_works_is_not_compared() -> None:
    found = compare([group("dead", numpy.full(8, math.inf)), group("live", numpy.arange(8.0))], rng())
    assert [estimate.label for estimate in found.estimates] == ["live"]
    assert compare([], rng()).estimates == ()


def test_one_trial_tells_no_interval() -> None:
    (estimate,) = compare([group("a", numpy.array([1.0]))], rng()).estimates
    assert (estimate.expected, estimate.interval) == (1.0, None)


@pytest.mark.parametrize(
    ("values", "floor"),
    [([0.0, 0.01, 0.5, 0.9], 0.0), ([-1.0, -0.98, -0.5, -0.1], -1.0)],
    ids=["errors", "accuracies"],
)
def test_no_interval_is_better_than_the_objective_can_be(values: list[float], floor: float) -> None:
    """It would be: a quarter of four trials is one, and these are spread from end to end."""

    def lows(given: float) -> list[float]:
        found = Group("a", numpy.arange(4), numpy.array(values), given)
        intervals = compare([found], rng()).estimates[0].interval, best_of_m_curves([found], rng())["a"][0].interval
        return [interval.low for interval in intervals if interval is not None]

    unknown, known, refuted = lows(-math.inf), lows(floor), lows(floor + 0.001)
    assert known == [floor, floor]
    assert max(unknown) < floor
    assert refuted == unknown


def test_the_floor_is_known_by_the_metrics_name_and_direction() -> None:
    assert [found.floor for found in arms(evidence([trial(index, 0.4) for index in range(4)]))] == [0.0, 0.0]
    maximised = arms(evidence([trial(index, 0.4) for index in range(4)], Direction.MAXIMIZE))
    assert [found.floor for found in maximised] == [-math.inf] * 2


def test_the_same_trials_give_the_same_intervals() -> None:
    groups = [group("a", rng(1).normal(size=30)), group("b", rng(2).normal(size=28))]
    assert compare(groups, rng()) == compare(groups, rng())


def test_a_curve_has_every_small_m_and_intervals_only_where_they_can_be_trusted() -> None:
    curve = best_of_m_curves([group("a", rng().normal(size=40))], rng())["a"]
    assert [point.m for point in curve[:5]] == [1, 2, 3, 4, 5]
    assert curve[-1].m == 40
    assert {point.interval is not None for point in curve if point.m <= 10} == {True}
    assert {point.interval for point in curve if point.m > 10} == {None}


def test_a_value_is_isolated_from_the_arms_that_share_it() -> None:
    seen = evidence([trial(index, value) for index, value in enumerate([0.4, 0.1, 0.3, 0.2])])
    isolated = isolation(seen)["optimizer"]
    assert {found.label: sorted(found.values) for found in isolated.values()} == {
        "optimizer=sgd": [0.3, 0.4],
        "optimizer=adam": [0.1, 0.2],
    }
    assert [list(found.points) for found in arms(seen)] == [[0, 1], [0, 1]]


def test_a_flag_and_a_number_are_isolated_from_each_other() -> None:
    flag = Hyperparameter("flag", Role.SCIENTIFIC, Choices((1, True)))
    space = Space.build([flag, Hyperparameter("x", Role.NUISANCE, Range(0.0, 1.0))])
    isolated = isolation(study(space, [[0.3], [0.6]], {0: [0.1, 0.2], 1: [0.3, 0.4]}))["flag"]
    assert [(found.label, list(found.values)) for found in isolated.values()] == [
        ("flag=1", [0.1, 0.2]),
        ("flag=true", [0.3, 0.4]),
    ]


@pytest.mark.parametrize("noise", [0.05, 1.0])
def test_the_intervals_hold_the_truth_about_as_often_as_they_say(noise: float) -> None:
    """Of 200 studies of two equal arms; the bound is five binomial deviations below 95% (bench/rates has the rates)."""
    held = 0
    for seed in range(200):
        sampler = SobolSampler(SPACE, seed)
        points = numpy.array([sampler.suggest(SuggestionRequest(2 * place)).point[0] for place in range(16)])
        pair = [(points - 0.4) ** 2 + noise * rng(1000 * seed + arm).normal(size=16) for arm in (0, 1)]
        lead = compare([group("a", pair[0]), group("b", pair[1])], rng(seed)).differences[0]
        held += not lead.clear
    assert held >= 200 * 0.95 - 5 * math.sqrt(200 * 0.95 * 0.05)
