"""A study's trials, with everything that a pass asks of them kept up to date as they change.

A pass must not cost more in a study of ten thousand trials than in one of ten, so nothing here is ever recounted: each
change of a trial moves it from one count to another. The curves are left to the persisted record; only the summaries
stay in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from study_operator.results.objective import Objective
from study_operator.results.ranking import Ranked, Ranking
from study_operator.results.taxonomy import reclassify
from study_operator.results.trial import Purpose, Trial, TrialState, TrialStatus


class Tally:
    """Counts of trials by arm and state."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, TrialState]] = Counter()
        self._totals: Counter[TrialState] = Counter()

    def __len__(self) -> int:
        return self._totals.total()

    def add(self, trial: Trial, times: int = 1) -> None:
        """Count the trial, or with -1 times, no more."""
        self._counts[trial.spec.arm, trial.status.state] += times
        self._totals[trial.status.state] += times

    def count(self, state: TrialState, arm: int | None = None) -> int:
        """How many trials are in ``state``, in one arm or in all."""
        return self._totals[state] if arm is None else self._counts[arm, state]

    @property
    def concluded(self) -> int:
        """How many trials have their result, be it that they failed."""
        return sum(self._totals[state] for state in TrialState if state.final)


class Ledger:
    """The trials by index; those of the search and the reruns counted apart, and the search ranked.

    ``version`` grows with every result that comes, goes or changes.
    """

    def __init__(self, objective: Objective) -> None:
        self._trials: dict[int, Trial] = {}
        self._first_missing = 0
        self.version = 0
        self.search = Tally()
        self.reruns = Tally()
        self.ranking = Ranking(objective.direction)
        self.waiting: set[int] = set()
        """The trials in state Pending: they have a record and no run."""

    def __len__(self) -> int:
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        """All trials, in the order of their indices."""
        return (self._trials[index] for index in sorted(self._trials))

    def get(self, index: int) -> Trial | None:
        return self._trials.get(index)

    def put(self, trial: Trial) -> None:
        """Insert the trial, or replace what was known of it."""
        self.remove(trial.spec.index)
        index, status = trial.spec.index, replace(trial.status, curves={})
        self._trials[index] = replace(trial, status=status)
        self._tally(trial).add(trial)
        self.version += status.state.final
        if status.state is TrialState.PENDING:
            self.waiting.add(index)
        searching = trial.spec.purpose is Purpose.SEARCH
        if searching and status.state is TrialState.SUCCEEDED and status.objective is not None:
            self.ranking.add(Ranked(index, trial.spec.arm, status.objective.value, status.objective.step))

    def remove(self, index: int) -> None:
        """Forget the trial, if it is known."""
        trial = self._trials.pop(index, None)
        if trial is None:
            return
        self._tally(trial).add(trial, -1)
        self.version += trial.status.state.final
        self.waiting.discard(index)
        self.ranking.discard(index)
        self._first_missing = min(self._first_missing, index)

    def update(self, index: int, status: TrialStatus) -> None:
        """Replace the status of a trial that is known."""
        self.put(replace(self._trials[index], status=status))

    def count(self, state: TrialState) -> int:
        """How many trials are in ``state``, reruns included."""
        return self.search.count(state) + self.reruns.count(state)

    @property
    def concluded(self) -> bool:
        """Whether every trial has its result, be it that it failed."""
        return self.search.concluded + self.reruns.concluded == len(self)

    def _tally(self, trial: Trial) -> Tally:
        return self.search if trial.spec.purpose is Purpose.SEARCH else self.reruns

    def missing(self, planned: int) -> Iterator[int]:
        """The indices below ``planned`` that have no record, in order."""
        while self._first_missing in self._trials:
            self._first_missing += 1
        return (index for index in range(self._first_missing, planned) if index not in self._trials)

    def rerank(self, objective: Objective) -> list[int]:
        """Judge every trial by another objective; returns the indices of those whose status changed by it."""
        self.ranking = Ranking(objective.direction)
        changed = []
        for trial in list(self._trials.values()):
            status = reclassify(trial.status, objective)
            self.put(replace(trial, status=status))
            if status != trial.status:
                changed.append(trial.spec.index)
        return changed
