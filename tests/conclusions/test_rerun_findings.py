"""What reruns tell beside the decision, under nothing to tell and under something."""

import pytest
from study_operator.conclusions import Confirmation, Question, rerun_findings
from study_operator.findings import Finding, Severity
from study_operator.results.objective import Direction

from tests.conclusions.studies import baseline, evidence, reruns, trial

SEARCH = [trial(0, 0.1), trial(1, 0.2)]
GOOD, POOR = [0.12, 0.14, 0.13], [0.88, 0.91, 0.92]


def told(*others: object, chance: float | None = 0.9, direction: Direction = Direction.MINIMIZE) -> list[Finding]:
    question = Question(Confirmation(1, 3), chance=chance)
    return list(rerun_findings(evidence([*SEARCH, *others], direction), question))


def test_without_reruns_there_is_nothing_to_tell() -> None:
    assert told() == []


def test_a_single_rerun_has_no_variance() -> None:
    assert told(*reruns(SEARCH[0], 0, GOOD[:1])) == []


def test_the_spread_of_reruns_and_the_luck_of_the_search_are_told() -> None:
    [variance] = told(*reruns(SEARCH[0], 0, GOOD), chance=None)
    assert variance.rule == "trial-variance"
    assert variance.numbers == pytest.approx({"trial_variance": 0.01, "reruns": 3, "optimism": 0.03})
    assert "flattered the configurations that were run again by 0.03" in variance.message


def test_reruns_that_agree_to_the_last_digit_are_a_warning() -> None:
    [equal] = told(*reruns(SEARCH[0], 0, [0.12] * 3), *reruns(SEARCH[1], 3, [0.2] * 3), chance=None)
    assert (equal.rule, equal.severity) == ("trial-variance", Severity.WARNING)
    assert "STUDY_SEED" in equal.advice
    assert equal.numbers == {"trial_variance": 0.0, "reruns": 6}


def test_one_configuration_whose_reruns_differ_is_enough_for_a_variance() -> None:
    [variance] = told(*reruns(SEARCH[0], 0, [0.12] * 3), *reruns(SEARCH[1], 3, [0.2, 0.2, 0.21]), chance=None)
    assert variance.severity is Severity.INFO


def test_luck_has_the_direction_of_the_objective() -> None:
    [variance] = told(*reruns(SEARCH[0], 0, GOOD), chance=None, direction=Direction.MAXIMIZE)
    assert "understated the configurations" in variance.message


def test_a_baseline_that_has_learned_something_is_a_remark() -> None:
    *_, found = told(*reruns(SEARCH[0], 0, POOR), *baseline(SEARCH[0], 1, GOOD))
    assert (found.rule, found.severity) == ("reasonable-baseline", Severity.INFO)
    assert found.message == "The baseline beats chance: 3 reruns give 0.13 on average, and guessing 0.9."


def test_a_baseline_that_has_learned_nothing_is_a_warning() -> None:
    *_, found = told(*reruns(SEARCH[0], 0, GOOD), *baseline(SEARCH[0], 1, POOR))
    assert (found.rule, found.severity) == ("reasonable-baseline", Severity.WARNING)
    assert found.message.startswith("The baseline does not beat chance: 3 reruns give 0.9033")


def test_without_a_baseline_the_best_configuration_takes_its_place() -> None:
    *_, found = told(*reruns(SEARCH[0], 0, POOR))
    assert found.message.startswith("Digits-0 does not beat chance")
