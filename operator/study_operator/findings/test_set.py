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
from study_operator.results.trial import Purpose, Trial, TrialState

RULE = "test-set"


def find(evidence: Evidence) -> Iterator[Finding]:
    """How often the test set was looked at, with what result, and whether validation may be folded into training."""
    for metric in evidence.test_metrics:
        looks = [trial for trial in evidence.trials if metric in trial.status.metrics]
        early = [trial for trial in looks if trial.spec.purpose is Purpose.SEARCH]
        if early:
            yield _looked_early(metric, early)
        elif looks:
            yield _looked_once(metric, looks)
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


def _looked_once(metric: str, trials: list[Trial]) -> Finding:
    values = [trial.status.metrics[metric].final.value for trial in trials]
    return Finding(
        RULE,
        Severity.INFO,
        Subject(field="spec.metrics"),
        f"{metric}, measured on the test set by {len(trials)} reruns and no trial of the search, is "
        f"{short(statistics.fmean(values))} on average.",
        "Report this number as it is. A choice that is changed after it needs another test set.",
        {"looks": len(trials), "mean": statistics.fmean(values)},
    )
