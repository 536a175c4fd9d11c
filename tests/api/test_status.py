"""What the controller writes is what the definition describes."""

import json
from datetime import UTC, datetime

import pytest
from study_operator.api.status import StudyStatus
from study_operator.backends.memory import MemoryWorld
from study_operator.controller.status import refused_status
from study_operator.space import Problem

from tests.controller.world import KEY, good, manifest, running, state, until


@pytest.mark.parametrize(
    ("ends_as", "spec"),
    [
        ("Finished", {}),
        ("Finished", {"confirmation": {"top": 2, "reruns": 2}}),
        ("Suspended", {"suspend": True}),
        ("Stalled", {"budget": {"trials": 1}}),
    ],
)
async def test_the_status_of_a_study_is_in_the_schema(ends_as: str, spec: dict[str, object]) -> None:
    world = MemoryWorld(good)
    async with running(world, manifest(**spec)):
        await until(lambda: state(world) == ends_as)
    StudyStatus.model_validate_json(json.dumps(world.statuses[KEY]))


def test_the_status_of_a_manifest_that_cannot_be_read_is_in_the_schema() -> None:
    status = refused_status(1, [Problem("spec.goal", "is missing")], {}, datetime(2026, 1, 1, tzinfo=UTC))
    StudyStatus.model_validate_json(json.dumps(status))
