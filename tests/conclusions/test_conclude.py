"""The conclusion of a study: its verdict, its words, and what limits it."""

from dataclasses import replace

import numpy
import pytest
from study_operator.conclusions import (
    Conclusion,
    Confirmation,
    Question,
    Verdict,
    arm_findings,
    arms,
    compare,
    conclude_study,
)
from study_operator.findings import Finding, Severity, Subject
from study_operator.results.objective import Direction
from study_operator.results.trial import Trial, TrialState
from study_operator.scalar import Scalar
from study_operator.space import Hyperparameter, Role, Space, Value

from tests.conclusions.studies import SPACE, baseline, evidence, reruns, trial

SEARCH = [trial(index, 0.10 + 0.01 * index) for index in range(8)]
BASELINE: dict[str, Scalar] = {"optimizer": "sgd", "learning_rate": 0.5}
CONFIRMED = Question(Confirmation(2, 4, BASELINE))
GOOD, POOR = [0.101, 0.103, 0.099, 0.101], [0.201, 0.203, 0.199, 0.201]


def concluded(
    trials: list[Trial],
    question: Question = CONFIRMED,
    findings: tuple[Finding, ...] = (),
    direction: Direction = Direction.MINIMIZE,
) -> Conclusion:
    seen = evidence(trials, direction)
    return conclude_study(seen, question, compare(arms(seen), numpy.random.default_rng(0)), findings)


def confirmed(values: list[float | None], of_baseline: list[float | None]) -> list[Trial]:
    return [*SEARCH, *reruns(SEARCH[0], 0, values), *baseline(SEARCH[0], 2, of_baseline)]


def test_the_statement_has_the_means_the_effect_and_its_interval() -> None:
    conclusion = concluded(confirmed([*GOOD], [*POOR]))
    assert conclusion.verdict is Verdict.ADOPT
    assert conclusion.effect == pytest.approx(0.1)
    assert conclusion.interval is not None
    assert conclusion.interval.low < 0.1 < conclusion.interval.high
    assert conclusion.statement.startswith("optimizer=sgd (digits-0) is worth adopting.")
    assert "reaches validation_error 0.101 on average and the baseline 0.201" in conclusion.statement
    assert "better by 0.1" in conclusion.statement


def test_the_scores_of_the_search_have_no_part_in_it() -> None:
    flattered = [trial(0, -100.0), *SEARCH[1:]]
    same = confirmed([*GOOD], [*POOR])[len(SEARCH) :]
    assert concluded([*flattered, *same]).statement == concluded([*SEARCH, *same]).statement


def test_a_larger_objective_can_be_the_better_one() -> None:
    conclusion = concluded(confirmed([*POOR], [*GOOD]), direction=Direction.MAXIMIZE)
    assert conclusion.verdict is Verdict.ADOPT
    assert conclusion.effect == pytest.approx(0.1)
    assert "validation_error 0.201 on average" in conclusion.statement


def test_a_keeper_of_the_baseline_is_told_so() -> None:
    conclusion = concluded(confirmed([*POOR], [*GOOD]))
    assert conclusion.verdict is Verdict.REJECT
    assert "keep the baseline" in conclusion.statement


def test_an_open_question_tells_what_would_have_been_found_and_what_it_takes() -> None:
    conclusion = concluded(confirmed([0.10, 0.14, 0.12, 0.11], [0.11, 0.15, 0.13, 0.12]))
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert "with a chance of" in conclusion.statement
    assert "reruns of each" in conclusion.statement


def test_arms_are_compared_where_there_is_no_baseline() -> None:
    trials = [*SEARCH, *reruns(SEARCH[0], 0, GOOD, 2), *reruns(SEARCH[1], 1, POOR, 2)]
    conclusion = concluded(trials, Question(Confirmation(2, 4)))
    assert conclusion.verdict is Verdict.ADOPT
    assert "and optimizer=adam (digits-1) 0.201" in conclusion.statement


def test_an_arm_that_is_better_at_its_best_trial_alone_is_told_so() -> None:
    def told(search: list[Trial]) -> bool:
        again = [*reruns(search[0], 0, GOOD, 2), *reruns(search[1], 1, POOR, 2)]
        conclusion = concluded([*search, *again], Question(Confirmation(2, 4)))
        assert conclusion.verdict is Verdict.ADOPT
        return any("do not separate the two" in caveat for caveat in conclusion.caveats)

    assert told([trial(index, value) for index, value in enumerate([0.10, 0.12, 0.3, 0.1, 0.1, 0.3, 0.2, 0.11])])
    assert not told([trial(index, 0.10 + 0.3 * (index % 2) + 0.001 * (index // 2)) for index in range(8)])


def test_a_search_alone_concludes_nothing_and_tells_what_to_add() -> None:
    conclusion = concluded(SEARCH, Question())
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert conclusion.statement.startswith("A single run per configuration cannot tell")
    assert "optimizer=sgd is expected to be better than optimizer=adam by 0.01" in conclusion.statement
    assert "Add spec.confirmation" in conclusion.statement
    assert (conclusion.effect, conclusion.trial_variance) == (None, None)


def test_where_no_trial_has_a_result_there_is_nothing_to_conclude() -> None:
    failed = [trial(index, None, TrialState.FAILED) for index in range(4)]
    assert concluded(failed).statement == "No trial has a result, so there is nothing to conclude."


def test_what_does_not_beat_chance_is_not_compared() -> None:
    question = Question(Confirmation(2, 4, BASELINE), chance=0.202)
    conclusion = concluded(confirmed([*GOOD], [*POOR]), question)
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert conclusion.statement.startswith("The baseline does not beat chance")
    assert concluded(confirmed([*GOOD], [*POOR]), Question(Confirmation(2, 4, BASELINE), 0.9)).verdict is Verdict.ADOPT


@pytest.mark.parametrize(
    ("off", "told"),
    [
        (0.0, "reaches validation_error 0.101 on average and the baseline 0.201,"),
        (1e6, "reaches validation_error 1000000.1 on average and the baseline 1000000.2,"),
    ],
)
def test_means_are_told_in_as_many_digits_as_tell_them_apart(off: float, told: str) -> None:
    conclusion = concluded(confirmed([off + value for value in GOOD], [off + value for value in POOR]))
    assert told in conclusion.statement


@pytest.mark.parametrize(
    ("of_baseline", "told"),
    [
        ([*POOR[:3], None], "The baseline failed on 1 of 4 fresh seeds, and is judged by the others"),
        ([None] * 4, "The baseline failed on 4 of 4 fresh seeds."),
    ],
)
def test_a_baseline_is_judged_by_reruns_that_worked_where_there_are_some(
    of_baseline: list[float | None], told: str
) -> None:
    assert any(caveat.startswith(told) for caveat in concluded(confirmed([*GOOD], of_baseline)).caveats)


def test_zero_has_no_sign() -> None:
    conclusion = concluded(confirmed([0.0] * 4, [0.0] * 4), direction=Direction.MAXIMIZE)
    assert "reaches validation_error 0 on average and the baseline 0," in conclusion.statement


def test_everything_that_was_fixed_is_a_caveat() -> None:
    caveats = concluded(confirmed([*GOOD], [*POOR])).caveats
    assert "hidden_units was 64 throughout; the answer is for that value." in caveats
    assert "Every trial was trained for 600 steps; the answer is for that length." in caveats


def test_what_was_fixed_under_a_condition_is_a_caveat_of_that_alone() -> None:
    fixed = [
        Hyperparameter("weight_decay", Role.FIXED, Value(value), {"optimizer": (optimizer,)})
        for optimizer, value in (("sgd", 0.0005), ("adam", 0.1))
    ]
    space = Space.build([*SPACE.definitions, *fixed, Hyperparameter("augment", Role.FIXED, Value(True))])
    seen = replace(evidence(SEARCH), space=space)
    caveats = conclude_study(seen, Question(), compare(arms(seen), numpy.random.default_rng(0)), ()).caveats
    assert "weight_decay was 0.0005 with optimizer=sgd; the answer is for that value." in caveats
    assert "weight_decay was 0.1 with optimizer=adam; the answer is for that value." in caveats
    assert "augment was true throughout; the answer is for that value." in caveats


def test_warnings_and_waivers_are_caveats_and_mere_information_is_not() -> None:
    warning = Finding("overfitting", Severity.WARNING, Subject(arm="optimizer=sgd"), "It overfits.", "Regularise.")
    told = Finding("axis-plots", Severity.INFO, Subject(), "Look.", "")
    question = Question(CONFIRMED.confirmation, waivers={"grid-search": "It is cheap."})
    caveats = concluded(confirmed([*GOOD], [*POOR]), question, (warning, told)).caveats
    assert caveats[0] == "optimizer=sgd: It overfits."
    assert "The rule grid-search was waived: It is cheap." in caveats
    assert not any("Look." in caveat for caveat in caveats)


@pytest.mark.parametrize(("arm", "told"), [("optimizer=sgd", "optimizer=sgd: The end"), ("all", "The end")])
def test_a_caveat_names_the_arm_it_is_of(arm: str, told: str) -> None:
    subject = Subject(arm=arm, hyperparameter="learning_rate")
    warning = Finding("search-space-boundary", Severity.WARNING, subject, "The end of learning_rate is best.", "")
    assert concluded(SEARCH, Question(), (warning,)).caveats[0] == f"{told} of learning_rate is best."


def test_fixed_values_and_waivers_stay_caveats_however_much_is_found() -> None:
    warnings = tuple(
        Finding("overfitting", Severity.WARNING, Subject(trial=f"digits-{index}"), "It overfits.", "Regularise.")
        for index in range(150)
    )
    question = Question(CONFIRMED.confirmation, waivers={"grid-search": "It is cheap."})
    caveats = concluded(confirmed([*GOOD], [*POOR]), question, warnings).caveats
    assert len(caveats) == 100
    assert caveats[0] == "digits-0: It overfits."
    left = 150 - sum("It overfits." in caveat for caveat in caveats)
    assert f"{left} more findings limit it, which are in the report." in caveats
    assert "hidden_units was 64 throughout; the answer is for that value." in caveats
    assert "The rule grid-search was waived: It is cheap." in caveats


def test_reruns_that_diverged_or_got_lost_are_caveats() -> None:
    trials = confirmed([*GOOD[:3], None], [*POOR[:3]])
    caveats = concluded([*trials, *reruns(SEARCH[1], 1, GOOD)]).caveats
    assert any(caveat.startswith("digits-0 failed on 1 of 4 fresh seeds") for caveat in caveats)
    assert "1 of the 4 reruns of the baseline gave no result." in caveats


@pytest.mark.parametrize(("of_other", "told"), [([0.102, 0.104, 0.1, 0.102], True), (POOR, False)])
def test_a_baseline_that_is_beaten_says_nothing_of_the_arms(of_other: list[float], told: bool) -> None:
    trials = [*confirmed([*GOOD], [*POOR]), *reruns(SEARCH[1], 1, of_other)]
    conclusion = concluded(trials)
    assert conclusion.verdict is Verdict.ADOPT
    assert conclusion.caveats[0].startswith("It is better than the baseline; between the arms") is told


def test_arms_that_were_not_confirmed_are_told() -> None:
    caveats = concluded(confirmed([*GOOD], [*POOR])).caveats
    assert "Not confirmed, as their best trials ranked too low: optimizer=adam." in caveats


def test_without_a_stable_configuration_nothing_is_decided() -> None:
    conclusion = concluded(confirmed([*GOOD[:3], None], [*POOR]))
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert conclusion.statement.startswith("No configuration was confirmed")


def test_the_comparison_is_a_finding_and_so_is_an_arm_that_mostly_fails() -> None:
    failing = [
        trial(index, None, TrialState.INFEASIBLE) if index % 2 and index > 1 else trial(index, 0.1 + 0.01 * index)
        for index in range(8)
    ]
    seen = evidence(failing)
    lead, barren = arm_findings(compare(arms(seen), numpy.random.default_rng(0)))
    assert (lead.severity, lead.subject.arm) == (Severity.INFO, "optimizer=sgd")
    assert (barren.severity, barren.subject.arm) == (Severity.WARNING, "optimizer=adam")
    assert barren.message.startswith("3 of its 4 trials are infeasible")
