"""Studies in worlds where anything may fail, vanish, be deleted or changed at any moment, in virtual time.

Each seed is one history of mishaps. Once they cease, the study must end as if there had been none.
"""

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from study_operator.api import Study
from study_operator.backends.memory import MemoryBackend, MemoryMetrics, MemoryWorld, Script
from study_operator.backends.port import Exhausted, Refused, Run, StudyRef, Unavailable
from study_operator.controller import Controller, ControllerSettings
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Trial, TrialSpec, TrialState, TrialStatus

from tests.controller.world import KEY, REF, good, manifest, record, state, trials

HOUR = 3600.0
SETTINGS = ControllerSettings(retention=30.0, metrics_patience=20.0, metrics_deadline=60.0, infrastructure_retries=100)
ERROR = {"metric": "validation_error", "direction": "Minimize"}
LOSS = {"metric": "loss", "direction": "Maximize"}
CALLS_A_SECOND = 1000


class _Clock(selectors.SelectSelector):
    """Waits by moving the time on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen again"
        self.now += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = _Clock()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


class _Time(datetime):
    @classmethod
    def now(cls, tz: Any = UTC) -> datetime:
        return datetime(2026, 1, 1, tzinfo=tz) + timedelta(seconds=asyncio.get_running_loop().time())


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    """In place of a thread, which knows no virtual time."""
    return function(*arguments)


class _World(MemoryWorld):
    """A world of mishaps until it is ``calm``. ``wrong`` is what must never happen and did: a controller would survive
    an assertion here.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(self.script)
        self.fate, self.calm, self.wrong = random.Random(seed), False, set[str]()
        self.second, self.calls_then = 0, 0
        self.failures, self.delay = self.fate.choice([0.0, 0.05, 0.2]), self.fate.choice([0.0, 0.3, 10.0])
        self.fault = self.mishap

    def script(self, spec: TrialSpec) -> Script:
        queued, running = self.fate.choice([0.0, 0.1, 3.0]), self.fate.choice([0.0, 5.0, 40.0])
        if not self.calm and self.fate.random() < 0.1:
            return Script(RunEnd(None, "Evicted", "drained", disrupted=True), queued=queued, running=running)
        if spec.index > 1 and spec.seed % 5 == 0:
            return Script(RunEnd(65), queued=queued, running=running)
        return replace(good(spec), termination=record(spec), queued=queued, running=running)

    def mishap(self, _: str) -> None:
        second = int(asyncio.get_running_loop().time())
        self.second, self.calls_then = second, 1 if second != self.second else self.calls_then + 1
        if self.calls_then > CALLS_A_SECOND:
            self.wrong.add("there is a loop without a pause")
            raise Unavailable("enough")
        if not self.calm and self.fate.random() < self.failures:
            raise self.fate.choice([Unavailable("no answer"), Exhausted("quota"), Refused("a webhook says no")])

    async def pause(self) -> None:
        await asyncio.sleep(0.0 if self.calm else self.fate.choice([0.0, self.fate.random() * self.delay]))


class _Backend(MemoryBackend):
    """Slow, and some answers are lost on their way."""

    _world: _World

    async def create_trial(self, study: StudyRef, spec: TrialSpec) -> Trial:
        return await self._answered(await super().create_trial(study, spec))

    async def start(self, study: Study, spec: TrialSpec) -> Run:
        before = self._world.trials.get(REF, {}).get(spec.index)
        new = spec.index not in self._world.runs.get(KEY, {})
        run = await super().start(study, spec)
        if new and before and before.status.state.final:
            self._world.wrong.add(f"{spec.name} has its result and ran again")
        return await self._answered(run)

    async def write_trial(
        self, study: StudyRef, spec: TrialSpec, status: TrialStatus, *, keep_curves: bool = False
    ) -> None:
        before = self._world.trials.get(REF, {}).get(spec.index)
        if before and before.status.state.final and not status.state.final:
            self._world.wrong.add(f"the result of {spec.name} was taken back")
        await super().write_trial(study, spec, status, keep_curves=keep_curves)
        await self._answered(None)

    async def trials(self, study: StudyRef) -> Sequence[Trial]:
        return await self._answered(await super().trials(study))

    async def runs(self, study: StudyRef) -> Sequence[Run]:
        return await self._answered(await super().runs(study))

    async def _call(self, operation: str) -> None:
        await self._world.pause()
        await super()._call(operation)

    async def _answered(self, answer: Any) -> Any:
        await self._world.pause()
        if not self._world.calm and self._world.fate.random() < self._world.failures / 2:
            raise Unavailable("the answer was lost")
        return answer


class _Operator:
    """A controller that can be killed, and the person who changes its study's manifest."""

    def __init__(self, world: _World) -> None:
        self.world, self.generation = world, 1
        self.spec: dict[str, Any] = {"budget": {"trials": 6, "parallelism": 2}, "objective": ERROR}

    def start(self) -> None:
        self.backend = _Backend(self.world, lambda: self.controller)
        metrics = MemoryMetrics(self.world)
        self.controller = Controller(self.backend, metrics, SETTINGS, now=_Time.now, randomness=self.world.fate)
        self.task = asyncio.create_task(self.controller.run())
        self.tell()

    async def kill(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, self.backend.close(), return_exceptions=True)

    def tell(self) -> None:
        status = self.world.statuses.get(KEY)
        self.controller.study_changed(manifest(self.generation, **self.spec).model_copy(update={"status": status}))

    def change(self, **spec: Any) -> None:
        self.spec, self.generation = {**self.spec, **spec}, self.generation + 1
        self.tell()

    async def suffer(self) -> None:
        """One mishap."""
        fate, runs, kept = self.world.fate, self.world.runs.get(KEY, {}), self.world.trials.get(REF, {})
        budget = {"trials": fate.randint(3, 9), "parallelism": fate.randint(1, 3)}
        match fate.choice(
            ["kill", "resync", "resync", "run", "trial", "budget", "time", "objective", "suspend", "down", "confirm"]
        ):
            case "kill":
                await self.kill()
                self.start()
            case "resync":
                self.controller.resync()
            case "run" if runs:
                self._remove(runs.pop(fate.choice(sorted(runs))))
            case "trial" if unfinished := sorted(i for i, t in kept.items() if not t.status.state.final):
                index = fate.choice(unfinished)
                del kept[index]
                if run := runs.pop(index, None):
                    self._remove(run)
            case "budget":
                self.change(budget=budget)
            case "time":
                self.change(budget={**budget, "maxDuration": fate.choice(["1s", "1m"])})
            case "objective":
                self.change(objective=fate.choice([ERROR, LOSS]))
            case "suspend":
                self.change(suspend=not self.spec.get("suspend", False))
            case "down":
                self.world.down = not self.world.down
            case "confirm":
                self.change(confirmation={"top": 2, "reruns": 2})

    def _remove(self, run: Run) -> None:
        """No watch tells of every removal."""
        if self.world.fate.random() < 0.7:
            self.controller.run_gone(KEY, run.index, run.id)


async def _history(world: _World) -> None:
    operator = _Operator(world)
    operator.start()
    for _ in range(world.fate.randint(5, 30)):
        await asyncio.sleep(world.fate.choice([0.0, 0.01, 0.5, 3.0, 20.0]))
        await operator.suffer()
    world.calm, world.down = True, False
    operator.change(suspend=False, objective=ERROR, budget={"trials": 7, "parallelism": 2})
    operator.controller.resync()
    await asyncio.sleep(HOUR)
    calls = Counter(world.calls)
    await asyncio.sleep(HOUR)
    assert Counter(world.calls) == calls, "a settled study goes on asking"
    _ended(world, operator)
    await operator.kill()


def _ended(world: _World, operator: _Operator) -> None:
    assert not world.wrong
    assert state(world) == "Finished"
    status: Any = world.statuses[KEY]
    assert status["observedGeneration"] == operator.generation
    assert {*range(7)} <= {trial.spec.index for trial in trials(world)}
    counted = Counter(trial.status.state for trial in trials(world) if trial.spec.purpose == "Search")
    for outcome in filter(lambda each: each.final, TrialState):
        assert status["trials"][outcome.lower()] == counted[outcome]
    assert all(trial.status.state.final for trial in trials(world))
    if "confirmation" in operator.spec:
        reruns = sum(trial.spec.purpose != "Search" for trial in trials(world))
        assert reruns == status["trials"]["confirmation"]["planned"]
    assert not world.runs[KEY]
    known = operator.controller._states[KEY]
    assert not any([known.runs, known.stale, known.retained, known.awaited, known.unwritten, known.curves, known.holds])


@pytest.mark.parametrize("seed", range(20))
def test_a_study_ends_as_it_should_whatever_happened_to_it(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "to_thread", _at_once)
    monkeypatch.setattr("study_operator.backends.memory.datetime", _Time)
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(_history(_World(seed)))
