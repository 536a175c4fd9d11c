"""The decision: calibrated where there is no difference, and able to see one."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from study_operator.conclusions import Confirmation, Reruns, Verdict, decide
from study_operator.conclusions.decision import Contest, beats, degrees_of_freedom
from study_operator.conclusions.power import power, reruns_needed, too_few_reruns
from study_operator.conclusions.reruns import trial_variance

values = st.lists(st.integers(-100, 100).map(float), min_size=2, max_size=6)


def reruns(values: list[float], arm: int = 0, name: str = "c", unstable: int = 0) -> Reruns:
    return Reruns(name, arm, tuple(values), unstable)


def verdict(confirmed: list[Reruns], baseline: Reruns | None = None, margin: float = 0.0) -> Verdict | None:
    decision = decide(confirmed, baseline, margin)
    return decision and decision.verdict


@given(first=values, second=values)
def test_two_configurations_are_compared_by_welch_on_the_safe_side(first: list[float], second: list[float]) -> None:
    decision = decide([reruns(first)], reruns(second), 0.0)
    assert decision is not None
    assert decision.effect == pytest.approx(numpy.mean(second) - numpy.mean(first))
    if len(set(first)) > 1 and len(set(second)) > 1:
        welch = stats.ttest_ind(first, second, equal_var=False)
        bound = 2 * stats.t.sf(abs(welch.statistic), min(len(first), len(second)) - 1)
        assert welch.pvalue - 1e-9 <= 2 * min(decision.p_adopt, decision.p_reject) <= bound + 1e-9


@given(share=st.floats(0, 1), counts=st.tuples(st.integers(2, 50), st.integers(2, 50)))
def test_the_degrees_of_freedom_lie_between_the_smaller_sample_and_both(share: float, counts: tuple[int, int]) -> None:
    assert min(counts) - 1 <= degrees_of_freedom(share, counts) <= sum(counts) - 2 + 1e-9


GOOD, FAIR, POOR = [0.10, 0.11, 0.09, 0.10], [0.12, 0.13, 0.11, 0.12], [0.30, 0.31, 0.29, 0.30]


def test_what_is_better_is_adopted_and_what_is_worse_rejected() -> None:
    assert verdict([reruns(GOOD)], reruns(POOR)) is Verdict.ADOPT
    assert verdict([reruns(POOR)], reruns(GOOD)) is Verdict.REJECT
    assert verdict([reruns(GOOD)], reruns([*GOOD, 0.101])) is Verdict.INCONCLUSIVE


def test_a_gain_below_the_margin_is_not_worth_its_complexity() -> None:
    assert verdict([reruns(GOOD)], reruns(FAIR), margin=0.1) is Verdict.REJECT
    assert verdict([reruns(GOOD)], reruns(POOR), margin=0.1) is Verdict.ADOPT


def test_the_choice_among_many_is_paid_for() -> None:
    one = decide([reruns(GOOD)], reruns(FAIR), 0.0)
    three = decide([reruns(GOOD), reruns(FAIR), reruns(FAIR)], reruns(FAIR), 0.0)
    assert one is not None
    assert three is not None
    assert three.p_adopt == pytest.approx(3 * one.p_adopt)


def test_without_a_baseline_the_arms_are_compared_by_their_best_of_the_search() -> None:
    lucky = reruns([0.0, 0.01, 0.0, 0.01], arm=1, name="second of its arm")
    decision = decide([reruns(FAIR, 1, "adam"), reruns(GOOD, 0, "sgd"), lucky], None, 0.0)
    assert decision is not None
    assert (decision.winner.name, decision.rival.name, decision.verdict) == ("sgd", "adam", Verdict.ADOPT)
    assert decide([reruns(GOOD), reruns(FAIR)], None, 0.0) is None


def test_what_failed_on_a_fresh_seed_is_not_adopted() -> None:
    decision = decide([reruns(GOOD, name="brittle", unstable=1), reruns(FAIR, name="sound")], reruns(POOR), 0.0)
    assert decision is not None
    assert decision.winner.name == "sound"
    assert decide([reruns(GOOD, unstable=1)], reruns(POOR), 0.0) is None


def test_a_coarse_objective_does_not_pass_for_one_without_variance() -> None:
    level, other = [0.022] * 3, [0.025] * 3
    assert verdict([reruns(level), reruns([0.022, 0.03])], reruns(other)) is Verdict.INCONCLUSIVE
    assert verdict([reruns(level)], reruns(other)) is Verdict.ADOPT
    assert verdict([reruns(level)], reruns(level)) is Verdict.INCONCLUSIVE


def test_what_stands_in_for_no_variance_counts_every_configuration_once() -> None:
    best, other, spread = reruns([0.10] * 3, 0), reruns([0.12] * 3, 1), reruns([0.13, 0.15, 0.17], 1)
    error = math.sqrt(2 * 0.02**2 / 6) * math.sqrt(2 / 3)
    for decision in (decide([best, other, spread], None, 0.0), decide([best, spread], other, 0.0)):
        assert decision is not None
        assert decision.interval.high == pytest.approx(0.02 + stats.t.ppf(0.975, 6) * error)


def test_the_trial_variance_is_pooled() -> None:
    assert trial_variance([reruns([1.0, 3.0]), reruns([7.0]), reruns([5.0, 5.0, 5.0])]) == pytest.approx(
        math.sqrt(2 / 3)
    )
    assert trial_variance([reruns([7.0])]) is None


def test_what_learned_nothing_does_not_beat_chance() -> None:
    assert beats([0.5, 0.52, 0.51], 0.9)
    assert not beats([0.89, 0.92, 0.88], 0.9)
    assert not beats([0.1, 0.95], 0.9)


EQUAL = (1.0,) * 5


def simulated(
    means: list[float], baseline: float | None, seed: int, runs: int = 2000, deviations: tuple[float, ...] = EQUAL
) -> float:
    """How often of ``runs`` studies with 5 reruns Adopt is found; the last deviation is the baseline's."""
    rng = numpy.random.default_rng(seed)
    adopted = 0
    for _ in range(runs):
        confirmed = [
            reruns(rng.normal(mean, deviation, 5).tolist(), 0 if baseline is not None else arm)
            for arm, (mean, deviation) in enumerate(zip(means, deviations, strict=False))
        ]
        rival = None if baseline is None else reruns(rng.normal(baseline, deviations[-1], 5).tolist())
        adopted += verdict(confirmed, rival) is Verdict.ADOPT
    return adopted / runs


def bound(rate: float, runs: int = 2000, deviations: float = 3.0) -> float:
    return deviations * math.sqrt(rate * (1 - rate) / runs)


@pytest.mark.parametrize("deviations", [EQUAL, (3.0, 1.0, 1.0, 1.0, 1.0)], ids=["alike", "one varies more"])
@pytest.mark.parametrize(("means", "baseline"), [([0.0], 0.0), ([0.0] * 3, 0.0), ([0.0] * 2, None), ([0.0] * 4, None)])
def test_without_a_difference_at_most_a_tenth_is_adopted(
    means: list[float], baseline: float | None, deviations: tuple[float, ...]
) -> None:
    assert simulated(means, baseline, 1, deviations=deviations) <= 0.10 + bound(0.10)


@pytest.mark.parametrize(
    ("means", "baseline"),
    [([-2.0], 0.0), ([-2.0, 0.0, 0.0], 0.0), ([-2.0] * 3, 0.0), ([-2.0, 0.0], None), ([-2.0, 0.0, 0.0], None)],
)
def test_a_difference_of_two_deviations_is_adopted_in_four_of_five(means: list[float], baseline: float | None) -> None:
    assert simulated(means, baseline, 2) >= 0.80 - bound(0.80)


@pytest.mark.parametrize(("contenders", "baseline"), [(1, True), (3, True), (2, False), (4, False), (10, False)])
def test_the_power_that_is_told_is_the_one_that_is_found(contenders: int, baseline: bool) -> None:
    means = [-2.0] + [0.0] * (contenders - 1)
    found = simulated(means, 0.0 if baseline else None, 3, deviations=(1.0,) * (contenders + 1))
    told = power(2.0, 5, Contest(contenders, baseline))
    assert found == pytest.approx(told, abs=bound(told))


def test_more_arms_need_more_reruns_to_beat_the_luckiest() -> None:
    assert [reruns_needed(2.0, Contest(arms, baseline=False)) for arms in (2, 3, 4, 8)] == [5, 5, 6, 7]
    assert reruns_needed(2.0, Contest(3, baseline=True)) == 5
    assert reruns_needed(0.0, Contest(3, baseline=True)) is None
    assert reruns_needed(0.01, Contest(3, baseline=True)) is None


def test_too_few_reruns_are_told_with_the_number_to_take() -> None:
    (four,) = too_few_reruns(Confirmation(4, 5), arms=4)
    assert four.subject.field == "spec.confirmation.reruns"
    assert "one of 4 configurations that is better than all the others" in four.message
    assert "75%" in four.message
    assert "`reruns: 6`" in four.advice
    (one,) = too_few_reruns(Confirmation(1, 3, {"x": 1}), arms=2)
    assert "the configuration that is better than the baseline" in one.message


@pytest.mark.parametrize(
    ("confirmation", "arms"),
    [(Confirmation(4, 6), 4), (Confirmation(3, 5), 2), (Confirmation(3, 5, {"x": 1}), 8), (Confirmation(3, 2), 1)],
)
def test_enough_reruns_are_not_remarked(confirmation: Confirmation, arms: int) -> None:
    assert not list(too_few_reruns(confirmation, arms))
