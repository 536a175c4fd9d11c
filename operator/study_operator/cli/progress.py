"""How far a study has come, and when it will be over."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import timedelta

from study_operator.results.trial import Purpose, Trial


class Progress:
    """The trials that have ended, each noted once, and how long they took. Reruns are noted, and not counted."""

    def __init__(self, planned: int, parallelism: int, trials: Collection[Trial] = ()) -> None:
        self.planned = planned
        self._parallelism = parallelism
        self._durations: dict[int, timedelta] = {}
        self._ended: set[int] = set()
        self.done = 0
        for trial in trials:
            self.note(trial)

    def note(self, trial: Trial) -> bool:
        """Take note of a trial's status; whether it has just ended."""
        index, status = trial.spec.index, trial.status
        if not status.state.final or index in self._ended:
            return False
        self._ended.add(index)
        self.done += trial.spec.purpose is Purpose.SEARCH
        if status.started is not None and status.finished is not None:
            self._durations[index] = status.finished - status.started
        return True

    def tenths(self, done: int) -> int:
        """The share of so many done, in whole tenths."""
        return 10 * done // self.planned

    def time_left(self, running: Sequence[timedelta]) -> timedelta | None:
        """Until the last trial ends, if the others take as long as the ended ones did; None before the first end.

        ``running`` has the time since its start for each running trial. Trials that start together end together, so
        the rest is counted in rounds of the parallelism.
        """
        if not self._durations:
            return None
        usual = sum(self._durations.values(), timedelta()) / len(self._durations)
        under_way = max((usual - since for since in running), default=timedelta())
        rounds = math.ceil(max(0, self.planned - self.done - len(running)) / self._parallelism)
        return max(timedelta(), under_way) + rounds * usual
