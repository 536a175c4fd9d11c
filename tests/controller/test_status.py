"""The study's status: what it says, and that it says it in the same bytes each time."""

import asyncio
import json
from collections.abc import Mapping

from study_operator.api.status import StudyStatus
from study_operator.backends.memory import Script
from study_operator.backends.port import Exhausted, Gone, Severity, StudyKey, StudyRef, Unavailable
from study_operator.controller.announcements import announcements
from study_operator.controller.telemetry import NoTelemetry
from study_operator.results.taxonomy import RunEnd
from study_operator.space import Problem

from tests.controller.world import KEY, REF, condition, good, manifest, running, state, until


async def test_every_status_has_the_form_of_the_resource(world):
    seen = []
    world.fault = lambda operation: seen.append(world.statuses.get(KEY)) if operation == "write_study" else None
    async with running(world):
        await until(lambda: state(world) == "Finished")
    for status in [*filter(None, seen), world.statuses[KEY]]:
        assert StudyStatus.model_validate_json(json.dumps(status))
    assert len(seen) >= 3


async def test_two_controllers_over_the_same_trials_write_the_same_ranking(world):
    async with running(world):
        await until(lambda: state(world) == "Finished")
    first = json.dumps(world.statuses[KEY])
    async with running(world, manifest().model_copy(update={"status": world.statuses[KEY]})) as controller:
        await until(lambda: controller._states[KEY].opened and not controller._tasks)
    assert world.statuses[KEY] == json.loads(first)


async def test_a_restart_takes_nothing_back_and_announces_nothing_again(world):
    async with running(world):
        await until(lambda: state(world) == "Finished")
    told, announced = world.statuses[KEY], len(world.announcements)
    failures = iter([Unavailable("no answer")])

    def deaf(operation: str) -> None:
        if operation == "trials" and (error := next(failures, None)):
            raise error

    written = []
    world.fault = lambda operation: deaf(operation) or written.append(world.statuses[KEY])
    async with running(world, manifest().model_copy(update={"status": told})) as controller:
        await until(lambda: controller._states[KEY].opened and not controller._tasks)
    assert "no answer" in str(written)
    assert all(status | {"conditions": told["conditions"]} == told for status in written)
    assert world.statuses[KEY]["ranking"] == told["ranking"]
    assert condition(world, "Finished") in told["conditions"]
    assert len(world.announcements) == announced


async def test_a_study_that_makes_no_sense_is_stalled_with_the_field(world):
    learning_rate = {"name": "lr", "role": "Nuisance", "when": {"optimiser": ["adam"]}, "range": {"min": 0.1, "max": 1}}
    async with running(world, manifest(hyperparameters=[learning_rate])):
        await until(lambda: state(world) == "Stalled")
    assert condition(world, "Stalled")["reason"] == "InvalidSpec"
    assert "spec.hyperparameters[0].when" in condition(world, "Stalled")["message"]
    assert "create_trial" not in world.calls


async def test_a_mended_study_goes_on_by_itself(world):
    nothing_to_tune = [{"name": "optimizer", "role": "Scientific", "choices": ["sgd", "adam"]}]
    async with running(world, manifest(hyperparameters=nothing_to_tune)) as controller:
        await until(lambda: state(world) == "Stalled")
        controller.study_changed(manifest(generation=2))
        await until(lambda: state(world) == "Finished")


async def test_a_used_up_quota_is_told_and_is_no_stall(world):
    def quota(operation: str) -> None:
        if operation == "start":
            raise Exhausted("exceeded quota: gpus")

    world.fault = quota
    async with running(world):
        await until(lambda: "exceeded quota" in str(world.statuses.get(KEY)))
    assert condition(world, "Stalled")["status"] == "False"
    assert "exceeded quota: gpus" in condition(world, "Ready")["message"]


async def test_a_manifest_that_cannot_be_read_is_told(world):
    other = StudyKey("default", "other")
    async with running(world) as controller:
        for key in (KEY, other):
            controller.study_refused(StudyRef(key, "uid-1"), 3, [Problem("spec.budget", "is missing")], {})
        for key in (KEY, other):
            await until(lambda key=key: "spec.budget is missing" in str(world.statuses.get(key)))
            assert condition(world, "Stalled", key)["reason"] == "InvalidSpec"
            assert condition(world, "Stalled", key)["observedGeneration"] == 3
            assert world.statuses[key]["observedGeneration"] == 3


async def test_a_manifest_that_cannot_be_read_after_a_restart_takes_nothing_back(world):
    async with running(world):
        await until(lambda: state(world) == "Finished")
    told = world.statuses.pop(KEY)
    async with running(world) as controller:
        controller.study_gone(KEY)
        controller.study_refused(REF, 2, [Problem("spec.budget", "is missing")], told)
        await until(lambda: state(world) == "Stalled")
    refused = world.statuses[KEY]
    changed = {"state", "observedGeneration", "conditions"}
    assert {name: refused[name] for name in told.keys() - changed} == {
        name: told[name] for name in told.keys() - changed
    }
    assert condition(world, "Finished") in told["conditions"]
    assert condition(world, "Stalled")["status"] == "True"
    assert StudyStatus.model_validate_json(json.dumps(refused))


async def test_a_refusal_is_told_as_soon_as_it_can_be_and_not_after_the_mended_manifest(world, monkeypatch):
    monkeypatch.setattr("study_operator.controller.controller.REFUSED_DELAY", 0.05)
    away = True

    def fault(operation: str) -> None:
        if operation == "write_study" and away:
            raise Unavailable("down")

    world.fault = fault
    other, mended = (StudyRef(StudyKey("default", name), "uid-1") for name in ("other", "digits"))
    async with running(world) as controller:
        controller.study_gone(KEY)
        for ref in (other, mended):
            controller.study_refused(ref, 1, [Problem("spec.budget", "is missing")], {})
        await until(lambda: world.calls.count("write_study") >= 2)
        controller.study_changed(manifest(generation=2))
        away = False
        await until(lambda: other.key in world.statuses)
        assert condition(world, "Stalled", other.key)["reason"] == "InvalidSpec"
        await until(lambda: state(world) == "Finished")
        await asyncio.sleep(0.1)
    assert state(world) == "Finished"


class Shown(NoTelemetry):
    """The state that is shown of each study."""

    def __init__(self) -> None:
        self.states: dict[StudyKey, object] = {}

    def study_status(self, study: StudyKey, status: Mapping[str, object]) -> None:
        self.states[study] = status.get("state")

    def study_forgotten(self, study: StudyKey) -> None:
        self.states.pop(study, None)


async def test_a_study_that_is_as_it_was_told_before_a_restart_is_shown(world):
    async with running(world):
        await until(lambda: state(world) == "Finished")
    shown = Shown()
    async with running(world, telemetry=shown):
        await until(lambda: shown.states == {KEY: "Finished"})


async def test_a_study_that_cannot_be_read_is_shown_until_it_goes(world):
    shown = Shown()
    async with running(world, telemetry=shown) as controller:
        controller.study_gone(KEY)
        controller.study_refused(REF, 1, [Problem("spec.budget", "is missing")], {})
        await until(lambda: shown.states == {KEY: "Stalled"})
        controller.study_gone(KEY)
        assert not shown.states


async def test_a_study_that_goes_while_its_status_is_written_is_not_shown_again(world):
    shown = Shown()
    async with running(world, telemetry=shown) as controller:
        world.fault = lambda operation: controller.study_gone(KEY) if operation == "write_study" else None
        await until(lambda: "write_study" in world.calls and not controller._tasks)
    assert not shown.states


async def test_a_study_that_is_found_to_be_gone_starts_nothing_more(world):
    def gone(operation: str) -> None:
        if operation == "write_study":
            raise Gone("studies digits not found")

    world.fault, shown = gone, Shown()
    async with running(world, telemetry=shown) as controller:
        await until(lambda: not controller._states and not controller._tasks)
        begun = len(world.calls)
        for run in list(world.runs.get(KEY, {}).values()):
            controller.run_changed(run)
        await asyncio.sleep(0.05)
    assert len(world.calls) == begun
    assert not shown.states


async def test_a_condition_keeps_its_time_while_its_status_stays(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        before = condition(world, "Ready")["lastTransitionTime"]
        controller.study_changed(manifest(generation=2, notes="changed"))
        await until(lambda: world.statuses[KEY]["observedGeneration"] == 2)
    assert condition(world, "Ready")["lastTransitionTime"] == before


async def test_the_turns_of_a_study_are_announced_once(world):
    async with running(world) as controller:
        await until(lambda: state(world) == "Finished")
        controller.study_changed(manifest(generation=2, budget={"trials": 10, "parallelism": 2}))
        await until(lambda: world.statuses[KEY].get("progress") == "10/10" and state(world) == "Finished")
        await until(lambda: not controller._tasks)
    reasons = [announcement.reason for announcement in world.announcements]
    assert reasons == ["Accepted", "Finished", "BudgetChanged", "Finished"]
    assert world.statuses[KEY]["best"]["trial"] in world.announcements[-1].message


async def test_a_failed_trial_is_announced_with_its_reason(world):
    world.trainer = lambda spec: Script(end=RunEnd(1, "Error", "no data")) if spec.index == 5 else good(spec)
    async with running(world):
        await until(lambda: state(world) == "Finished")
    (failure,) = [turn for turn in world.announcements if turn.severity is Severity.WARNING]
    assert failure.reason == "TrialFailed"
    assert "digits-5" in failure.message and "no data" in failure.message


def test_nothing_happened_between_equal_statuses():
    status = {"conditions": [], "trials": {"planned": 1}, "arms": []}
    assert announcements(status, status) == []


async def test_a_status_that_could_not_be_written_is_written_later(world):
    failures = iter([Unavailable("down")] * 2)

    def flaky(operation: str) -> None:
        if operation == "write_study" and (error := next(failures, None)):
            raise error

    world.fault = flaky
    async with running(world):
        await until(lambda: state(world) == "Finished")
