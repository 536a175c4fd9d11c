"""A plan that the playbook denies does not start, unless its user insists."""

from study_operator.backends.memory import MemoryWorld, Script

from tests.controller.world import KEY, condition, good, manifest, running, state, trials, until

TUNED_STEPS = [
    {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}},
    {"name": "steps", "role": "Nuisance", "range": {"min": 1, "max": 9, "integer": True}},
]


async def test_a_denied_plan_stalls_with_the_rule_and_the_way_out() -> None:
    world = MemoryWorld(good)
    async with running(world, manifest(hyperparameters=TUNED_STEPS)):
        await until(lambda: state(world) == "Stalled")
        stalled = condition(world, "Stalled")
    assert stalled["reason"] == "LintDenied"
    assert "spec.hyperparameters[1].role: steps is tuned" in stalled["message"]
    assert "add to spec.waivers the rule tuned-steps" in stalled["message"]
    assert trials(world) == []
    told = [(finding["rule"], finding["severity"]) for finding in world.statuses[KEY]["findings"]]
    assert told[0] == ("tuned-steps", "Denial")


async def test_what_is_unwise_is_told_before_any_trial_has_ended() -> None:
    world = MemoryWorld(lambda trial: Script(running=60.0))
    async with running(world, manifest()):
        await until(lambda: bool(world.statuses.get(KEY, {}).get("findings")))
        finding, *remarks = world.statuses[KEY]["findings"]
    assert finding["rule"] == "conditional-hyperparameters"
    assert finding["subject"]["field"] == "spec.hyperparameters[1].when"
    assert [(remark["rule"], remark["severity"]) for remark in remarks] == [("decision", "Info")]


async def test_a_waived_plan_runs() -> None:
    world = MemoryWorld(good)
    waivers = [{"rule": "tuned-steps", "reason": "Its cost is the question."}]
    async with running(world, manifest(hyperparameters=TUNED_STEPS, waivers=waivers)):
        await until(lambda: state(world) == "Finished")
