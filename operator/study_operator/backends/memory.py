"""The backend in memory: a world without a cluster or processes, for simulations and for the controller's own tests.

What would be durable elsewhere is in a :class:`MemoryWorld`, which outlives the backend: a crash is a new backend on
the old world. A trainer is a function from a trial to what its run will do.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from study_operator.api import Study
from study_operator.backends.port import (
    Announcement,
    NoRecord,
    Observer,
    Run,
    RunPhase,
    StudyKey,
    StudyRef,
)
from study_operator.metrics.source import CurveAnswer, CurveRequest, SourceUnavailable
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Curve, Source, Trial, TrialSpec, TrialStatus


@dataclass(frozen=True, slots=True)
class Script:
    """What a run will do: how long it waits and computes (seconds), how it ends, and what it leaves behind."""

    end: RunEnd = field(default_factory=lambda: RunEnd(0))
    termination: str = ""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    queued: float = 0.0
    running: float = 0.0


Trainer = Callable[[TrialSpec], Script]


@dataclass(slots=True)
class MemoryWorld:
    """What persists. ``trainer`` decides what runs do; ``down`` makes the metrics source unavailable.

    ``calls`` has the name of every backend operation in its order. ``fault`` is asked before each and may raise what
    the real world would.
    """

    trainer: Trainer
    trials: dict[StudyRef, dict[int, Trial]] = field(default_factory=dict)
    runs: dict[StudyKey, dict[int, Run]] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    statuses: dict[StudyKey, Mapping[str, object]] = field(default_factory=dict)
    announcements: list[Announcement] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fault: Callable[[str], None] = lambda _: None
    down: bool = False
    ids: itertools.count[int] = field(default_factory=itertools.count)


class MemoryBackend:
    """One controller's view of a world. Runs advance only while a backend is there to advance them."""

    def __init__(self, world: MemoryWorld, observer: Callable[[], Observer]) -> None:
        self._world = world
        self._observer = observer
        self._tasks: set[asyncio.Task[None]] = set()
        for runs in world.runs.values():
            for run in runs.values():
                if run.phase is not RunPhase.ENDED:
                    self._advance(run)

    async def check_template(self, study: Study) -> None:
        """Every template is good enough here."""
        await self._call("check_template")

    async def trials(self, study: StudyRef) -> Sequence[Trial]:
        await self._call("trials")
        kept = self._world.trials.get(study, {})
        return [kept[index] for index in sorted(kept)]

    async def runs(self, study: StudyRef) -> Sequence[Run]:
        await self._call("runs")
        return list(self._world.runs.get(study.key, {}).values())

    async def create_trial(self, study: StudyRef, spec: TrialSpec) -> Trial:
        await self._call("create_trial")
        return self._world.trials.setdefault(study, {}).setdefault(spec.index, Trial(spec, TrialStatus()))

    async def write_trial(
        self, study: StudyRef, spec: TrialSpec, status: TrialStatus, *, keep_curves: bool = False
    ) -> None:
        await self._call("write_trial")
        kept = self._world.trials.get(study, {})
        if spec.index not in kept:
            raise NoRecord(f"trial {spec.name} has no record")
        curves = kept[spec.index].status.curves if keep_curves else status.curves
        kept[spec.index] = Trial(spec, replace(status, curves=curves))

    async def discard_trial(self, study: StudyRef, spec: TrialSpec) -> None:
        await self._call("discard_trial")
        self._world.trials.get(study, {}).pop(spec.index, None)

    async def write_study(self, study: StudyRef, status: Mapping[str, object]) -> None:
        await self._call("write_study")
        self._world.statuses[study.key] = status

    async def start(self, study: Study, spec: TrialSpec) -> Run:
        await self._call("start")
        reference = StudyRef.of(study)
        if spec.index not in self._world.trials.get(reference, {}):
            raise NoRecord(f"trial {spec.name} has no record")
        key = reference.key
        runs = self._world.runs.setdefault(key, {})
        if spec.index not in runs:
            run = Run(key, spec.index, id=f"run-{next(self._world.ids)}", phase=RunPhase.QUEUED)
            run = replace(run, pod=run.id)
            runs[spec.index] = run
            self._world.scripts[run.id] = self._world.trainer(spec)
            self._advance(run)
        return runs[spec.index]

    async def stop(self, study: StudyRef, run: Run) -> None:
        await self._call("stop")
        self._remove(run)

    async def release(self, study: StudyRef, runs: Sequence[Run]) -> None:
        await self._call("release")
        for run in runs:
            self._remove(run)

    async def announce(self, study: StudyRef, announcement: Announcement) -> None:
        self._world.announcements.append(announcement)

    async def close(self) -> None:
        """Stop advancing the runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _call(self, operation: str) -> None:
        await asyncio.sleep(0)
        self._world.calls.append(operation)
        self._world.fault(operation)

    def _remove(self, run: Run) -> None:
        current = self._world.runs.get(run.study, {}).get(run.index)
        if current is not None and current.id == run.id:
            del self._world.runs[run.study][run.index]
            self._observer().run_gone(run.study, run.index, run.id)

    def _advance(self, run: Run) -> None:
        task = asyncio.get_running_loop().create_task(self._live(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, run: Run) -> None:
        script = self._world.scripts[run.id]
        if run.phase is RunPhase.QUEUED:
            await asyncio.sleep(script.queued)
            run = self._become(replace(run, phase=RunPhase.RUNNING, started=datetime.now(UTC), node="memory"))
        await asyncio.sleep(script.running)
        ended = replace(run, phase=RunPhase.ENDED, finished=datetime.now(UTC), end=script.end)
        self._become(replace(ended, termination=script.termination))

    def _become(self, run: Run) -> Run:
        current = self._world.runs.get(run.study, {}).get(run.index)
        if current is not None and current.id == run.id:
            self._world.runs[run.study][run.index] = run
            self._observer().run_changed(run)
        return run


class MemoryMetrics:
    """The metrics source of a world: every curve, whole, unless the world's source is down."""

    source = Source.ENDPOINT

    def __init__(self, world: MemoryWorld) -> None:
        self._world = world

    async def curves(self, request: CurveRequest) -> CurveAnswer:
        await asyncio.sleep(0)
        if self._world.down:
            raise SourceUnavailable("the world's metrics are down")
        curves = self._world.scripts[request.run].curves
        return CurveAnswer({name: curve for name, curve in curves.items() if name in request.metrics}, has_steps=True)

    async def close(self) -> None:
        """Nothing to let go."""
