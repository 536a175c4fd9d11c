"""What a person changes of a study while it runs."""

import pytest
from study_operator.api import Study
from study_operator.backends.memory import MemoryWorld, Script
from study_operator.backends.port import (
    Exhausted,
)
from study_operator.controller import Controller
from study_operator.results.trial import TrialState

from tests.controller.world import KEY, condition, good, manifest, running, state, trials, until


async def test_a_larger_budget_continues_the_same_list(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        before = trials(world)
        controller.study_changed(manifest(generation=2, budget={"trials": 12, "parallelism": 2}))
        await until(lambda: len(trials(world)) == 12 and state(world) == "Finished")
    assert trials(world)[:8] == before


async def test_a_smaller_budget_lets_the_running_trials_finish(world):
    world.trainer = lambda spec: Script(running=0.05, curves=good(spec).curves)
    async with running(world, manifest(budget={"trials": 8, "parallelism": 3})) as controller:
        await until(lambda: len(world.runs.get(KEY, {})) == 3)
        controller.study_changed(manifest(generation=2, budget={"trials": 2, "parallelism": 3}))
        await until(lambda: state(world) == "Finished")
    assert [trial.status.state for trial in trials(world)] == [TrialState.SUCCEEDED] * 3


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


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("spec.budget.trials", {"budget": {"trials": 1, "parallelism": 2}}),
        ("spec.confirmation.baseline", {"confirmation": {"top": 2, "reruns": 2, "baseline": {"optimizer": "lion"}}}),
    ],
)
async def test_a_change_that_makes_no_sense_is_told_before_and_after_a_restart(world, field, changed):
    async with running(world) as controller:
        await until(lambda: len(world.runs.get(KEY, {})) >= 2)
        controller.study_changed(manifest(generation=2, **changed))
        await until(lambda: state(world) == "Stalled")
        told = condition(world, "Stalled")
        assert told["reason"] == "InvalidSpec"
        assert field in told["message"]
        await until(lambda: all(trial.status.state.final for trial in trials(world) if trial.status.run))
    async with running(world, manifest(generation=2, **changed)) as controller:
        await until(lambda: not controller._tasks and not len(controller._queue))
        assert condition(world, "Stalled") == told
        controller.study_changed(manifest(generation=3))
        await until(lambda: state(world) == "Finished")
