"""What a study needs done now.

A pass looks at the whole state and names every action that is due and not yet under way. It waits for nothing and
writes nothing: the actions run beside each other, so that a finished trial's collection never holds up the start of the
next one, and what they bring back leads to the next pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from study_operator.backends.port import Run, RunPhase
from study_operator.controller.confirmation import missing_reruns, search_over
from study_operator.controller.kinds import SPEC, STUDY, Action, Kind
from study_operator.controller.plan import Situation, runs_to_start, trials_to_persist
from study_operator.controller.settings import ControllerSettings
from study_operator.controller.state import StudyState
from study_operator.results.trial import FIRST_CONFIRMATION, TrialState

RELEASE_INTERVAL = 5.0
"""Seconds between two releases of one study's ended runs, so that many go in one call."""

FAILING_REREAD = 15.0
"""Seconds between two readings of a study whose trials all fail: a person who mends it deletes them, and no watch
tells.
"""

RELEASE_BATCH = 100
"""Runs released in one call: their indices travel in a label selector, hence in an address of bounded length."""


HOLD_STARTS = (Kind.START, STUDY)
"""The study's starts as a whole: one that is refused holds up the others too, because its cause is theirs."""

HOLD_COLLECTIONS = (Kind.COLLECT, STUDY)
"""The study's collections as a whole: a metrics source that is down is down for all of them."""


@dataclass(frozen=True, slots=True)
class Command:
    """One action that is due; ``index`` is the trial's, or STUDY."""

    kind: Kind
    index: int = STUDY

    @property
    def key(self) -> Action:
        return self.kind, self.index

    @property
    def hold(self) -> Action:
        """What is held up when the action fails: itself, or all of its kind where the cause is theirs too."""
        return HOLD_STARTS if self.kind is Kind.START else self.key


def expiry(state: StudyState) -> datetime | None:
    """When the study's ``maxDuration`` is over."""
    limit: timedelta | None = state.study.spec.budget.duration
    return None if limit is None else state.started + limit


def expired(state: StudyState, now: datetime) -> bool:
    """Whether that moment has come."""
    end = expiry(state)
    return end is not None and end <= now


def failing(state: StudyState, settings: ControllerSettings) -> bool:
    """Whether the first trials all failed: the cause is in the template or the trainer, and more trials would burn
    time.
    """
    return _suspicious(state, settings) and not state.collecting and state.ledger.search.concluded < state.planned


def _suspicious(state: StudyState, settings: ControllerSettings) -> bool:
    """Whether the first trials failed or may yet turn out to have failed; the next ones wait until that is known."""
    failed = state.ledger.search.count(TrialState.FAILED)
    if failed != state.ledger.search.concluded or not (failed or any(map(state.unheard, state.collecting))):
        return False
    return failed + len(state.collecting) >= min(settings.failing_trials, state.planned)


def settled(state: StudyState, now: datetime) -> bool:
    """Whether every trial that the budget allows has a durable result, and every rerun of the best."""
    if not state.opened or state.unwritten or SPEC in state.stalls or not state.ledger.concluded:
        return False
    return expired(state, now) or (search_over(state) and not missing_reruns(state))


def finished(state: StudyState, now: datetime) -> bool:
    """Whether the trials have all ended, and what they teach is known."""
    return state.analysed == (*state.standing, True) and settled(state, now)


def wanted(state: StudyState, settings: ControllerSettings, now: datetime, time: float) -> list[Command]:
    """Every action that is to be done, be it held up or under way. ``now`` is the wall clock, ``time`` the monotonic
    one.

    The starts come first: an idle accelerator costs more than anything else here.
    """
    return [*(_running(state, settings, now, time) if state.opened else _opening(state)), *_telling(state, now, time)]


def due(state: StudyState, command: Command, time: float) -> bool:
    """Whether an action that is wanted may begin now."""
    holds = [command.hold, command.key, *([HOLD_COLLECTIONS] if command.kind is Kind.COLLECT else [])]
    return command.key not in state.in_flight and all(state.backoff.ready(hold, time) for hold in holds)


def _opening(state: StudyState) -> Iterator[Command]:
    if SPEC not in state.stalls:
        yield Command(Kind.OPEN)


def _telling(state: StudyState, now: datetime, time: float) -> Iterator[Command]:
    """What an earlier process told stands until the trials were read again, or something keeps them from being read.
    Once they have all ended, nothing is told before they were analysed: that they have ended is told once.
    """
    unread = state.told_before and not (state.opened or state.stalls or state.holds)
    over = state.analysed != (*state.standing, True) and settled(state, now)
    if over or (_unlearned(state) and state.analysis_due <= time):
        yield Command(Kind.ANALYSE)
    if state.changed and state.status_due <= time and not unread and not over:
        yield Command(Kind.REPORT)


def _unlearned(state: StudyState) -> bool:
    """Whether the trials can teach something new before they have all ended; results that are being written will soon
    be looked at for the last time.
    """
    known = state.analysed is not None and state.analysed[:2] == state.standing
    return state.opened and not known and not (state.ledger.concluded and state.unwritten)


def _running(state: StudyState, settings: ControllerSettings, now: datetime, time: float) -> Iterator[Command]:
    if _reread_due(state, settings) <= time:
        yield Command(Kind.REREAD)
    halted = state.study.spec.suspend or SPEC in state.stalls or expired(state, now) or _suspicious(state, settings)
    if not halted:
        yield from _refill(state, settings)
    yield from (Command(Kind.STOP, index) for index in state.stale if index not in state.unwritten)
    yield from (Command(Kind.COLLECT, index) for index in state.collecting)
    yield from _writes(state, settings, time)
    yield from _surplus(state, now)
    if release_due(state, settings, now, time):
        yield Command(Kind.RELEASE)


def _reread_due(state: StudyState, settings: ControllerSettings) -> float:
    """When the trials and runs are to be read again."""
    soon = state.reread_at + FAILING_REREAD if failing(state, settings) else math.inf
    return min(state.reread_due, soon)


def _writes(state: StudyState, settings: ControllerSettings, time: float) -> Iterator[Command]:
    """As many as may be under way at once; those that are held up take nobody's place."""
    room = settings.concurrent_writes - state.under_way(Kind.WRITE)
    for command in (Command(Kind.WRITE, index) for index, due_at in state.unwritten.items() if due_at <= time):
        if due(state, command, time):
            if room <= 0:
                return
            room -= 1
        yield command


def _refill(state: StudyState, settings: ControllerSettings) -> Iterator[Command]:
    first_missing = next(state.ledger.missing(state.planned), state.planned)
    startable = sorted(
        index
        for index in state.ledger.waiting
        if (index < first_missing or index >= FIRST_CONFIRMATION)
        and index not in state.stale
        and index not in state.unwritten
        and (Kind.START, index) not in state.in_flight
    )
    persisting = state.under_way(Kind.PERSIST)
    absent = islice(state.ledger.missing(state.planned), persisting + 2 * state.study.spec.budget.parallelism)
    missing = [
        index
        for index in chain(absent, missing_reruns(state))
        if index not in state.stale and (Kind.PERSIST, index) not in state.in_flight
    ]
    assert state.sampler is not None, "only an opened study is refilled"
    situation = Situation(
        parallelism=state.study.spec.budget.parallelism,
        unplaced_cap=settings.unplaced_cap,
        lookahead=0 if state.sampler.adaptive else state.study.spec.budget.parallelism,
        missing=len(missing),
        waiting=len(startable) + persisting,
        active=state.active,
        unplaced=state.unplaced,
    )
    yield from (Command(Kind.START, index) for index in startable[: runs_to_start(situation)])
    yield from (Command(Kind.PERSIST, index) for index in missing[: trials_to_persist(situation)])


def _surplus(state: StudyState, now: datetime) -> Iterator[Command]:
    """Trials that will never start: persisted beyond a budget that became smaller, or when the time was over."""
    over = expired(state, now)
    for index in state.ledger.waiting:
        surplus = state.planned <= index < FIRST_CONFIRMATION
        if (over or surplus) and index not in state.stale and (Kind.START, index) not in state.in_flight:
            yield Command(Kind.DISCARD, index)
    if over:
        queued = (index for index, run in state.runs.items() if run.phase is RunPhase.QUEUED)
        yield from (Command(Kind.STOP, index) for index in queued)


def release_due(state: StudyState, settings: ControllerSettings, now: datetime, time: float) -> bool:
    """Whether ended runs may go. The oldest stands first, so one look tells."""
    return bool(releasable(state, settings, now)) and state.release_due <= time


def releasable(state: StudyState, settings: ControllerSettings, now: datetime) -> list[str]:
    """The ids of the runs whose result is durable and whose retention is over, the oldest first, one batch at most."""
    ripe = []
    for run in islice(state.retained.values(), RELEASE_BATCH):
        if _retained_for(run, settings, now) > 0:
            break
        if run.index not in state.unwritten:
            ripe.append(run.id)
    return ripe


def _retained_for(run: Run, settings: ControllerSettings, now: datetime) -> float:
    """Seconds; none for a run of which nobody knows when it ended, as of a pod that no node took in."""
    return (run.finished - now).total_seconds() + settings.retention if run.finished is not None else 0.0


def wake(state: StudyState, settings: ControllerSettings, now: datetime, time: float) -> float | None:
    """Seconds until time alone makes another action due; None: only an observation can."""
    delays = [state.status_due - time] if state.changed else []
    delays += [state.analysis_due - time] if _unlearned(state) else []
    delays += [due_at - time for due_at in state.unwritten.values()]
    delays += state.backoff.delays(time)
    delays += [_reread_due(state, settings) - time] if state.opened else []
    end = expiry(state)
    if end is not None:
        delays.append((end - now).total_seconds())
    oldest = next(iter(state.retained.values()), None)
    if oldest is not None:
        delays.append(max(_retained_for(oldest, settings, now), state.release_due - time))
    coming = [delay for delay in delays if 0 < delay < math.inf]
    return min(coming, default=None)
