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
from study_operator.backends.port import StudyRef
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


async def created() -> Status:
    return {"observedGeneration": -1}


async def run() -> Status:
    return await _after(lambda spec: Script(running=60.0), "Running")


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
        controller.study_refused(ref, 1, (Problem("spec.budget.trials", "must be a number"),))
        await until(lambda: any(c["type"] == "Stalled" and c["status"] == "True" for c in _conditions(world)))
        return dict(world.statuses[KEY])


async def changed() -> Status:
    """Finished, and then the manifest was changed: the operator has not looked yet."""
    return {**await finished(), "observedGeneration": 0}


def _conditions(world: MemoryWorld) -> list[dict[str, Any]]:
    found: Any = world.statuses.get(KEY, {}).get("conditions", [])
    return list(found)


STATES: Mapping[Callable[[], Awaitable[Status]], tuple[str, str]] = {
    created: ("Progressing", "InProgress"),
    changed: ("Progressing", "InProgress"),
    run: ("Healthy", "Current"),
    suspended: ("Suspended", "Current"),
    finished: ("Healthy", "Current"),
    finished_without_result: ("Healthy", "Current"),
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


@pytest.mark.parametrize("status", STATES, ids=lambda status: status.__name__)
async def test_a_study_has_the_health_of_its_state(status: Callable[[], Awaitable[Status]]) -> None:
    study = {"metadata": {"name": "digits", "generation": 1}, "status": await status()}
    assert (argo_cd(study)[0], flux(study)) == STATES[status]


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
