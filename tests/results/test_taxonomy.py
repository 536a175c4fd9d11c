import math

import pytest
from study_operator.results.objective import Direction, Objective, Selection, objective_of
from study_operator.results.taxonomy import Record, RunEnd, classify, reclassify
from study_operator.results.trial import MetricSummary, Sample, TrialState, TrialStatus

ERROR = Objective("validation_error", Direction.MINIMIZE, Selection.BEST)
COMPLETED = RunEnd(0)
LOSS = Objective("train_loss", Direction.MINIMIZE, Selection.BEST)
FINE = {"validation_error": MetricSummary(2, Sample(20, 0.2), Sample(10, 0.1), Sample(20, 0.2))}
ENDED_NAN = {"validation_error": MetricSummary(2, Sample(20, math.nan), Sample(10, 0.1), Sample(10, 0.1))}
ALL_NAN = {"validation_error": MetricSummary(1, Sample(20, math.nan), None, None)}
SUCCEEDED = Record(state=TrialState.SUCCEEDED, reason="Completed")


def outcome(end, record=None, metrics=FINE):
    verdict = classify(end, record, metrics, ERROR)
    return verdict.state.value, verdict.reason


def test_a_clean_exit_with_a_finite_objective_has_succeeded():
    verdict = classify(RunEnd(0), None, FINE, ERROR)
    assert (verdict.state, verdict.reason) == (TrialState.SUCCEEDED, "Completed")
    assert verdict.message == "The best validation_error is 0.1 at step 10."


@pytest.mark.parametrize(
    ("end", "record", "metrics", "expected"),
    [
        (RunEnd(137, disrupted=True), None, FINE, ("Failed", "Infrastructure")),
        (RunEnd(137, disrupted=True, out_of_memory=True), None, FINE, ("Failed", "Infrastructure")),
        (RunEnd(0, disrupted=True), None, FINE, ("Failed", "Infrastructure")),
        (RunEnd(143, disrupted=True), Record(state=TrialState.FAILED), FINE, ("Failed", "Infrastructure")),
        (RunEnd(0, disrupted=True), SUCCEEDED, FINE, ("Succeeded", "Completed")),
        (RunEnd(66), None, FINE, ("Infeasible", "Constraint")),
        (RunEnd(137, out_of_memory=True), None, ALL_NAN, ("Infeasible", "Constraint")),
        (RunEnd(137, reason="OOMKilled"), SUCCEEDED, FINE, ("Infeasible", "Constraint")),
        (RunEnd(1), Record(reason="OutOfMemory"), FINE, ("Infeasible", "Constraint")),
        (RunEnd(65), None, FINE, ("Infeasible", "Diverged")),
        (RunEnd(0), Record(state=TrialState.INFEASIBLE, reason="Diverged"), FINE, ("Infeasible", "Diverged")),
        (RunEnd(0), Record(state=TrialState.INFEASIBLE, reason="TooSlow"), FINE, ("Infeasible", "Constraint")),
        (RunEnd(0), None, ENDED_NAN, ("Infeasible", "Diverged")),
        (RunEnd(0), SUCCEEDED, ALL_NAN, ("Infeasible", "Diverged")),
        (RunEnd(1), None, ENDED_NAN, ("Infeasible", "Diverged")),
        (RunEnd(1), None, FINE, ("Failed", "Error")),
        (RunEnd(1), SUCCEEDED, FINE, ("Failed", "Error")),
        (RunEnd(0), Record(state=TrialState.FAILED), FINE, ("Failed", "Error")),
        (RunEnd(None), None, {}, ("Failed", "Error")),
        (RunEnd(143, reason="DeadlineExceeded"), None, FINE, ("Failed", "DeadlineExceeded")),
        (RunEnd(0), SUCCEEDED, {}, ("Failed", "NoResult")),
    ],
)
def test_taxonomy(end, record, metrics, expected):
    assert outcome(end, record, metrics) == expected


def message(end, record=None, metrics=FINE):
    return classify(end, record, metrics, ERROR).message


def test_a_failure_tells_the_exit_code_and_the_trainers_words():
    record = Record(state=TrialState.FAILED, message="ValueError: no such\x1b[0m file")
    assert message(RunEnd(3), record) == "The trainer exited with code 3: ValueError: no such [0m file."


def test_a_signal_is_told_by_its_name():
    assert message(RunEnd(143)) == "The trainer exited with code 143 (SIGTERM)."


def test_a_record_that_was_not_the_last_word_is_told():
    assert message(RunEnd(1), SUCCEEDED) == "The trainer recorded its success, and then exited with code 1."


def test_a_failure_before_any_process_ended_tells_the_backends_words():
    assert message(RunEnd(None, reason="FailedMount")) == "The run failed before its trainer ended: FailedMount."


def test_no_result_tells_what_was_seen_and_what_was_meant():
    near = {"validation_err": FINE["validation_error"], "train_loss": FINE["validation_error"]}
    assert message(RunEnd(0), metrics=near) == (
        "The trainer exited with code 0 and never reported the objective validation_error; it reported train_loss, "
        "validation_err: did you mean validation_err? Correct spec.objective.metric or the trainer."
    )


def test_no_result_at_all_tells_how_to_report_one():
    assert "nor any other metric: report it with the SDK" in message(RunEnd(0), metrics={})


def test_a_hostile_message_is_bounded():
    assert len(message(RunEnd(1, message="x\n" * 10_000))) <= 512


def status_of(metrics, objective, end=COMPLETED, record=None):
    verdict = classify(end, record, metrics, objective)
    reached = objective_of(metrics, objective) if verdict.state is TrialState.SUCCEEDED else None
    return TrialStatus(verdict.state, verdict.reason, verdict.message, reached, metrics)


BOTH = {**FINE, "train_loss": MetricSummary(2, Sample(20, 4.0), Sample(20, 4.0), Sample(10, 5.0))}
LOSS_DIVERGED = {**FINE, "train_loss": ALL_NAN["validation_error"]}


@pytest.mark.parametrize("metrics", [FINE, BOTH, LOSS_DIVERGED, ENDED_NAN, {}])
def test_another_objective_judges_a_completed_trial_as_if_it_had_been_the_first(metrics):
    changed = reclassify(status_of(metrics, ERROR), LOSS)
    assert repr(changed) == repr(status_of(metrics, LOSS))
    assert repr(reclassify(changed, ERROR)) == repr(status_of(metrics, ERROR))


@pytest.mark.parametrize(
    ("end", "record"),
    [
        (RunEnd(1), None),
        (RunEnd(65), None),
        (RunEnd(66), None),
        (RunEnd(137, disrupted=True), None),
        (RunEnd(0), Record(state=TrialState.INFEASIBLE, reason="Diverged")),
    ],
)
@pytest.mark.parametrize("metrics", [BOTH, {**BOTH, **ENDED_NAN}])
def test_no_objective_makes_a_success_of_a_run_that_ended_badly(end, record, metrics):
    status = status_of(metrics, ERROR, end, record)
    assert reclassify(status, LOSS) is status
