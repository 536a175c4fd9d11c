"""What Argo CD and Flux make of a Study, over the statuses that the controller itself writes.

Argo CD's Lua is run by Lua 5.1, the version that its own interpreter implements, and Flux' CEL by a CEL interpreter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import cel
import lupa.lua51
import pytest
import yaml
from study_operator.backends.memory import MemoryWorld, Script
from study_operator.backends.port import Exhausted, Refused, StudyRef, Unavailable
from study_operator.results.taxonomy import RunEnd
from study_operator.space import Problem

from tests.chart.chart import ROOT
from tests.controller.world import KEY, good, manifest, running, state, until

Status = Mapping[str, Any]

ARGO_CD = yaml.safe_load((ROOT / "gitops" / "argocd" / "argocd-cm.yaml").read_text())
FLUX = yaml.safe_load((ROOT / "gitops" / "flux" / "experiments.yaml").read_text())


async def _after(trainer: Callable[[Any], Script], wanted: str, **spec: Any) -> Status:
    """The study's status in the state ``wanted``."""
    world = MemoryWorld(trainer)
    async with running(world, manifest(**spec)):
        await until(lambda: state(world) == wanted)
        return dict(world.statuses[KEY])


async def _while(operation: str, fault: Exception, condition: str, said: str) -> Status:
    """The study's status once a condition's message says why the operation fails."""

    def refuse(asked: str) -> None:
        if asked == operation:
            raise fault

    world = MemoryWorld(good, fault=refuse)
    async with running(world, manifest()):
        await until(lambda: any(c["type"] == condition and said in c.get("message", "") for c in _conditions(world)))
        return dict(world.statuses[KEY])


async def untouched() -> Status:
    """As a tool sees it that has taken the status away, or of definitions without a default for it."""
    return {}


async def created() -> Status:
    """As the API server creates it."""
    return {"observedGeneration": -1}


async def being_accepted() -> Status:
    return await _while("check_template", Unavailable("the API server is away"), "Ready", "is away")


async def refused() -> Status:
    return await _while("check_template", Refused("hostPath volumes are not allowed"), "Stalled", "hostPath")


async def waiting_for_a_quota() -> Status:
    return await _while("start", Exhausted("exceeded quota: gpus"), "Ready", "exceeded quota")


async def run() -> Status:
    return await _after(lambda spec: Script(running=60.0), "Running")


async def draining() -> Status:
    """Suspended, while trials still run."""
    world = MemoryWorld(lambda spec: Script(running=60.0))
    async with running(world, manifest()) as controller:
        await until(lambda: state(world) == "Running")
        controller.study_changed(manifest(generation=2, suspend=True))
        await until(lambda: world.statuses[KEY]["observedGeneration"] == 2)
        return {**world.statuses[KEY], "observedGeneration": 1}


async def suspended() -> Status:
    return await _after(good, "Suspended", suspend=True)


async def finished() -> Status:
    return await _after(good, "Finished")


async def finished_without_result() -> Status:
    return await _after(lambda spec: Script(end=RunEnd(65)), "Finished")


async def failing() -> Status:
    return await _after(lambda spec: Script(end=RunEnd(1, "Error", "no such file")), "Stalled")


async def unreadable() -> Status:
    world = MemoryWorld(good)
    async with running(world) as controller:
        ref = StudyRef(KEY, "uid-1")
        controller.study_refused(ref, 1, (Problem("spec.budget.trials", "must be a number"),), {})
        await until(lambda: any(c["type"] == "Stalled" and c["status"] == "True" for c in _conditions(world)))
        return dict(world.statuses[KEY])


async def changed() -> Status:
    """Finished, and then the manifest was changed: the operator has not looked yet."""
    return {**await finished(), "observedGeneration": 0}


async def mended() -> Status:
    """Stalled, and then a person mended the manifest: the operator has not looked yet."""
    return {**await failing(), "observedGeneration": 0}


def _conditions(world: MemoryWorld) -> list[dict[str, Any]]:
    found: Any = world.statuses.get(KEY, {}).get("conditions", [])
    return list(found)


STATES: Mapping[Callable[[], Awaitable[Status]], tuple[str, str]] = {
    untouched: ("Progressing", "InProgress"),
    created: ("Progressing", "InProgress"),
    changed: ("Progressing", "InProgress"),
    mended: ("Progressing", "InProgress"),
    being_accepted: ("Progressing", "InProgress"),
    run: ("Healthy", "Current"),
    waiting_for_a_quota: ("Healthy", "Current"),
    draining: ("Healthy", "Current"),
    suspended: ("Suspended", "Current"),
    finished: ("Healthy", "Current"),
    finished_without_result: ("Healthy", "Current"),
    refused: ("Degraded", "Failed"),
    failing: ("Degraded", "Failed"),
    unreadable: ("Degraded", "Failed"),
}


def argo_cd(study: Mapping[str, Any]) -> tuple[str, str]:
    """Health and message; the script sees the object as ``obj``, as Argo CD gives it."""
    script = ARGO_CD["data"]["resource.customizations.health.tuning.study_Study"]
    lua = lupa.lua51.LuaRuntime()
    lua.globals()["obj"] = lua.table_from(study, recursive=True)
    health = lua.execute(script)
    return health["status"], health["message"]


def flux(study: Mapping[str, Any]) -> str:
    """The status, by the expressions in the order in which Flux evaluates them."""
    [checks] = FLUX["spec"]["healthCheckExprs"]
    for name, status in (("inProgress", "InProgress"), ("failed", "Failed"), ("current", "Current")):
        if cel.evaluate(checks[name], dict(study)):
            return status
    return "InProgress"


def kstatus(study: Mapping[str, Any]) -> str:
    """What Flux' own library makes of any resource, by cli-utils' pkg/kstatus/status/generic.go, in its order."""
    status = study["status"]
    if status.get("observedGeneration", study["metadata"]["generation"]) != study["metadata"]["generation"]:
        return "InProgress"
    known = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    if known.get("Reconciling") == "True":
        return "InProgress"
    if known.get("Stalled") == "True":
        return "Failed"
    # After these, the library's Ready heuristics: a condition Ready that is not True is in progress.
    return "InProgress" if known.get("Ready", "True") != "True" else "Current"


@pytest.mark.parametrize("status", STATES, ids=lambda status: status.__name__)
async def test_a_study_has_the_health_of_its_state(status: Callable[[], Awaitable[Status]]) -> None:
    study = {"metadata": {"name": "digits", "generation": 1}, "status": await status()}
    assert (argo_cd(study)[0], flux(study)) == STATES[status]
    assert status is untouched or kstatus(study) == STATES[status][1]


def test_argo_cd_knows_a_study_that_has_no_status_at_all() -> None:
    assert argo_cd({"metadata": {"name": "digits", "generation": 1}}) == ("Progressing", "Waiting for the operator")


async def test_argo_cd_shows_what_is_wrong() -> None:
    study = {"metadata": {"generation": 1}, "status": await failing()}
    assert "no such file" in argo_cd(study)[1]


async def test_the_other_expression_of_flux_waits_for_the_end() -> None:
    [line] = [
        line
        for line in (ROOT / "gitops" / "flux" / "experiments.yaml").read_text().splitlines()
        if "# current:" in line
    ]
    expression = line.partition("# current: ")[2]
    for status, over in ((await run(), False), (await finished(), True)):
        assert cel.evaluate(expression, {"metadata": {"generation": 1}, "status": dict(status)}) is over
