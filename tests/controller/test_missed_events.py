"""What was deleted, or happened to runs and trials, while nobody looked or beside what was being done."""

import asyncio
from dataclasses import replace

from study_operator.backends.memory import MemoryBackend, Script
from study_operator.backends.port import (
    Run,
    RunPhase,
    StudyKey,
    StudyRef,
)
from study_operator.controller import ControllerSettings
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Trial, TrialSpec, TrialState

from tests.controller.world import KEY, REF, finished, good, manifest, running, state, trials, until


async def test_a_run_that_vanished_while_nobody_looked_is_run_again(world):
    world.trainer = lambda spec: Script(running=5.0, curves=good(spec).curves)
    async with running(world, settings=ControllerSettings(trial_state_delay=0.0)):
        await until(lambda: {trial.status.state for trial in trials(world)[:2]} == {TrialState.RUNNING})
    world.runs.clear()
    world.trainer = good
    status = await finished(world)
    assert status["trials"]["succeeded"] == 8
    assert [trial.status.attempts for trial in trials(world)][:3] == [2, 2, 1]


async def test_a_deleted_trial_runs_again_after_a_resync(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        spec = trials(world)[3].spec
        del world.trials[StudyRef(KEY, "uid-1")][3]
        del world.runs[KEY][3]
        controller.resync()
        await until(lambda: world.calls.count("start") == 9 and state(world) == "Finished")
    assert trials(world)[3].spec == spec


async def test_a_resync_reads_one_study_after_the_other(world):
    read: list[float] = []
    names = ["one", "two", "three"]

    def listen(operation: str) -> None:
        if operation == "trials":
            read.append(asyncio.get_running_loop().time())

    async with running(world) as controller:
        controller.study_gone(KEY)
        for name in names:
            metadata = manifest().metadata.model_copy(update={"name": name})
            controller.study_changed(manifest().model_copy(update={"metadata": metadata}))
        keys = [StudyKey("default", name) for name in names]
        await until(lambda: all(world.statuses.get(key, {}).get("state") == "Finished" for key in keys))
        world.fault, begun = listen, asyncio.get_running_loop().time()
        controller.resync(spread=0.3)
        await until(lambda: len(read) == 3)
    assert [time >= begun + turn for turn, time in zip((0.0, 0.1, 0.2), read, strict=True)] == [True] * 3


async def test_a_trial_that_is_deleted_while_it_runs_is_computed_anew_at_once(world):
    slow = True
    world.trainer = lambda spec: Script(running=60.0 if slow and spec.index == 1 else 0.0, curves=good(spec).curves)
    async with running(world) as controller:
        await until(lambda: world.calls.count("write_trial") == 7)
        slow, old, spec = False, world.runs[KEY].pop(1), world.trials[REF].pop(1).spec
        controller.run_gone(KEY, 1, old.id)
        await until(lambda: state(world) == "Finished")
        assert not controller._states[KEY].stalls
    assert trials(world)[1].spec == spec
    assert trials(world)[1].status.attempts == 1
    assert world.statuses[KEY]["trials"]["succeeded"] == len(trials(world)) == 8


async def test_a_trial_that_is_deleted_while_it_waits_is_persisted_again(world):
    world.trainer = lambda spec: Script(running=0.02, curves=good(spec).curves)
    async with running(world, manifest(budget={"trials": 8, "parallelism": 1})):
        await until(lambda: 1 in world.trials.get(REF, {}))
        spec = world.trials[REF].pop(1).spec
        await until(lambda: state(world) == "Finished")
    assert trials(world)[1].spec == spec
    assert world.calls.count("create_trial") == 9


async def test_what_is_heard_of_a_run_after_its_end_is_old_news(world):
    """A process that has just begun has read how runs ended, and then hears from the watch how they came to it."""
    async with running(world) as controller:
        tell = controller.run_changed

        def tell_again(run: Run) -> None:
            tell(run)
            if run.phase is RunPhase.ENDED:
                tell(replace(run, phase=RunPhase.QUEUED, end=None, finished=None))

        controller.run_changed = tell_again
        await until(lambda: state(world) == "Finished")
    assert world.calls.count("start") == 8
    assert {trial.status.failed_runs for trial in trials(world)} == {()}


async def test_the_run_of_a_deleted_trial_is_removed_and_its_result_is_not_taken(world):
    fails = True
    world.trainer = lambda spec: Script(end=RunEnd(65)) if spec.index == 3 and fails else good(spec)
    deleted = False

    def delete_before_its_result_is_written(operation: str) -> None:
        nonlocal fails, deleted
        if operation == "write_trial" and not deleted and 3 in world.runs[KEY]:
            fails, deleted = False, bool(world.trials[REF].pop(3))

    world.fault = delete_before_its_result_is_written
    status = await finished(world)
    assert status["trials"]["succeeded"] == 8
    assert world.calls.count("stop") == 1


async def test_the_run_of_a_deleted_trial_says_nothing_of_its_successor(world):
    fails = True
    world.trainer = lambda spec: Script(end=RunEnd(1)) if spec.index == 3 and fails else good(spec)
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        fails, old = False, world.runs[KEY].pop(3)
        del world.trials[StudyRef(KEY, "uid-1")][3]
        controller.resync()
        controller.run_changed(old)
        await until(lambda: world.calls.count("create_trial") == 9)
        controller.run_changed(old)
        await until(lambda: world.statuses[KEY]["trials"]["succeeded"] == 8)
    assert trials(world)[3].status.run != old.id


async def test_an_end_that_is_seen_while_the_study_is_opened_is_not_lost(world):
    world.trainer = lambda spec: Script(running=60.0, curves=good(spec).curves)
    async with running(world):
        await until(lambda: [run.phase for run in world.runs.get(KEY, {}).values()] == [RunPhase.RUNNING] * 2)
    seen = [replace(run, phase=RunPhase.ENDED, end=RunEnd(0)) for run in world.runs[KEY].values()]
    async with running(world) as controller:
        for run in seen:
            controller.run_changed(run)
        await until(lambda: world.statuses[KEY].get("trials", {}).get("succeeded") == 2)


async def test_failed_trials_that_a_person_deletes_run_again_by_themselves(world, monkeypatch):
    monkeypatch.setattr("study_operator.controller.commands.FAILING_REREAD", 0.05)
    world.trainer = lambda spec: Script(end=RunEnd(1, "Error", "no such file"))
    async with running(world):
        await until(lambda: state(world) == "Stalled")
        world.trainer = good
        world.trials[REF].clear()
        world.runs.clear()
        await until(lambda: state(world) == "Finished")
    assert world.statuses[KEY]["trials"]["succeeded"] == 8


async def test_an_answer_that_comes_after_its_trial_was_read_and_ran_takes_nothing_back(world, monkeypatch):
    create, answered = MemoryBackend.create_trial, asyncio.Event()

    async def answer_late(self: MemoryBackend, study: StudyRef, spec: TrialSpec) -> Trial:
        trial = await create(self, study, spec)
        await answered.wait()
        return trial

    monkeypatch.setattr(MemoryBackend, "create_trial", answer_late)
    async with running(world) as controller:
        await until(lambda: len(trials(world)) == 4)
        controller.resync()
        await until(lambda: {trial.status.state for trial in trials(world)} == {TrialState.SUCCEEDED})
        answered.set()
        await until(lambda: state(world) == "Finished")
    assert world.calls.count("start") == 8


async def test_a_result_that_comes_while_its_waiting_run_is_stopped_stands(world, monkeypatch):
    world.trainer = lambda spec: Script(queued=60.0, curves=good(spec).curves)
    stop, budget = MemoryBackend.stop, {"trials": 2, "parallelism": 2}

    async def stop_late(self: MemoryBackend, study: StudyRef, run: Run) -> None:
        controller.run_changed(replace(run, phase=RunPhase.ENDED, end=RunEnd(0)))
        await until(lambda: trials(world)[run.index].status.state.final)
        await stop(self, study, run)

    monkeypatch.setattr(MemoryBackend, "stop", stop_late)
    async with running(world, manifest(budget=budget)) as controller:
        await until(lambda: len(world.runs.get(KEY, {})) == 2)
        controller.study_changed(manifest(generation=2, budget={**budget, "maxDuration": "1ms"}))
        await until(lambda: state(world) == "Finished" and not world.runs[KEY])
    assert [trial.status.state for trial in trials(world)] == [TrialState.SUCCEEDED] * 2
