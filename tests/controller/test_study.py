"""Whole studies on a world in memory: what a user may count on."""

import asyncio
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from study_operator.api import Study
from study_operator.backends.memory import MemoryWorld, Script
from study_operator.backends.port import (
    Exhausted,
    Foreign,
    Refused,
    Run,
    RunPhase,
    StudyKey,
    StudyRef,
    Unavailable,
)
from study_operator.controller import Controller, ControllerSettings
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Source, TrialSpec, TrialState

from tests.controller.world import KEY, REF, condition, good, manifest, running, state, trials, until


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld(good)


def record(spec: TrialSpec) -> str:
    """What a good training leaves in its termination message."""
    curve = good(spec).curves["validation_error"]
    last = [curve.steps[-1], curve.values[-1]]
    return json.dumps({"metrics": {"validation_error": {"count": 2, "final": last, "minimum": last}}})


async def finished(world: MemoryWorld, study: Any = None, settings: ControllerSettings | None = None) -> Any:
    async with running(world, study, settings):
        await until(lambda: state(world) == "Finished")
    return world.statuses[KEY]


async def test_runs_every_trial_once_and_ranks_them(world):
    status = await finished(world)
    assert status["trials"] | {"planned": 8} == status["trials"]
    assert status["trials"]["succeeded"] == 8
    errors = [float(ranked["objective"]) for ranked in status["ranking"]]
    assert errors == sorted(trial.status.objective.value for trial in trials(world))
    assert status["best"]["objective"] == repr(errors[0])
    assert world.calls.count("start") == 8


async def test_gives_both_arms_the_same_points(world):
    await finished(world)
    points = [(trial.spec.arm, trial.spec.point) for trial in trials(world)]
    assert [point for arm, point in points if arm == 0] == [point for arm, point in points if arm == 1]


async def test_the_points_do_not_depend_on_parallelism(world):
    await finished(world)
    wide = MemoryWorld(good)
    await finished(wide, manifest(budget={"trials": 8, "parallelism": 8}))
    assert [trial.spec for trial in trials(wide)] == [trial.spec for trial in trials(world)]


async def test_a_finished_trial_costs_three_writes_and_a_share_of_a_release(world):
    await finished(world, settings=ControllerSettings(retention=0.0))
    costs = [world.calls.count(call) for call in ("create_trial", "start", "write_trial")]
    assert costs == [8, 8, 8]
    assert world.calls.count("release") <= 2


async def test_never_has_more_runs_than_the_parallelism(world):
    most = 0

    def count(operation: str) -> None:
        nonlocal most
        active = [run for run in world.runs.get(KEY, {}).values() if run.phase != "Ended"]
        most = max(most, len(active))

    world.fault, world.trainer = count, lambda spec: Script(running=0.01, curves=good(spec).curves)
    await finished(world, manifest(budget={"trials": 20, "parallelism": 3}))
    assert most == 3


async def test_a_larger_budget_continues_the_same_list(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        before = trials(world)
        controller.study_changed(manifest(generation=2, budget={"trials": 12, "parallelism": 2}))
        await until(lambda: len(trials(world)) == 12 and state(world) == "Finished")
    assert trials(world)[:8] == before


async def test_a_smaller_budget_lets_the_running_trials_finish(world):
    world.trainer = lambda spec: Script(running=0.05, curves=good(spec).curves)
    async with running(world) as controller:
        await until(lambda: len(world.runs.get(KEY, {})) == 2)
        controller.study_changed(manifest(generation=2, budget={"trials": 1, "parallelism": 2}))
        await until(lambda: state(world) == "Finished")
    assert [trial.status.state for trial in trials(world)] == [TrialState.SUCCEEDED] * 2


MOMENTUM = [
    {"name": "optimizer", "role": "Scientific", "choices": ["sgd", "adam"]},
    {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}},
    {"name": "momentum", "role": "Nuisance", "range": {"min": 0.5, "max": 0.9}},
]


def change_at(world: MemoryWorld, operation: str, controller: Controller, study: Study) -> None:
    """Change the study's manifest while the first such operation is under way."""

    def change(called: str) -> None:
        if called == operation:
            world.fault = lambda _: None
            controller.study_changed(study)

    world.fault = change


async def test_a_space_that_is_changed_while_the_study_is_opened_is_the_one_that_is_searched(world):
    async with running(world) as controller:
        change_at(world, "check_template", controller, manifest(generation=2, hyperparameters=MOMENTUM))
        await until(lambda: state(world) == "Finished")
    assert all("momentum" in trial.spec.parameters for trial in trials(world))
    assert world.statuses[KEY]["observedGeneration"] == 2


async def test_a_space_that_is_changed_while_the_first_trial_is_persisted_came_too_late(world):
    async with running(world) as controller:
        change_at(world, "create_trial", controller, manifest(generation=2, hyperparameters=MOMENTUM))
        await until(lambda: state(world) == "Stalled")
    assert condition(world, "Stalled")["reason"] == "ImmutableFieldChanged"
    assert world.statuses[KEY]["observedGeneration"] == 2


async def test_a_space_that_is_changed_before_the_first_trial_could_be_persisted_is_searched(world):
    async with running(world) as controller:

        def refuse(operation: str) -> None:
            if operation == "create_trial":
                controller.study_changed(manifest(generation=2, hyperparameters=MOMENTUM))
                raise Exhausted("exceeded quota: trials")
            if world.calls.count("check_template") == 2:
                world.fault = lambda _: None

        world.fault = refuse
        await until(lambda: state(world) == "Finished")
    assert all("momentum" in trial.spec.parameters for trial in trials(world))


async def test_an_objective_that_is_changed_while_the_study_is_opened_again_ranks_anew(world):
    kept = [{"name": "loss"}]
    async with running(world, manifest(metrics=kept)):
        await until(lambda: state(world) == "Finished")
    async with running(world, manifest(metrics=kept)) as controller:
        objective = {"metric": "loss", "direction": "Maximize"}
        change_at(world, "trials", controller, manifest(generation=2, objective=objective, metrics=kept))
        await until(lambda: world.statuses[KEY]["observedGeneration"] == 2)
        await until(lambda: state(world) == "Finished" and world.statuses[KEY]["best"]["objective"] == "3.0")


async def test_suspending_drains_and_resuming_goes_on(world):
    world.trainer = lambda spec: Script(running=0.02, curves=good(spec).curves)
    async with running(world) as controller:
        await until(lambda: len(world.runs.get(KEY, {})) == 2)
        controller.study_changed(manifest(generation=2, suspend=True))
        await until(lambda: state(world) == "Suspended")
        assert condition(world, "Suspended")["status"] == "True"
        begun = world.calls.count("start")
        controller.study_changed(manifest(generation=3))
        await until(lambda: state(world) == "Finished")
    assert begun < 8 == world.calls.count("start")


async def test_a_new_objective_ranks_anew_without_a_rerun(world):
    kept = [{"name": "loss"}]
    async with running(world, manifest(metrics=kept)) as controller:
        await until(lambda: state(world) == "Finished")
        objective = {"metric": "loss", "direction": "Maximize"}
        controller.study_changed(manifest(generation=2, objective=objective, metrics=kept))
        await until(lambda: world.statuses[KEY]["best"]["objective"] == "3.0")
        await until(lambda: all(trial.status.objective.value == 3.0 for trial in trials(world)))
    assert world.calls.count("start") == 8
    assert all(trial.status.curves for trial in trials(world))


async def test_an_objective_nobody_reported_is_told(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        objective = {"metric": "accuracy", "direction": "Maximize"}
        controller.study_changed(manifest(generation=2, objective=objective))
        await until(lambda: world.statuses[KEY]["trials"]["failed"] == 8)
        assert all("accuracy" in trial.status.message for trial in trials(world))
        controller.study_changed(manifest(generation=3))
        await until(lambda: world.statuses[KEY]["trials"]["succeeded"] == 8)


async def test_a_trial_that_infrastructure_ended_runs_again_at_the_same_point(world):
    ended: list[int] = []

    def once_evicted(spec: TrialSpec) -> Script:
        ended.append(spec.index)
        evicted = RunEnd(None, "Evicted", "the node was drained", disrupted=True)
        return Script(end=evicted) if ended.count(spec.index) == 1 else good(spec)

    world.trainer = once_evicted
    status = await finished(world)
    assert status["trials"]["succeeded"] == 8
    assert [trial.status.attempts for trial in trials(world)] == [2] * 8
    assert sorted(ended) == sorted([*range(8)] * 2)


async def test_gives_up_on_a_trial_that_infrastructure_ends_every_time(world):
    world.trainer = lambda spec: (
        Script(end=RunEnd(None, "Evicted", "no room", disrupted=True)) if spec.index == 3 else good(spec)
    )
    status = await finished(world)
    assert status["trials"]["failed"] == 1
    assert trials(world)[3].status.attempts == 4


async def test_stops_when_the_first_trials_all_fail(world):
    world.trainer = lambda spec: Script(end=RunEnd(1, "Error", "no such file"))
    async with running(world):
        await until(lambda: state(world) == "Stalled")
    stalled = condition(world, "Stalled")
    assert stalled["reason"] == "TrialsFailing"
    assert "no such file" in stalled["message"]
    assert world.calls.count("start") <= 4


async def test_infeasible_trials_are_results_and_never_win(world):
    world.trainer = lambda spec: Script(end=RunEnd(65)) if spec.index % 2 else good(spec)
    status = await finished(world)
    assert status["trials"]["infeasible"] == 4
    assert len(status["ranking"]) == 4


@pytest.mark.parametrize("hours", [-2, 0, 2])
async def test_trials_wait_for_a_metrics_source_that_is_down_whatever_their_nodes_clocks_say(world, hours):
    world.down = True
    world.trainer = lambda spec: Script(curves=good(spec).curves, termination=record(spec))
    async with running(world, ahead=timedelta(hours=hours)):
        await until(lambda: world.statuses.get(KEY, {}).get("trials", {}).get("awaitingMetrics") == 8)
        assert condition(world, "MetricsAvailable")["status"] == "False"
        world.down = False
        await until(lambda: state(world) == "Finished")
    assert condition(world, "MetricsAvailable")["status"] == "True"


async def test_a_source_that_stays_down_leaves_the_record(world):
    world.down = True
    world.trainer = lambda spec: Script(termination=record(spec))
    await finished(world, settings=ControllerSettings(status_interval=0.0, metrics_deadline=0.2))
    assert {trial.status.source for trial in trials(world)} == {Source.TERMINATION_RECORD}


async def test_a_trial_that_was_never_heard_is_waited_for_and_the_wait_is_told_once(world):
    world.trainer = lambda spec: Script(running=0.05)
    settings = ControllerSettings(status_interval=0.0, trial_state_delay=0.1, metrics_patience=2.0)
    async with running(world, settings=settings):
        await until(lambda: world.statuses and condition(world, "MetricsAvailable")["reason"] == "Awaited")
        assert condition(world, "MetricsAvailable")["status"] == "Unknown"
        assert "no metric of it has arrived" in condition(world, "MetricsAvailable")["message"]
        await until(lambda: state(world) == "Stalled")
    assert "never reported the objective" in condition(world, "Stalled")["message"]
    assert world.calls.count("start") < 8
    assert world.calls.count("write_trial") == 2 * world.calls.count("start")


async def test_long_curves_are_judged_beside_the_event_loop_with_the_same_words(world, monkeypatch):
    inline = await finished(world)
    monkeypatch.setattr("study_operator.controller.collect.INLINE_POINTS", 0)
    beside = MemoryWorld(good)
    assert (await finished(beside))["ranking"] == inline["ranking"]
    assert [trial.status.metrics for trial in trials(beside)] == [trial.status.metrics for trial in trials(world)]


async def test_a_study_whose_time_is_over_finishes_what_runs_and_starts_nothing(world):
    world.trainer = lambda spec: Script(running=0.6, curves=good(spec).curves)
    status = await finished(world, manifest(budget={"trials": 8, "parallelism": 2, "maxDuration": "500ms"}))
    assert status["trials"]["succeeded"] == 2
    assert condition(world, "Finished")["reason"] == "DurationReached"
    assert len(trials(world)) == 2


async def test_a_study_wakes_whose_time_ends_while_it_is_looked_at(world):
    world.trainer = lambda spec: Script(running=60.0)
    start, step, looks = datetime.now(UTC), timedelta(), 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        return start + looks * step

    study = manifest(budget={"trials": 8, "parallelism": 2, "maxDuration": "1m"})
    async with running(world, study, now=clock) as controller:
        await until(lambda: state(world) == "Running" and not controller._tasks and not len(controller._queue))
        looks, step = 0, timedelta(seconds=59.99)
        controller.study_changed(study)
        await until(lambda: state(world) == "Finishing")


async def test_results_that_cannot_be_written_hold_up_no_others(world, monkeypatch):
    monkeypatch.setattr("study_operator.controller.actions.REFUSED_DELAY", 60.0)
    refused = []

    def refuse_the_first(operation: str) -> None:
        if operation == "write_trial" and len(refused) < 2:
            refused.append(Refused("a webhook says no"))
            raise refused[-1]

    world.fault = refuse_the_first
    settings = ControllerSettings(status_interval=0.0, trial_state_delay=60.0, concurrent_writes=2)
    async with running(world, settings=settings):
        await until(lambda: sum(trial.status.state.final for trial in trials(world)) == 6)


@pytest.mark.parametrize("fault", [Unavailable("down"), Exhausted("exceeded quota"), Foreign("somebody else's")])
async def test_goes_on_when_what_held_it_up_has_passed(world, monkeypatch, fault):
    monkeypatch.setattr("study_operator.controller.actions.REFUSED_DELAY", 0.1)
    failures = random.Random(1)

    def flaky(operation: str) -> None:
        if operation == "start" and failures.random() < 0.2:
            raise fault

    world.fault = flaky
    status = await finished(world)
    assert status["trials"]["succeeded"] == 8


async def test_a_foreign_job_stalls_the_study_with_its_reason(world):
    def foreign(operation: str) -> None:
        if operation == "start":
            raise Foreign("Job digits-0 belongs to somebody else")

    world.fault = foreign
    async with running(world):
        await until(lambda: state(world) == "Stalled")
    assert condition(world, "Stalled")["reason"] == "Foreign"


@pytest.mark.parametrize("seed", range(5))
async def test_a_crash_at_any_moment_loses_and_duplicates_nothing(world, seed):
    started: list[int] = []

    def count(spec: TrialSpec) -> Script:
        started.append(spec.index)
        return Script(queued=0.001, running=0.004, curves=good(spec).curves)

    world.trainer = count
    moments = random.Random(seed)
    for _ in range(20):
        async with running(world):
            try:
                await until(lambda: state(world) == "Finished", seconds=moments.uniform(0.0, 0.02))
            except TimeoutError:
                continue
    status = await finished(world)
    assert status["trials"]["succeeded"] == 8
    assert sorted(started) == list(range(8))


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


async def test_a_study_created_anew_under_its_name_begins_anew(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        world.runs.clear()
        controller.study_gone(KEY)
        controller.study_changed(manifest(uid="uid-2"))
        await until(lambda: world.calls.count("start") == 16)


async def test_a_settled_study_writes_nothing(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        await until(lambda: not controller._tasks)
        writes = len(world.calls)
        controller.study_changed(manifest())
        await until(lambda: not controller._tasks and not len(controller._queue))
    assert len(world.calls) == writes


async def test_a_refusal_that_nobody_minds_any_more_does_not_keep_the_study_from_finishing(world):
    world.fault = lambda operation: _refuse_start(world) if operation == "start" else None
    async with running(world) as controller:
        await until(lambda: state(world) == "Stalled" and world.statuses[KEY]["trials"]["succeeded"] == 7)
        controller.study_changed(manifest(generation=2, budget={"trials": 7, "parallelism": 2}))
        await until(lambda: state(world) == "Finished")


def _refuse_start(world: MemoryWorld) -> None:
    if len(world.runs.get(KEY, {})) == 7:
        raise Foreign("Job digits-7 belongs to somebody else")


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
