"""Questions asked afterwards."""

from typing import Any

import pytest
from study_operator.api import parse_study
from study_operator.report.posthoc import Asked, Unanswerable, ask
from study_operator.report.report import Report
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.trial import Purpose

from tests.report.studies import manifest, report, trials_of

STUDY = parse_study(manifest(64))
TRIALS = trials_of(STUDY)


def asked(**question: Any) -> Report:
    study, trials, told = ask(STUDY, TRIALS, Asked(**question))
    return report(study, trials, asked=told)


def test_the_study_s_own_question_changes_nothing() -> None:
    assert ask(STUDY, TRIALS, Asked()) == (STUDY, TRIALS, "")
    assert ask(STUDY, TRIALS, Asked("validation_error", Direction.MINIMIZE, Selection.BEST)) == (STUDY, TRIALS, "")


def test_the_trials_are_ranked_anew_by_what_they_kept() -> None:
    found = asked(metric="train_error", selection=Selection.FINAL)
    finals = sorted(
        (trial.status.metrics["train_error"].final.value, trial.spec.index)
        for trial in TRIALS
        if trial.spec.purpose is Purpose.SEARCH and trial.status.metrics
    )
    assert [(ranked.value, ranked.index) for ranked in found.ranking] == finals
    assert found.objective == Objective("train_error", Direction.MINIMIZE, Selection.FINAL)
    assert "the final train_error" in found.provenance.asked


def test_findings_and_conclusion_are_of_the_new_objective() -> None:
    own, other = report(STUDY, TRIALS), asked(metric="train_error")
    assert own.analysis.comparison != other.analysis.comparison
    assert own.analysis.conclusion is not None and other.analysis.conclusion is not None
    assert own.analysis.conclusion.statement != other.analysis.conclusion.statement


def test_a_direction_that_a_name_does_not_tell_is_asked_for() -> None:
    with pytest.raises(Unanswerable, match="--direction"):
        asked(metric="gradient_norm")
    assert asked(metric="gradient_norm", direction=Direction.MAXIMIZE).ranking


def test_a_metric_that_nobody_kept_is_answered_with_those_that_were() -> None:
    with pytest.raises(Unanswerable, match="gradient_norm, train_error, validation_error"):
        asked(metric="test_error")


def test_what_belongs_to_the_study_s_metric_is_left_out() -> None:
    written = manifest()
    written["spec"]["objective"]["chance"] = 0.9
    written["spec"]["confirmation"]["margin"] = 0.01
    study, _, told = ask(parse_study(written), TRIALS, Asked("train_error"))
    assert study.question.chance is None and study.question.confirmation is not None
    assert study.question.confirmation.margin == 0 and "margin" in told
