"""Confirmation: the best of the search and the baseline, on fresh seeds, whatever happens meanwhile."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from study_operator.api import Study
from study_operator.backends.memory import MemoryWorld, Script
from study_operator.backends.port import StudyKey
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import FIRST_CONFIRMATION, Curve, Purpose, Trial, TrialSpec, TrialState

from tests.controller.world import KEY, REF, condition, manifest, running, state, trials, until

ERROR = {"metric": "validation_error", "direction": "Minimize"}
BASELINE = {"optimizer": "sgd", "learning_rate": 0.5}


def confirming(
    generation: int = 1, trials: int = 8, objective: Mapping[str, str] = ERROR, **confirmation: Any
) -> Study:
    return manifest(
        generation,
        budget={"trials": trials, "parallelism": 2},
        objective=objective,
        confirmation={"top": 3, "reruns": 2, **confirmation},
    )


def noisy(trial: TrialSpec) -> Script:
    """A training whose error is its learning rate, and some luck of its seed."""
    error = float(trial.parameters["learning_rate"]) + random.Random(trial.seed).gauss(0, 0.001)
    return Script(curves={"validation_error": Curve((1, 2), (1.0, error)), "loss": Curve((1, 2), (3.0, 2.0))})


def kept(world: MemoryWorld, purpose: Purpose) -> list[Trial]:
    return [trial for trial in trials(world) if trial.spec.purpose is purpose]


def conclusion(world: MemoryWorld) -> Any:
    return world.statuses[KEY].get("conclusion", {})


def objective(trial: Trial) -> float:
    assert trial.status.objective is not None
    return trial.status.objective.value


def expected_top(world: MemoryWorld) -> list[int]:
    """The best of each arm, best first, and then the best of the rest."""
    ranked = sorted(kept(world, Purpose.SEARCH), key=objective)
    bests = [next(trial for trial in ranked if trial.spec.arm == arm) for arm in (0, 1)]
    rest = next(trial for trial in ranked if trial not in bests)
    return [trial.spec.index for trial in [*sorted(bests, key=objective), rest]]


def confirmed(world: MemoryWorld) -> list[int | None]:
    return [trial.spec.rerun_of for trial in kept(world, Purpose.CONFIRMATION)]


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld(noisy)


async def test_the_best_and_the_baseline_are_run_again_on_fresh_seeds(world: MemoryWorld) -> None:
    async with running(world, confirming(baseline=BASELINE)):
        await until(lambda: state(world) == "Finished")
    assert confirmed(world) == expected_top(world) * 2
    assert [trial.spec.name for trial in kept(world, Purpose.BASELINE)] == ["digits-confirm-3", "digits-confirm-7"]
    assert all(trial.spec.parameters == BASELINE for trial in kept(world, Purpose.BASELINE))
    by_index = {trial.spec.index: trial.spec for trial in trials(world)}
    for trial in kept(world, Purpose.CONFIRMATION):
        assert trial.spec.rerun_of is not None
        assert trial.spec.parameters == by_index[trial.spec.rerun_of].parameters
    assert len({trial.spec.seed for trial in trials(world)}) == 16
    assert all(trial.status.state is TrialState.SUCCEEDED for trial in trials(world))


async def test_the_number_is_told_before_the_first_trial(world: MemoryWorld) -> None:
    async with running(world, confirming(baseline=BASELINE)):
        await until(lambda: bool(world.announcements))
        assert "then 8 reruns" in world.announcements[0].message
        counts: Any = world.statuses[KEY]["trials"]
        assert counts["confirmation"]["planned"] == 8


async def test_reruns_are_no_part_of_the_search(world: MemoryWorld) -> None:
    async with running(world, confirming(baseline=BASELINE)):
        await until(lambda: state(world) == "Finished")
    status: Any = world.statuses[KEY]
    assert status["progress"] == "8/8 + 8/8"
    assert (status["trials"]["succeeded"], status["trials"]["confirmation"]["succeeded"]) == (8, 8)
    assert len(status["ranking"]) == 8
    assert not any("confirm" in ranked["trial"] for ranked in status["ranking"])


async def test_the_study_ends_with_a_conclusion(world: MemoryWorld) -> None:
    async with running(world, confirming(baseline=BASELINE, reruns=5)):
        await until(lambda: state(world) == "Finished")
    status: Any = world.statuses[KEY]
    assert status["conclusion"]["verdict"] == "Adopt"
    assert float(status["conclusion"]["effect"]) > 0.3
    assert float(status["conclusion"]["trialVariance"]) == pytest.approx(0.001, rel=0.6)
    assert [arm["interval"]["low"] < arm["interval"]["high"] for arm in status["arms"]] == [True, True]
    assert world.announcements[-1].reason == "Concluded"
    assert "Confirming" in [announcement.reason for announcement in world.announcements]


async def test_nothing_is_concluded_while_reruns_are_missing(world: MemoryWorld) -> None:
    told: set[tuple[object, bool]] = set()

    class Statuses(dict[StudyKey, Mapping[str, object]]):
        def __setitem__(self, key: StudyKey, status: Mapping[str, object]) -> None:
            told.add((status["state"], "conclusion" in status))
            super().__setitem__(key, status)

    world.statuses = Statuses()
    async with running(world, confirming()):
        await until(lambda: state(world) == "Finished")
    assert {("Confirming", False), ("Finished", True)} <= told
    assert {concluded for word, concluded in told if word != "Finished"} == {False}


@pytest.mark.parametrize("seed", range(6))
async def test_a_crash_changes_nothing(world: MemoryWorld, seed: int) -> None:
    undisturbed = MemoryWorld(noisy)
    async with running(undisturbed, confirming(baseline=BASELINE)):
        await until(lambda: state(undisturbed) == "Finished")
    randomness = random.Random(seed)
    while state(world) != "Finished":
        target = len(world.calls) + randomness.randrange(1, 25)
        async with running(world, confirming(baseline=BASELINE)):
            await until(lambda target=target: len(world.calls) >= target or state(world) == "Finished")
    assert [trial.spec for trial in trials(world)] == [trial.spec for trial in trials(undisturbed)]
    assert conclusion(world) == conclusion(undisturbed)
    starts = [run_id for runs in world.runs.values() for run_id in runs]
    assert len(starts) == len(set(starts)) == 16


async def test_a_rerun_that_was_deleted_is_made_again_as_it_was(world: MemoryWorld) -> None:
    async with running(world, confirming()) as controller:
        await until(lambda: state(world) == "Finished")
        before = [trial.spec for trial in trials(world)]
        for index in (FIRST_CONFIRMATION + 1, FIRST_CONFIRMATION + 4):
            del world.trials[REF][index]
            del world.runs[KEY][index]
        controller.resync()
        await until(lambda: len(trials(world)) == len(before) and state(world) == "Finished")
    assert [trial.spec for trial in trials(world)] == before


async def test_a_larger_budget_searches_on_and_leaves_the_reruns_as_they_are(world: MemoryWorld) -> None:
    async with running(world, confirming()) as controller:
        await until(lambda: state(world) == "Finished")
        before = confirmed(world)
        controller.study_changed(confirming(generation=2, trials=20))
        await until(lambda: world.statuses[KEY]["progress"] == "20/20 + 6/6" and state(world) == "Finished")
    assert confirmed(world) == before
    best = min(kept(world, Purpose.SEARCH), key=objective)
    told = any(f"{best.spec.name} has become the best" in caveat for caveat in conclusion(world)["caveats"])
    assert told == (best.spec.index not in before)


async def test_another_objective_afterwards_judges_the_same_reruns(world: MemoryWorld) -> None:
    async with running(world, confirming()) as controller:
        await until(lambda: state(world) == "Finished")
        before, effect = confirmed(world), conclusion(world)["effect"]
        other = {"metric": "validation_error", "direction": "Maximize"}
        controller.study_changed(confirming(generation=2, objective=other))
        await until(lambda: "effect" in conclusion(world) and conclusion(world)["effect"] != effect)
    assert confirmed(world) == before


async def test_confirmation_may_be_added_to_a_finished_study(world: MemoryWorld) -> None:
    async with running(world, manifest()) as controller:
        await until(lambda: state(world) == "Finished")
        assert "Add spec.confirmation" in conclusion(world)["statement"]
        controller.study_changed(confirming(generation=2, reruns=4))
        await until(lambda: world.statuses[KEY]["progress"] == "8/8 + 12/12" and state(world) == "Finished")
    assert conclusion(world)["verdict"] == "Inconclusive"  # the arms share their points, and do not differ


async def test_where_nothing_succeeded_there_is_nothing_to_confirm() -> None:
    world = MemoryWorld(lambda trial: Script(RunEnd(0), curves={"validation_error": Curve((1,), (float("nan"),))}))
    async with running(world, confirming(baseline=BASELINE)):
        await until(lambda: state(world) == "Finished")
    assert len(trials(world)) == 8
    assert condition(world, "Finished")["reason"] == "NoResult"


async def test_an_unstable_configuration_is_told_and_not_adopted() -> None:
    def sometimes(trial: TrialSpec) -> Script:
        if trial.index == FIRST_CONFIRMATION:
            return Script(RunEnd(0), curves={"validation_error": Curve((1,), (float("nan"),))})
        return noisy(trial)

    world = MemoryWorld(sometimes)
    async with running(world, confirming(baseline=BASELINE, reruns=4)):
        await until(lambda: state(world) == "Finished")
    name = f"digits-{expected_top(world)[0]}"
    assert any(caveat.startswith(f"{name} failed on 1 of 4 fresh seeds") for caveat in conclusion(world)["caveats"])
    assert f"({name})" not in conclusion(world)["statement"]


async def test_a_fault_of_the_analysis_holds_up_no_study(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a rule's")

    monkeypatch.setattr("study_operator.controller.actions.analyse", broken)
    async with running(world, manifest()):
        await until(lambda: state(world) == "Finished")
    assert "ZeroDivisionError" in conclusion(world)["statement"]


async def test_a_sampler_that_learns_learns_nothing_from_reruns() -> None:
    specs = []
    for first_budget in (4, 6):
        world = MemoryWorld(noisy)
        study = {"phase": "Exploitation", "confirmation": {"top": 2, "reruns": 2}}
        async with running(world, manifest(budget={"trials": first_budget}, **study)) as controller:
            await until(lambda: state(world) == "Finished")  # noqa: B023 - it is awaited here
            controller.study_changed(manifest(2, budget={"trials": 6}, **study))
            await until(lambda: str(world.statuses[KEY]["progress"]) == "6/6 + 4/4")  # noqa: B023
        specs.append([trial.spec for trial in kept(world, Purpose.SEARCH)])
    assert specs[0] == specs[1]
