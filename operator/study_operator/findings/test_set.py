"""The test set is looked at once, and validation is folded into training only before the last launch (rule 27).

Whatever is chosen with a look at the test set is no longer measured by it. So each trial of the search that reported a
metric of the test set is counted; reruns on fresh seeds come after every choice, and are where it belongs.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from study_operator.findings.evidence import Evidence
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.words import short
from study_operator.results.trial import Purpose, Trial, TrialState, trial_name

RULE = "test-set"


def find(evidence: Evidence) -> Iterator[Finding]:
    """How often the test set was looked at, with what result, and whether validation may be folded into training."""
    for metric in evidence.test_metrics:
        looks = [trial for trial in evidence.trials if metric in trial.status.metrics]
        early = [trial for trial in looks if trial.spec.purpose is Purpose.SEARCH]
        if early:
            yield _looked_early(metric, early)
        elif looks:
            yield from _looked_once(evidence.study, metric, looks)
    if evidence.last_launch and any(trial.status.state is TrialState.SUCCEEDED for trial in evidence.trials):
        yield Finding(
            RULE,
            Severity.INFO,
            Subject(field="spec.lastLaunch"),
            "No later launch of this workload is planned: nothing will be compared with a validation score any more.",
            "For the final training the validation set may be folded into the training set: train the best "
            "configuration on both, for as many steps, and measure it once on the test set.",
            {},
        )


def _looked_early(metric: str, trials: list[Trial]) -> Finding:
    return Finding(
        RULE,
        Severity.WARNING,
        Subject(field="spec.metrics"),
        f"{len(trials)} trials of the search reported {metric}, which is measured on the test set: what is chosen "
        "after a look at it is no longer measured by it.",
        "Report it from reruns alone, where STUDY_PURPOSE is Confirmation or Baseline, and read it once, after the "
        "decision.",
        {"looks": len(trials)},
    )


def _looked_once(study: str, metric: str, trials: list[Trial]) -> Iterator[Finding]:
    """One for each configuration: a mean over several is of none of them. A rerun that failed has no share in it."""
    configurations: dict[int | None, list[float]] = {}
    for trial in trials:
        if trial.status.state is not TrialState.SUCCEEDED:
            continue
        configurations.setdefault(trial.spec.rerun_of, []).append(trial.status.metrics[metric].final.value)
    for index, values in configurations.items():
        trial_run_again = "" if index is None else trial_name(study, index)
        yield Finding(
            RULE,
            Severity.INFO,
            Subject(field="spec.metrics", trial=trial_run_again),
            f"{metric} of {trial_run_again or 'the baseline'}, measured on the test set by {len(values)} reruns and no "
            f"trial of the search, is {short(statistics.fmean(values))} on average.",
            "Report this number as it is. A choice that is changed after it needs another test set.",
            {"looks": len(values), "mean": statistics.fmean(values)},
        )
