"""Jobs without a pod, looked into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from study_operator.backends.kubernetes.client import Client
from study_operator.backends.kubernetes.missing_pods import PATIENCE, RECHECK, MissingPods

from tests.kubernetes.objects import failed, job
from tests.kubernetes.test_observer import observer


class Empty:
    """An API server with neither pods nor events."""

    async def pages(self, path: str, **_: object) -> AsyncIterator[list[dict[str, Any]]]:
        yield []


async def test_a_job_that_fails_without_a_pod_has_ended_soon_though_it_was_looked_into_just_before() -> None:
    runs, told = observer()
    missing = MissingPods(cast("Client", Empty()), runs)
    runs.job_changed(job())
    await missing.look(0)
    await missing.look(PATIENCE)
    runs.job_changed(failed("DeadlineExceeded"))
    for second in range(1, int(RECHECK) - 1):
        await missing.look(PATIENCE + second)
    end = told.runs[-1].end
    assert end is not None and end.reason == "DeadlineExceeded"
