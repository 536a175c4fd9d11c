"""Whole studies on a world in memory: what a user may count on."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from study_operator.backends.memory import MemoryWorld, Script
from study_operator.backends.port import (
    Exhausted,
    Foreign,
    Refused,
    Run,
    RunPhase,
    Unavailable,
)
from study_operator.controller import ControllerSettings
from study_operator.controller.commands import wake
from study_operator.controller.state import StudyState
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Source, TrialSpec

from tests.controller.world import KEY, REF, condition, finished, good, manifest, record, running, state, trials, until


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
    world.trainer = lambda spec: Script(running=1.0, curves=good(spec).curves)
    study, later = manifest(budget={"trials": 8, "parallelism": 2, "maxDuration": "1h"}), timedelta()
    async with running(world, study, now=lambda: datetime.now(UTC) + later) as controller:
        await until(lambda: len(world.runs.get(KEY, {})) == 2)
        later = timedelta(hours=1)
        controller.study_changed(study)
        await until(lambda: state(world) == "Finished")
    assert world.statuses[KEY]["trials"]["succeeded"] == 2
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


def test_a_study_wakes_to_release_a_run_of_which_nobody_knows_when_it_ended():
    now = datetime.now(UTC)
    state = StudyState.begin(manifest(), REF, 0, now, random.Random(0))
    state.retained, state.release_due, state.changed = {"run": Run(KEY, 0, "run", RunPhase.ENDED)}, 5.0, False
    assert wake(state, ControllerSettings(), now, time=1.0) == 4.0


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
