"""A small study and a controller on a world in memory."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from study_operator.api import Study, parse_study
from study_operator.backends.memory import MemoryBackend, MemoryMetrics, MemoryWorld, Script
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.controller import Controller, ControllerSettings
from study_operator.controller.telemetry import Telemetry
from study_operator.results.trial import Curve, Trial, TrialSpec

KEY = StudyKey("default", "digits")
REF = StudyRef(KEY, "uid-1")


def manifest(generation: int = 1, uid: str = "uid-1", **spec: Any) -> Study:
    """A study of two arms with one learning rate; ``spec`` replaces parts of it."""
    return parse_study(
        {
            "apiVersion": "tuning.study/v1alpha1",
            "kind": "Study",
            "metadata": {"name": "digits", "namespace": "default", "uid": uid, "generation": generation},
            "spec": {
                "goal": "Does the controller do what it promises?",
                "objective": {"metric": "validation_error", "direction": "Minimize"},
                "hyperparameters": [
                    {"name": "optimizer", "role": "Scientific", "choices": ["sgd", "adam"]},
                    {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}},
                ],
                "budget": {"trials": 8, "parallelism": 2},
                "trialTemplate": {
                    "spec": {"template": {"spec": {"containers": [{"name": "trainer", "image": "trainer:1"}]}}}
                },
                **spec,
            },
        }
    )


def good(trial: TrialSpec) -> Script:
    """A training that ends well; its error is its learning rate."""
    error = float(trial.parameters["learning_rate"])
    return Script(curves={"validation_error": Curve((1, 2), (1.0, error)), "loss": Curve((1, 2), (3.0, 2.0))})


@contextlib.asynccontextmanager
async def running(
    world: MemoryWorld,
    study: Study | None = None,
    settings: ControllerSettings | None = None,
    ahead: timedelta = timedelta(),
    telemetry: Telemetry | None = None,
    now: Callable[[], datetime] | None = None,
) -> AsyncIterator[Controller]:
    """A controller at work on ``world``, its clock ``ahead`` of the world's; leaving it is a crash."""
    settings = settings or ControllerSettings(status_interval=0.0, trial_state_delay=60.0)
    controller: Controller
    backend = MemoryBackend(world, lambda: controller)
    controller = Controller(
        backend,
        MemoryMetrics(world),
        settings,
        now=now or (lambda: datetime.now(UTC) + ahead),
        telemetry=telemetry,
        randomness=random.Random(0),
    )
    task = asyncio.create_task(controller.run())
    try:
        controller.study_changed((study or manifest()).model_copy(update={"status": world.statuses.get(KEY)}))
        yield controller
    finally:
        task.cancel()
        await asyncio.gather(task, backend.close(), return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for ``condition``; a test that waits in vain fails."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the world has no event to wait for
            await asyncio.sleep(0.002)


def state(world: MemoryWorld) -> str:
    return str(world.statuses.get(KEY, {}).get("state", ""))


def trials(world: MemoryWorld) -> list[Trial]:
    kept = world.trials.get(REF, {})
    return [kept[index] for index in sorted(kept)]


def condition(world: MemoryWorld, kind: str, key: StudyKey = KEY) -> dict[str, Any]:
    conditions: Any = world.statuses[key]["conditions"]
    return next(condition for condition in conditions if condition["type"] == kind)


def record(spec: TrialSpec) -> str:
    """What a good training leaves in its termination message."""
    curve = good(spec).curves["validation_error"]
    last = [curve.steps[-1], curve.values[-1]]
    return json.dumps({"metrics": {"validation_error": {"count": 2, "final": last, "minimum": last}}})


async def finished(world: MemoryWorld, study: Any = None, settings: ControllerSettings | None = None) -> Any:
    async with running(world, study, settings):
        await until(lambda: state(world) == "Finished")
    return world.statuses[KEY]
