"""From a run's end to its trial's result, whatever goes meanwhile: the Job, the Trial, the controller."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from study_operator.api import Study
from study_operator.backends.memory import MemoryMetrics, MemoryWorld, Script
from study_operator.controller import Controller, ControllerSettings
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Curve, Source, TrialState

from tests.controller.world import KEY, REF, finished, manifest, running, state, trials, until

PROMPT = ControllerSettings(status_interval=0.0, trial_state_delay=0.0)
"""Every state of a trial is durable at once."""

RATE = {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}}
ONE = manifest(hyperparameters=[RATE], budget={"trials": 1, "parallelism": 1})
"""A study of one trial."""

POINT = [2, 0.5]
SUMMARY = {"count": 2, "final": POINT, "minimum": POINT}
CURVE = Curve((1, 2), (1.0, 0.5))
RECORDED = Script(
    termination=json.dumps({"metrics": {"validation_error": SUMMARY}}), curves={"validation_error": CURVE}
)

BOTH = {"validation_error": CURVE, "loss": Curve((1, 2), (9.0, 7.0))}
BOTH_SUMMARIES = {"validation_error": SUMMARY, "loss": {"count": 2, "final": [2, 7.0]}}


def by(metric: str, generation: int = 1) -> Study:
    """The study of one trial with the loss beside the error, ranked by ``metric``."""
    objective = {"metric": metric, "direction": "Minimize"}
    metrics = [] if metric == "loss" else [{"name": "loss"}]
    return manifest(
        generation,
        hyperparameters=[RATE],
        budget=ONE.spec.budget.model_dump(exclude_none=True),
        metrics=metrics,
        objective=objective,
    )


async def idle(controller: Controller) -> None:
    await until(lambda: not controller._tasks and not len(controller._queue))


def delete_run(world: MemoryWorld, controller: Controller) -> None:
    run = world.runs[KEY].pop(0)
    controller.run_gone(run.study, run.index, run.id)


@pytest.mark.parametrize(
    ("script", "outcome"),
    [(RECORDED, TrialState.SUCCEEDED), (Script(end=RunEnd(65)), TrialState.INFEASIBLE)],
)
async def test_a_run_that_was_seen_to_end_may_go_before_it_is_collected(script, outcome):
    world = MemoryWorld(lambda _: script)
    world.down = True
    async with running(world, ONE, PROMPT) as controller:
        await until(lambda: [trial.status.state for trial in trials(world)] == [TrialState.AWAITING_METRICS])
        delete_run(world, controller)
        world.down = False
        await until(lambda: state(world) == "Finished")
    assert [trial.status.state for trial in trials(world)] == [outcome]
    assert world.calls.count("start") == 1


async def test_a_result_is_that_of_the_run_that_the_trial_has_when_it_is_known(monkeypatch):
    """The record is deleted, and made anew, while the metrics of its run are asked for."""
    world, asked = MemoryWorld(lambda _: RECORDED), asyncio.Event()
    answered = asyncio.Event()
    curves = MemoryMetrics.curves

    async def slow(self, request):
        if not asked.is_set():
            asked.set()
            await answered.wait()
        return await curves(self, request)

    monkeypatch.setattr(MemoryMetrics, "curves", slow)
    async with running(world, ONE, PROMPT) as controller:
        await asked.wait()
        first = world.runs[KEY].pop(0)
        del world.trials[REF][0]
        controller.resync()
        await until(lambda: 0 in world.runs[KEY] and world.runs[KEY][0].id != first.id)
        answered.set()
        await until(lambda: state(world) == "Finished")
    [trial] = trials(world)
    assert (trial.status.state, trial.status.run) == (TrialState.SUCCEEDED, world.runs[KEY][0].id)
    assert world.calls.count("start") == 2


async def test_a_divergence_that_is_durable_outlasts_the_run_that_it_came_from():
    nan = json.dumps({"metrics": {"validation_error": {"count": 2, "final": [2, "NaN"]}}})
    world = MemoryWorld(lambda _: Script(RunEnd(65), nan, {"validation_error": Curve((1,), (1.0,))}))
    settings = replace(PROMPT, metrics_patience=0.5)
    async with running(world, ONE, settings):
        await until(lambda: [trial.status.reason for trial in trials(world)] == ["MetricsIncomplete"])
    world.runs[KEY].clear()
    async with running(world, ONE, settings):
        await until(lambda: state(world) == "Finished")
    [trial] = trials(world)
    assert (trial.status.state, trial.status.reason) == (TrialState.INFEASIBLE, "Diverged")
    assert world.calls.count("start") == 1


async def test_the_source_of_numbers_outlasts_the_run_that_they_came_from():
    lost = json.dumps({"metrics": {"validation_error": SUMMARY, "loss": {"count": 9, "final": [9, 0.1]}}})
    world = MemoryWorld(lambda _: replace(RECORDED, termination=lost))
    async with running(world, ONE, PROMPT):
        await until(lambda: [trial.status.reason for trial in trials(world)] == ["MetricsIncomplete"])
    world.runs[KEY].clear()
    async with running(world, ONE, PROMPT):
        await until(lambda: state(world) == "Finished")
    assert [trial.status.source for trial in trials(world)] == [Source.ENDPOINT]


async def test_a_trial_that_outlasts_its_run_is_judged_by_the_objective_that_the_study_has_now():
    lost = json.dumps({"metrics": BOTH_SUMMARIES | {"other": {"count": 9, "final": [9, 0.1]}}})
    world = MemoryWorld(lambda _: Script(termination=lost, curves=BOTH))
    async with running(world, by("validation_error"), PROMPT):
        await until(lambda: [trial.status.reason for trial in trials(world)] == ["MetricsIncomplete"])
    world.runs[KEY].clear()
    async with running(world, by("loss", generation=2), PROMPT):
        await until(lambda: state(world) == "Finished")
    assert world.statuses[KEY]["best"]["objective"] == "7.0"


async def test_an_objective_that_changes_while_nobody_looks_is_what_the_trials_are_judged_by():
    world = MemoryWorld(lambda _: Script(curves=BOTH))
    await finished(world, by("validation_error"), PROMPT)
    world.calls.clear()
    await finished(world, by("validation_error"), PROMPT)
    assert "write_trial" not in world.calls
    async with running(world, by("loss", generation=2), PROMPT):
        await until(lambda: world.statuses[KEY]["best"]["objective"] == "7.0")
        await until(lambda: "write_trial" in world.calls)
    [trial] = trials(world)
    assert trial.status.objective is not None and trial.status.objective.value == 7.0
    assert trial.status.curves == BOTH


async def test_an_objective_that_changes_while_metrics_are_asked_for_is_what_the_trial_is_ranked_by(monkeypatch):
    world, asked, answered = MemoryWorld(lambda _: Script(curves=BOTH)), asyncio.Event(), asyncio.Event()
    curves = MemoryMetrics.curves

    async def slow(self, request):
        asked.set()
        await answered.wait()
        return await curves(self, request)

    monkeypatch.setattr(MemoryMetrics, "curves", slow)
    async with running(world, by("validation_error"), PROMPT) as controller:
        await until(asked.is_set)
        controller.study_changed(by("loss", generation=2))
        answered.set()
        await until(lambda: state(world) == "Finished")
    assert world.statuses[KEY]["best"]["objective"] == "7.0"


async def test_a_trial_made_anew_while_its_collection_waited_for_its_turn_is_not_taken_for_ended(monkeypatch):
    world, answered = MemoryWorld(lambda _: RECORDED), asyncio.Event()
    curves = MemoryMetrics.curves

    async def slow(self, request):
        await answered.wait()
        return await curves(self, request)

    monkeypatch.setattr(MemoryMetrics, "curves", slow)
    study = manifest(budget={"trials": 2, "parallelism": 2})
    async with running(world, study, replace(PROMPT, concurrent_collections=1)) as controller:
        known = controller._states[KEY]
        await until(lambda: len(known.collecting) == 2 and len(known.awaited) == 1)
        await asyncio.sleep(0.05)
        [waits] = set(known.collecting) - set(known.awaited)
        world.trainer = lambda _: Script(running=60.0)
        world.runs[KEY].pop(waits)
        del world.trials[REF][waits]
        controller.resync()
        await until(lambda: waits in known.runs and known.runs[waits].phase == "Running")
        answered.set()
        await until(lambda: not controller._tasks)
        assert waits not in known.awaited


async def test_curves_that_were_persisted_outlast_the_run_that_they_came_from():
    half = {"validation_error": Curve((1,), (1.0,))}
    world = MemoryWorld(lambda _: replace(RECORDED, curves=half))
    async with running(world, ONE, PROMPT):
        await until(lambda: [trial.status.curves for trial in trials(world)] == [half])
        assert trials(world)[0].status.state is TrialState.AWAITING_METRICS
    world.runs[KEY].clear()
    async with running(world, ONE, PROMPT):
        await until(lambda: state(world) == "Finished")
    [trial] = trials(world)
    assert (trial.status.state, trial.status.curves) == (TrialState.SUCCEEDED, half)
    assert trial.status.source is Source.TERMINATION_RECORD


@pytest.mark.parametrize("crash", [False, True])
async def test_the_run_of_a_trial_that_was_given_up_is_kept_as_long_as_any_other(crash):
    world = MemoryWorld(lambda _: Script(end=RunEnd(None, "Evicted", "no room", disrupted=True)))
    settings = replace(PROMPT, infrastructure_retries=0)
    async with running(world, ONE, settings) as controller:
        await until(lambda: state(world) == "Finished")
        if not crash:
            controller.resync()
            await until(lambda: "runs" in world.calls)
            await idle(controller)
    if crash:
        async with running(world, ONE, settings) as controller:
            await until(lambda: "runs" in world.calls)
            await idle(controller)
    assert 0 in world.runs[KEY]
    async with running(world, ONE, settings, ahead=timedelta(seconds=settings.retention)):
        await until(lambda: 0 not in world.runs[KEY])
    assert world.calls.count("stop") == 0
