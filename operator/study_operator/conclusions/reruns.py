"""What was run again on fresh seeds: configurations of the search, and the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from study_operator.findings.evidence import Evidence
from study_operator.results.objective import Direction
from study_operator.results.trial import Purpose, Trial, TrialState, trial_name

BASELINE = "the baseline"


@dataclass(frozen=True, slots=True)
class Reruns:
    """One configuration on fresh seeds. ``values`` are minimised; ``unstable`` counts the reruns that diverged or did
    not fit.
    """

    name: str
    arm: int
    values: tuple[float, ...]
    unstable: int = 0

    @property
    def mean(self) -> float:
        """Of the values."""
        return math.fsum(self.values) / len(self.values)

    @property
    def variance(self) -> float:
        """Of the values, unbiased, and exactly zero where they are one value. Needs two."""
        return float(numpy.var(self.values, ddof=1)) if len(set(self.values)) > 1 else 0.0

    @property
    def comparable(self) -> bool:
        """Whether there is a mean and a spread."""
        return len(self.values) >= 2

    @property
    def adoptable(self) -> bool:
        """Whether it can be compared, and failed on no fresh seed, however good its other reruns are."""
        return self.comparable and not self.unstable


@dataclass(frozen=True, slots=True)
class StudyReruns:
    """All that a study has run again: ``configurations``, best of the search first, and the ``baseline`` if it has
    one.
    """

    configurations: tuple[Reruns, ...]
    baseline: Reruns | None

    @property
    def all(self) -> tuple[Reruns, ...]:
        """The baseline last."""
        return (*self.configurations, *([] if self.baseline is None else [self.baseline]))

    @property
    def reference(self) -> Reruns | None:
        """What is held against chance (rule 7): the baseline, else the best configuration; None where that, or all of
        those, cannot be compared.
        """
        candidates = self.configurations if self.baseline is None else (self.baseline,)
        return next((reruns for reruns in candidates if reruns.comparable), None)

    @property
    def trial_variance(self) -> float | None:
        """s_r, pooled over all of them; None without two reruns of one configuration."""
        return trial_variance(self.all)


def reruns_of(evidence: Evidence) -> StudyReruns:
    """From the trials that there are so far."""
    by_trial: dict[int, list[Trial]] = {}
    baseline: list[Trial] = []
    for trial in sorted(evidence.trials, key=lambda trial: trial.spec.index):
        if trial.spec.purpose is Purpose.BASELINE:
            baseline.append(trial)
        elif trial.spec.purpose is Purpose.CONFIRMATION and trial.spec.rerun_of is not None:
            by_trial.setdefault(trial.spec.rerun_of, []).append(trial)
    direction = evidence.objective.direction
    configurations = tuple(
        _reruns(trial_name(evidence.study, index), trials, direction) for index, trials in by_trial.items()
    )
    return StudyReruns(configurations, _reruns(BASELINE, baseline, direction) if baseline else None)


def trial_variance(configurations: Sequence[Reruns]) -> float | None:
    """s_r: the standard deviation between reruns of one configuration, pooled over all that have two values."""
    known = [reruns for reruns in configurations if reruns.comparable]
    freedom = sum(len(reruns.values) - 1 for reruns in known)
    if not freedom:
        return None
    return math.sqrt(math.fsum((len(reruns.values) - 1) * reruns.variance for reruns in known) / freedom)


def _reruns(name: str, trials: Sequence[Trial], direction: Direction) -> Reruns:
    return Reruns(
        name,
        trials[0].spec.arm,
        tuple(
            direction.minimised(trial.status.objective.value)
            for trial in trials
            if trial.status.state is TrialState.SUCCEEDED and trial.status.objective is not None
        ),
        unstable=sum(trial.status.state is TrialState.INFEASIBLE for trial in trials),
    )
