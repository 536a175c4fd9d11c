"""What the controller knows of one study, and how an observation changes it.

Observations are folded in at once and cost the same in a large study as in a small one; nothing here waits, decides or
writes. What has changed and is not durable yet stands in ``unwritten``; a pass finds there what to write.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from study_operator.api.study import Study
from study_operator.backends.port import Run, RunPhase, StudyKey, StudyRef, Trouble
from study_operator.conclusions import Confirmation
from study_operator.controller.backoff import Backoff
from study_operator.controller.collect import METRICS_INCOMPLETE, vanished
from study_operator.controller.kinds import SPEC, Action, Kind
from study_operator.controller.ledger import Ledger
from study_operator.controller.lessons import Lessons, lessons_told
from study_operator.controller.settings import ControllerSettings
from study_operator.results.trial import Curve, Trial, TrialState, TrialStatus
from study_operator.samplers import Sampler
from study_operator.space import Space


@dataclass(slots=True)
class StudyState:
    """One life of one study.

    - ``generation``: of the newest manifest, be it one that could not be taken over and therefore is not ``study``.
    - ``successor``: the manifest with which the study begins anew as soon as nothing is under way.
    - ``space``, ``sampler``: None until the study was opened, that is, checked and its trials read.
    - ``runs``: the run of each trial that is not final, by index.
    - ``early``: runs as they were seen before the study was opened, by their id.
    - ``stale``: runs that are to be removed before their trial can run again.
    - ``awaited``: since when the results of trials whose run has ended are asked for (monotonic, seconds).
    - ``retained``: ended runs of trials with a result, by their id, oldest first, kept for their logs.
    - ``disowned``: ids of runs whose trial's record was deleted; some may still be there.
    - ``unwritten``: trials whose status is to be written, with the time when (monotonic, seconds).
    - ``curves``: the thinned curves of those trials, which the ledger does not keep.
    - ``in_flight``: the actions that are under way.
    - ``stalls``: why the study cannot go on, by the action that found out; ``holds``: what it waits for, which will
      pass.
    - ``lessons``: what the trials taught when they were last looked at; ``analysed`` says how they stood then (see
      :attr:`standing`) and whether they had all ended. While they run, the next look is at ``analysis_due``.
    - ``reread_due``: when the trials and runs are to be read again because watches do not tell everything, and
      ``reread_at`` when they last were (monotonic, seconds).
    - ``changed``: whether the status may differ from the written one, which may be written again at ``status_due``.
    """

    study: Study
    ref: StudyRef
    ledger: Ledger
    backoff: Backoff
    started: datetime
    seed: int
    generation: int
    successor: Study | None = None
    space: Space | None = None
    sampler: Sampler | None = None
    runs: dict[int, Run] = field(default_factory=dict)
    early: dict[str, Run] = field(default_factory=dict)
    stale: dict[int, Run] = field(default_factory=dict)
    awaited: dict[int, float] = field(default_factory=dict)
    retained: dict[str, Run] = field(default_factory=dict)
    disowned: set[str] = field(default_factory=set)
    unwritten: dict[int, float] = field(default_factory=dict)
    curves: dict[int, Mapping[str, Curve]] = field(default_factory=dict)
    in_flight: set[Action] = field(default_factory=set)
    stalls: dict[str, Trouble] = field(default_factory=dict)
    holds: dict[str, Trouble] = field(default_factory=dict)
    changed: bool = True
    metrics_trouble: str = ""
    lessons: Lessons = field(default_factory=Lessons)
    analysed: tuple[int, int, bool] | None = None
    analysis_due: float = 0.0
    written_status: Mapping[str, object] = field(default_factory=dict)
    status_due: float = 0.0
    release_due: float = 0.0
    reread_due: float = math.inf
    reread_at: float = -math.inf

    @classmethod
    def begin(cls, study: Study, ref: StudyRef, seed: int, started: datetime, randomness: random.Random) -> StudyState:
        """A study of which nothing is known but its manifest."""
        told = study.status or {}
        return cls(
            study,
            ref,
            Ledger(study.objective),
            Backoff(randomness),
            started,
            seed,
            study.metadata.generation,
            lessons=lessons_told(told),
            written_status=told,
        )

    @property
    def key(self) -> StudyKey:
        return self.ref.key

    @property
    def opened(self) -> bool:
        return self.sampler is not None

    @property
    def told_before(self) -> bool:
        """Whether the written status tells of trials; it may be an earlier process that wrote it."""
        return "trials" in self.written_status

    @property
    def planned(self) -> int:
        return self.study.spec.budget.trials

    @property
    def confirmation(self) -> Confirmation | None:
        """What is run again on fresh seeds once the search is over."""
        return self.study.question.confirmation

    @property
    def standing(self) -> tuple[int, int]:
        """What an analysis rests on: the manifest's generation, and the version of the results."""
        return self.study.metadata.generation, self.ledger.version

    @property
    def active(self) -> int:
        """Runs that have not ended, those being created included."""
        return self.under_way(Kind.START) + self.ledger.count(TrialState.QUEUED) + self.ledger.count(TrialState.RUNNING)

    def under_way(self, kind: Kind) -> int:
        """How many actions of this kind are being done."""
        return sum(busy is kind for busy, _ in self.in_flight)

    @property
    def unplaced(self) -> int:
        return sum(run.unplaced for run in self.runs.values())

    @property
    def collecting(self) -> list[int]:
        """Trials whose run has ended and whose result is not known yet."""
        return [index for index, run in self.runs.items() if run.phase is RunPhase.ENDED]

    def unheard(self, index: int) -> bool:
        """Whether the trial was asked for its metrics and none is known."""
        trial = self.ledger.get(index)
        return trial is not None and trial.status.reason == METRICS_INCOMPLETE and not trial.status.metrics

    def latest(self, run: Run) -> Run:
        """A run that was listed while the study was opened, or its end if that was seen meanwhile."""
        seen = self.early.get(run.id, run)
        return seen if seen.phase is RunPhase.ENDED else run

    def keep_troubles(self, wanted: Iterable[str]) -> None:
        """Forget the troubles of kinds of action that nobody wants any more: they have passed by themselves."""
        kept = {*wanted, *(kind for kind, _ in self.in_flight), SPEC}
        for troubles in (self.stalls, self.holds):
            for kind in troubles.keys() - kept:
                del troubles[kind]

    def troubles(self) -> dict[int, Trouble]:
        """The runs that do not get on, by trial index."""
        return {index: run.trouble for index, run in sorted(self.runs.items()) if run.trouble is not None}

    def fold_run(self, run: Run, now: float, settings: ControllerSettings) -> None:
        """Take note of a run's state. A status that changes by it is to be written, though not at once."""
        trial = self.ledger.get(run.index)
        if trial is None or run.id in self.disowned:
            return
        final, latest = trial.status.state.final, run.id == trial.status.run
        if run.id in trial.status.failed_runs and not (final and latest):
            self.stale[run.index] = run
            return
        if final:
            if run.phase is RunPhase.ENDED and latest:
                self.retain(run)
            return
        known = self.runs.get(run.index)
        if known is not None and known.id == run.id and known.phase is RunPhase.ENDED:
            return  # what comes later was on its way when its end was read
        self.runs[run.index] = run
        status = status_while_running(trial.status, run)
        if status != trial.status:
            self.ledger.update(run.index, status)
            self.unwritten.setdefault(run.index, now + settings.trial_state_delay)

    def fold_listed(self, runs: Iterable[Run], now: float, settings: ControllerSettings) -> None:
        """Fold runs that were read, and tell the trials whose run must have vanished before anybody looked."""
        for run in runs:
            if run.index not in self.runs:
                self.fold_run(run, now, settings)
        for trial in list(self.ledger):
            index = trial.spec.index
            if index not in self.runs and index not in self.stale:
                self.run_vanished(index, now, settings)

    def run_vanished(self, index: int, now: float, settings: ControllerSettings) -> None:
        """The trial's run is gone. Where it was seen to end, all that it left is known, and its result comes from
        that.
        """
        trial, run = self.ledger.get(index), self.runs.get(index)
        if run is not None and run.phase is RunPhase.ENDED:
            return
        self.runs.pop(index, None)
        if trial is not None and not trial.status.state.final and trial.status.state is not TrialState.PENDING:
            status = vanished(trial.status, self.study.objective, settings.infrastructure_retries)
            self.conclude(index, status, now)
            if status.state.final:
                del self.curves[index]  # those that were persisted while it awaited more of them stand

    def rerank(self, now: float) -> None:
        """Judge every trial by the study's objective; those whose status changes by it are to be written."""
        self.unwritten |= dict.fromkeys(self.ledger.rerank(self.study.objective), now)

    def forget_trial(self, index: int) -> None:
        """The trial's record is no longer there. Its index is free again, as soon as its run is removed."""
        trial = self.ledger.get(index)
        if trial is not None:
            self.disowned.update({trial.status.run, *trial.status.failed_runs} - {""})
            run = self.runs.get(index) or self.retained.pop(trial.status.run, None)
            if run is not None:
                self.stale[index] = run
        self.ledger.remove(index)
        for known in (self.runs, self.awaited, self.unwritten, self.curves):
            known.pop(index, None)

    def retain(self, run: Run) -> None:
        """Keep an ended run until its retention is over."""
        self.retained.setdefault(run.id, run)

    def awaits(self, index: int, status: TrialStatus, write_at: float) -> None:
        """The trial's run is over and this is what is known of it so far; to be written if it is news."""
        before = self.ledger.get(index)
        self.ledger.update(index, status)
        if before != self.ledger.get(index):
            self.curves[index] = status.curves
            self.unwritten.setdefault(index, write_at)

    def conclude(self, index: int, status: TrialStatus, now: float) -> None:
        """The trial's run is over and this is what came of it; to be written at once."""
        run = self.runs.pop(index, None)
        self.awaited.pop(index, None)
        self.ledger.update(index, status)
        self.unwritten[index] = now
        self.curves[index] = status.curves
        if run is None:
            return
        if status.state.final:
            self.retain(run)
        else:
            self.stale[index] = run

    def to_write(self, index: int) -> Trial | None:
        """The trial as it is to be made durable; None if it is no longer there."""
        trial = self.ledger.get(index)
        return trial and replace(trial, status=replace(trial.status, curves=self.curves.get(index, {})))

    def written(self, trial: Trial) -> None:
        """The trial is durable as it stands in ``trial``; nothing is left to write unless it has changed meanwhile."""
        index = trial.spec.index
        if self.to_write(index) in (None, trial):
            self.unwritten.pop(index, None)
            self.curves.pop(index, None)


def status_while_running(status: TrialStatus, run: Run) -> TrialStatus:
    """The status of a trial whose run is seen in this state."""
    state = {
        RunPhase.QUEUED: TrialState.QUEUED,
        RunPhase.RUNNING: TrialState.RUNNING,
        RunPhase.ENDED: TrialState.AWAITING_METRICS,
    }[run.phase]
    if state is status.state is TrialState.AWAITING_METRICS:
        return status
    return replace(
        status,
        state=state,
        reason=run.trouble.reason if run.trouble else "",
        message=run.trouble.message if run.trouble else "",
        run=run.id,
        node=run.node,
        started=run.started,
        finished=run.finished,
    )
