"""Rule 27: the test set is looked at once; validation is folded into training before the last launch alone."""

import math
from dataclasses import replace

import pytest
from study_operator.findings import Severity
from study_operator.findings.test_set import find
from study_operator.results.trial import FIRST_CONFIRMATION, MetricSummary, Purpose, Sample, TrialState

from tests.findings.evidence_samples import sobol, study, unit_space


def evidence(search_looks: int = 0, rerun_looks: int = 0, **told):
    """Eight trials of the search and two reruns, of which so many reported test_error."""
    found = study(unit_space(1), sobol(1, 8), [0.1] * 8)
    reruns = [
        replace(
            trial,
            spec=replace(trial.spec, purpose=Purpose.CONFIRMATION, index=FIRST_CONFIRMATION + number, rerun_of=3),
        )
        for number, trial in enumerate(found.trials[:2])
    ]

    def looking(trials, count):
        value = Sample(10, 0.25)
        metrics = {"test_error": MetricSummary(1, value, value, value)}
        looked = [replace(trial, status=replace(trial.status, metrics=metrics)) for trial in trials[:count]]
        return [*looked, *trials[count:]]

    trials = [*looking(found.trials, search_looks), *looking(reruns, rerun_looks)]
    return replace(found, trials=trials, test_metrics=("test_error",), **told)


def test_says_nothing_where_nobody_looked():
    assert list(find(evidence())) == []


@pytest.mark.parametrize("looks", [1, 8])
def test_counts_the_looks_of_the_search(looks):
    (finding,) = find(evidence(search_looks=looks, rerun_looks=2))
    assert (finding.severity, finding.numbers["looks"]) == (Severity.WARNING, looks)


def test_tells_what_reruns_measured():
    (finding,) = find(evidence(rerun_looks=2))
    assert (finding.severity, finding.numbers) == (Severity.INFO, {"looks": 2, "mean": 0.25})


def test_each_configuration_has_a_mean_of_its_own():
    found = evidence(rerun_looks=2)
    baseline = [
        replace(
            trial,
            spec=replace(trial.spec, purpose=Purpose.BASELINE, rerun_of=None),
            status=replace(trial.status, metrics={"test_error": MetricSummary(1, Sample(10, 0.75), None, None)}),
        )
        for trial in found.trials[-2:]
    ]
    told = list(find(replace(found, trials=[*found.trials, *baseline])))
    assert [(each.subject.trial, each.numbers["mean"]) for each in told] == [("study-3", 0.25), ("", 0.75)]
    assert "test_error of the baseline" in told[1].message


def test_a_rerun_that_diverged_has_no_share_in_the_mean():
    found = evidence(rerun_looks=2)
    metrics = {"test_error": MetricSummary(1, Sample(10, math.nan), None, None)}
    *others, last = found.trials
    diverged = replace(last, status=replace(last.status, state=TrialState.INFEASIBLE, metrics=metrics))
    (finding,) = find(replace(found, trials=[*others, diverged]))
    assert finding.numbers == {"looks": 1, "mean": 0.25}


def test_folding_validation_into_training_is_told_before_the_last_launch_alone():
    (finding,) = find(evidence(last_launch=True))
    assert finding.subject.field == "spec.lastLaunch"
    assert "folded into the training set" in finding.advice
