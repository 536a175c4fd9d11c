"""How each action is done.

An action calls the backend or the metrics source once or twice and folds what they answer into the study's state.
Whatever keeps it from succeeding is turned into a back-off here, in one place; an action that is tried again finds what
it had done already, because names are deterministic and creates adopt.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from datetime import datetime

from study_operator.analysis import analyse
from study_operator.api import Study, check_semantics, study_space
from study_operator.api.review import denial, review
from study_operator.backends.port import (
    Announcement,
    Backend,
    Exhausted,
    NoRecord,
    Refused,
    Run,
    RunPhase,
    Severity,
    StudyRef,
    Trouble,
    Unavailable,
)
from study_operator.controller.announcements import announcements
from study_operator.controller.collect import collect
from study_operator.controller.commands import (
    HOLD_COLLECTIONS,
    RELEASE_INTERVAL,
    Command,
    releasable,
    settled,
)
from study_operator.controller.confirmation import rerun_spec
from study_operator.controller.kinds import SPEC, Kind
from study_operator.controller.lessons import Lessons, failed_lessons, lessons_at_acceptance, lessons_of
from study_operator.controller.sampling import prepared_sampler, proposed_trial
from study_operator.controller.settings import ControllerSettings
from study_operator.controller.state import StudyState
from study_operator.controller.status import sentences, study_status
from study_operator.controller.telemetry import Telemetry
from study_operator.metrics.source import MetricsSource, SourceUnavailable
from study_operator.results.trial import FIRST_CONFIRMATION, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.samplers import SamplerUnavailable
from study_operator.space import Space

ANALYSIS_SHARE = 20.0
"""While a study runs, its analyses take no more than one part in this many of the time."""

REFUSED_DELAY = 10.0
"""Seconds, at the least, before something that was refused is tried again: somebody has to mend its cause first."""

INCOMPLETE_DELAY = 5.0
"""Seconds, about, at the most, before missing points are asked for again: so that no trial waits too long."""

logger = logging.getLogger(__name__)


class _Incomplete(Exception):
    """The metrics source answered, and lacks points that the trainer reported."""


class Actions:
    """The controller's hands. ``now`` is the wall clock."""

    def __init__(
        self,
        backend: Backend,
        metrics: MetricsSource,
        settings: ControllerSettings,
        now: Callable[[], datetime],
        telemetry: Telemetry,
    ) -> None:
        self._backend = backend
        self._metrics = metrics
        self._settings = settings
        self._now = now
        self._telemetry = telemetry
        self._collections = asyncio.Semaphore(settings.concurrent_collections)
        self._analyses = asyncio.Semaphore(settings.concurrent_analyses)
        self._perform = {
            Kind.OPEN: self._open,
            Kind.REREAD: self._reread,
            Kind.START: self._start,
            Kind.PERSIST: self._persist,
            Kind.STOP: self._stop,
            Kind.COLLECT: self._collect,
            Kind.WRITE: self._write,
            Kind.DISCARD: self._discard,
            Kind.RELEASE: self._release,
            Kind.REPORT: self._report,
            Kind.ANALYSE: self._analyse,
        }

    async def perform(self, state: StudyState, command: Command) -> None:
        """Do it, and take note of how it went. Raises Gone, and what nobody foresaw."""
        try:
            await self._perform[command.kind](state, command.index)
        except _Incomplete as error:
            state.backoff.failed(command.hold, self._time(), longest=INCOMPLETE_DELAY)
            logger.info("study %s: trial %d awaits its metrics: %s", state.key, command.index, error)
        except NoRecord as error:
            state.forget_trial(command.index)
            logger.info("study %s: trial %d is computed anew: %s", state.key, command.index, error)
        except Unavailable as error:
            state.backoff.failed(command.hold, self._time(), error.retry_after)
            state.holds[command.kind] = Trouble("Unavailable", str(error))
            logger.info("study %s: %s of trial %d is to be repeated: %s", state.key, command.kind, command.index, error)
        except Exhausted as error:
            state.backoff.failed(command.hold, self._time())
            state.holds[command.kind] = Trouble("QuotaExceeded", str(error))
            logger.warning(
                "study %s: no room for the %s of trial %d: %s", state.key, command.kind, command.index, error
            )
        except Refused as error:
            state.backoff.failed(command.hold, self._time(), REFUSED_DELAY)
            state.stalls[command.kind] = Trouble(type(error).__name__, str(error))
            logger.warning("study %s: %s of trial %d was refused: %s", state.key, command.kind, command.index, error)
        else:
            state.backoff.succeeded(command.hold)
            state.stalls.pop(command.kind, None)
            state.holds.pop(command.kind, None)
        if command.kind is not Kind.REPORT:
            state.changed = True

    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    async def _open(self, state: StudyState, _: int) -> None:
        """Check the study, prepare its sampler, read what exists of it; of a new study, try the first run dry."""
        study = state.study
        problems = check_semantics(study)
        if problems:
            state.stalls[SPEC] = Trouble("InvalidSpec", sentences(problems))
            return
        space = study_space(study)
        reviewed = review(study, space)
        if denied := denial(reviewed):
            state.lessons = lessons_at_acceptance(reviewed)
            state.stalls[SPEC] = Trouble("LintDenied", denied)
            return
        try:
            sampler = await prepared_sampler(study.spec.phase, space, state.seed)
        except SamplerUnavailable as unavailable:
            state.stalls[SPEC] = Trouble("SamplerUnavailable", str(unavailable))
            return
        # Of a new study there is nothing to read. What a crash kept from being told, the creates will find.
        trials, runs = await self._read(state.ref) if state.told_before else ((), ())
        if not trials:
            state.lessons = lessons_at_acceptance(reviewed)
            await self._backend.check_template(study)
        if state.study is not study:
            return  # It was changed meanwhile, and is opened as it is now.
        for trial in trials:
            state.ledger.put(trial)
        state.rerank(self._time())
        state.space, state.sampler = space, sampler
        state.fold_listed([state.latest(run) for run in runs], self._time(), self._settings)
        state.early.clear()

    async def _reread(self, state: StudyState, _: int) -> None:
        """Take note of what vanished or appeared without an event. What this controller knows of a trial is newer than
        its record.
        """
        known = {trial.spec.index for trial in state.ledger}
        running = {index: run.id for index, run in state.runs.items()}
        trials, runs = await self._read(state.ref)
        listed = {trial.spec.index: trial for trial in trials}
        for index in known - listed.keys():
            state.forget_trial(index)
        for index in listed.keys() - known:
            if state.ledger.get(index) is None:
                state.ledger.put(listed[index])
        ids = {run.id for run in runs}
        for index, run_id in running.items():
            if run_id not in ids and index in state.runs and state.runs[index].id == run_id:
                state.run_vanished(index, self._time(), self._settings)
        state.reread_due, state.reread_at = math.inf, self._time()
        state.fold_listed(runs, self._time(), self._settings)

    async def _read(self, study: StudyRef) -> tuple[Sequence[Trial], Sequence[Run]]:
        return await asyncio.gather(self._backend.trials(study), self._backend.runs(study))

    async def _persist(self, state: StudyState, index: int) -> None:
        spec = rerun_spec(state, index) if index >= FIRST_CONFIRMATION else await proposed_trial(state, index)
        if spec is None:
            return
        trial = await self._backend.create_trial(state.ref, spec)
        if state.ledger.get(index) is not None:
            return  # it was read before its answer came, and may have run since
        state.ledger.put(trial)
        if trial.status != TrialStatus():
            # An earlier process came further than it could tell: its runs are to be found too.
            state.reread_due = self._time()

    async def _start(self, state: StudyState, index: int) -> None:
        trial = state.ledger.get(index)
        if trial is None:
            return
        run = await self._backend.start(state.study, trial.spec)
        known = state.runs.get(index)
        if known is None or known.id != run.id:
            state.fold_run(run, self._time(), self._settings)

    async def _stop(self, state: StudyState, index: int) -> None:
        """Remove a run whose failure is durable, or one that still waited when the study's time was over."""
        stale = state.stale.get(index)
        run = stale or state.runs.get(index)
        if run is None or (stale is None and run.phase is not RunPhase.QUEUED):
            return
        await self._backend.stop(state.ref, run)
        trial = state.ledger.get(index)
        if stale is not None:
            state.stale.pop(index, None)
        elif trial is not None and index in state.runs:  # else its result came before the answer
            state.runs.pop(index)
            state.conclude(index, TrialStatus(failed_runs=trial.status.failed_runs), self._time())

    async def _collect(self, state: StudyState, index: int) -> None:
        async with self._collections:
            trial, run = state.ledger.get(index), state.runs.get(index)
            if trial is None or run is None or run.phase is not RunPhase.ENDED:
                return  # the trial was deleted before it was its turn
            study = state.study
            now, waited = self._now(), self._time() - state.awaited.setdefault(index, self._time())
            collected = await collect(
                trial, run, study.objective, study.metrics, self._metrics, self._settings, now, waited
            )
        self._note_source(state, collected.unavailable)
        current = state.runs.get(index)
        if current is None or current.id != run.id or study.objective != state.study.objective:
            return  # the trial has another run by now, or is another one, or is to be judged by something else
        if not collected.again:
            state.conclude(index, collected.status, self._time())
            await self._tell_failure(state, trial.spec, collected.status)
            return
        state.awaits(index, collected.status, self._time() + self._settings.trial_state_delay)
        if collected.unavailable is None:
            raise _Incomplete(collected.status.message)

    def _note_source(self, state: StudyState, unavailable: SourceUnavailable | None) -> None:
        state.metrics_trouble = str(unavailable) if unavailable else ""
        if unavailable is None:
            state.backoff.succeeded(HOLD_COLLECTIONS)
        else:
            state.backoff.failed(HOLD_COLLECTIONS, self._time(), unavailable.retry_after)
            self._telemetry.metrics_failed()

    async def _tell_failure(self, state: StudyState, spec: TrialSpec, status: TrialStatus) -> None:
        if status.state in (TrialState.FAILED, TrialState.PENDING):
            reason = "TrialFailed" if status.state is TrialState.FAILED else "TrialRetried"
            message = f"Trial {spec.name}: {status.message}"
            await self._backend.announce(state.ref, Announcement(Severity.WARNING, reason, message))

    async def _write(self, state: StudyState, index: int) -> None:
        trial = state.to_write(index)
        if trial is None:
            state.forget_trial(index)
            return
        judged_anew = trial.status.state.final and index not in state.curves
        await self._backend.write_trial(state.ref, trial.spec, trial.status, keep_curves=judged_anew)
        state.written(trial)

    async def _discard(self, state: StudyState, index: int) -> None:
        trial = state.ledger.get(index)
        if trial is not None:
            await self._backend.discard_trial(state.ref, trial.spec)
            state.forget_trial(index)

    async def _release(self, state: StudyState, _: int) -> None:
        ids = releasable(state, self._settings, self._now())
        runs: list[Run] = [state.retained[run_id] for run_id in ids]
        await self._backend.release(state.ref, runs)
        for run_id in ids:
            state.retained.pop(run_id, None)
        state.release_due = self._time() + RELEASE_INTERVAL

    async def _analyse(self, state: StudyState, _: int) -> None:
        """Learn from the trials, off the event loop. A study runs to its end also where this fails."""
        assert state.space is not None, "only an opened study is analysed"
        async with self._analyses:
            standing, trials, complete = state.standing, tuple(state.ledger), settled(state, self._now())
            begun = self._time()
            try:
                state.lessons = await asyncio.to_thread(
                    _lessons, state.study, state.space, trials, state.seed, complete
                )
            except Exception as error:
                logger.exception("the analysis of study %s failed", state.key)
                state.lessons = failed_lessons(error)
            state.analysed = (*standing, complete)
            duration = self._time() - begun
        state.analysis_due = self._time() + max(self._settings.analysis_interval, ANALYSIS_SHARE * duration)

    async def _report(self, state: StudyState, _: int) -> None:
        """Write the study's status, if it differs from the written one."""
        state.changed = False
        before, status = state.written_status, study_status(state, self._settings, self._now())
        state.status_due = self._time() + self._settings.status_interval
        if status == before:
            return
        try:
            await self._backend.write_study(state.ref, status)
        except BaseException:
            state.changed = True
            raise
        state.written_status = status
        for announcement in announcements(before, status):
            await self._backend.announce(state.ref, announcement)


def _lessons(study: Study, space: Space, trials: Sequence[Trial], seed: int, complete: bool) -> Lessons:
    return lessons_of(analyse(study, space, trials, seed, complete=complete))
