"""The controller: observations in, actions out.

Observations only change what is known and put the study's key into the queue. One worker takes the keys and makes a
pass over each study: it names the actions that are due and lets them run beside each other. A pass waits for nothing,
so one worker serves all studies, and no study holds up another.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime

from study_operator.api import Study, check_changes, check_semantics
from study_operator.backends.port import Backend, BackendError, Gone, Run, StudyKey, StudyRef, Trouble, Unavailable
from study_operator.controller.actions import REFUSED_DELAY, Actions
from study_operator.controller.commands import Command, due, wake, wanted
from study_operator.controller.kinds import SPEC, Kind
from study_operator.controller.queue import KeyedQueue
from study_operator.controller.settings import ControllerSettings
from study_operator.controller.state import StudyState
from study_operator.controller.status import refused_status, sentences
from study_operator.controller.telemetry import NoTelemetry, Telemetry
from study_operator.metrics.source import MetricsSource
from study_operator.space import Problem

logger = logging.getLogger(__name__)


class Controller:
    """Runs studies on a backend. Everything but :meth:`run` only takes note and returns at once."""

    def __init__(
        self,
        backend: Backend,
        metrics: MetricsSource,
        settings: ControllerSettings | None = None,
        *,
        now: Callable[[], datetime],
        telemetry: Telemetry | None = None,
        randomness: random.Random | None = None,
    ) -> None:
        self._backend = backend
        self._settings = settings or ControllerSettings()
        self._now = now
        self._telemetry = telemetry or NoTelemetry()
        self._randomness = randomness or random.Random()
        self._actions = Actions(backend, metrics, self._settings, now, self._telemetry)
        self._queue: KeyedQueue[StudyKey] = KeyedQueue()
        self._states: dict[StudyKey, StudyState] = {}
        self._refusals: dict[StudyKey, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def study_changed(self, study: Study) -> None:
        """A study's manifest, new or changed or merely seen again."""
        ref = StudyRef.of(study)
        if study.metadata.deletion_timestamp is not None:
            self.study_gone(ref.key)
            return
        self._withdraw_refusal(ref.key)
        state = self._states.get(ref.key)
        if state is None or state.ref != ref:
            self._states[ref.key] = self._begin(study, ref)
        elif state.generation != study.metadata.generation:
            self._change(state, study)
        self._queue.add(ref.key)

    def study_refused(
        self, ref: StudyRef, generation: int, problems: Sequence[Problem], told: Mapping[str, object]
    ) -> None:
        """A manifest that does not parse: it is told beside what was ``told`` before. A study that is known already
        starts nothing more.
        """
        state = self._states.get(ref.key)
        if state is None or state.ref != ref:
            self.study_gone(ref.key)
            status = refused_status(generation, problems, told, self._now())
            self._refusals[ref.key] = self._spawn(self._tell_refusal(ref, status))
            return
        state.generation, state.successor = generation, None
        state.stalls[SPEC] = Trouble("InvalidSpec", sentences(problems))
        self._touch(state)

    def study_gone(self, key: StudyKey) -> None:
        """The study was deleted; whatever belongs to it goes by its owner references."""
        self._withdraw_refusal(key)
        self._states.pop(key, None)
        self._queue.discard(key)
        self._telemetry.study_forgotten(key)

    def run_changed(self, run: Run) -> None:
        """A run as it stands now."""
        state = self._states.get(run.study)
        if state is None:
            return
        if not state.opened:
            state.early[run.id] = run
            return
        state.fold_run(run, asyncio.get_running_loop().time(), self._settings)
        self._touch(state)

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None:
        """A run was removed; where it was the trial's current one, nobody knows how it ended."""
        state = self._states.get(study)
        if state is None or not state.opened:
            return
        state.retained.pop(run_id, None)
        state.disowned.discard(run_id)
        if index in state.stale and state.stale[index].id == run_id:
            del state.stale[index]
        elif index in state.runs and state.runs[index].id == run_id and (Kind.STOP, index) not in state.in_flight:
            state.run_vanished(index, asyncio.get_running_loop().time(), self._settings)
        self._touch(state)

    def resync(self, spread: float = 0.0) -> None:
        """Read every study's trials and runs anew, because watches do not tell everything: one study after the other,
        over ``spread`` seconds.
        """
        time, turn = asyncio.get_running_loop().time(), spread / max(1, len(self._states))
        for number, state in enumerate(self._states.values()):
            state.reread_due = min(state.reread_due, time + number * turn)
            self._queue.add(state.key)

    async def run(self) -> None:
        """Work until cancelled; actions that are under way are then abandoned, as in a crash."""
        try:
            while True:
                key = await self._queue.get()
                self._telemetry.queue_depth(len(self._queue))
                self._pass(key)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, study: Study, ref: StudyRef) -> StudyState:
        status = study.status or {}
        started = datetime.fromisoformat(status["startTime"]) if "startTime" in status else self._now()
        return StudyState.begin(study, ref, study.seed, started, self._randomness)

    def _change(self, state: StudyState, study: Study) -> None:
        """Take over a changed manifest, as far as it may change.

        A study without trials begins anew with another space, template or sampler: once nothing is under way that may
        become its first trial.
        """
        state.generation, state.successor = study.metadata.generation, None
        problems = check_changes(state.study, study, has_trials=True)
        if problems and not len(state.ledger):
            if state.in_flight:
                state.successor = study
            else:
                self._states[state.key] = self._begin(study, state.ref)
            return
        if problems:
            state.stalls[SPEC] = Trouble("ImmutableFieldChanged", sentences(problems))
        elif state.opened and (problems := check_semantics(study)):
            state.stalls[SPEC] = Trouble("InvalidSpec", sentences(problems))
        else:
            state.stalls.pop(SPEC, None)
            rerank = study.objective != state.study.objective
            state.study = study
            if rerank:
                state.rerank(asyncio.get_running_loop().time())
        state.changed = True

    def _has(self, state: StudyState) -> bool:
        """Whether the study is still known, and in the life that ``state`` tells of."""
        return self._states.get(state.key) is state

    def _touch(self, state: StudyState) -> None:
        state.changed = True
        self._queue.add(state.key)

    def _pass(self, key: StudyKey) -> None:
        state = self._states.get(key)
        if state is None or state.successor is not None:
            return
        loop = asyncio.get_running_loop()
        # One look at the clocks: what becomes due after it is what the study is woken for.
        now, begun = self._now(), loop.time()
        try:
            commands = wanted(state, self._settings, now, begun)
            state.keep_troubles(command.kind for command in commands)
            for command in commands:
                if due(state, command, begun):
                    state.in_flight.add(command.key)
                    self._spawn(self._act(state, command))
            delay = wake(state, self._settings, now, begun)
            if delay is not None:
                self._queue.add_after(key, delay)
        except Exception:
            logger.exception("the pass over study %s failed", key)
            self._telemetry.reconciled(loop.time() - begun, "error")
            self._queue.add_after(key, 5.0)
        else:
            self._telemetry.reconciled(loop.time() - begun, "ok")

    async def _act(self, state: StudyState, command: Command) -> None:
        try:
            await self._actions.perform(state, command)
        except asyncio.CancelledError:
            raise
        except Gone as gone:
            if self._has(state):
                logger.info("study %s is gone: %s", state.key, gone)
                self.study_gone(state.key)
        except Exception:
            logger.exception("%s of trial %d of study %s failed", command.kind, command.index, state.key)
            state.backoff.failed(command.key, asyncio.get_running_loop().time(), 5.0)
        else:
            if command.kind is Kind.REPORT and self._has(state):
                self._telemetry.study_status(state.key, state.written_status)
        finally:
            state.in_flight.discard(command.key)
            if self._has(state):
                if state.successor is not None and not state.in_flight:
                    self._change(state, state.successor)
                self._queue.add(state.key)

    async def _tell_refusal(self, ref: StudyRef, status: Mapping[str, object]) -> None:
        """Write the status, however often it takes: nobody hands the same manifest over again."""
        while True:
            try:
                await self._backend.write_study(ref, status)
            except Gone:
                return
            except Exception as error:
                foreseen = isinstance(error, BackendError)
                logger.warning("the refusal of study %s cannot be told: %s", ref.key, error, exc_info=not foreseen)
                asked = error.retry_after if isinstance(error, Unavailable) else None
                await asyncio.sleep(max(REFUSED_DELAY, asked or 0.0))
            else:
                self._telemetry.study_status(ref.key, status)
                return

    def _withdraw_refusal(self, key: StudyKey) -> None:
        if (telling := self._refusals.pop(key, None)) is not None:
            telling.cancel()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
