"""Jobs that get no pod, and why.

A pod that a quota, an admission webhook or a missing service account keeps from being created leaves no trace in its
Job's status: the Job controller only writes an Event. Watching all Events would cost more than everything else
together, so they are asked for where a Job has been without a pod for some seconds, and seldom again.
"""

from __future__ import annotations

import re

from study_operator.backends.kubernetes.client import EVENTS, PODS, Client, Json
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.backends.kubernetes.projections import JOB_UID_LABEL, JobView
from study_operator.backends.port import Trouble

PATIENCE = 3.0
"""Seconds that a Job may be without a pod before it is looked into."""

RECHECK = 30.0
"""Seconds between two looks at the same Job."""

_AT_ONCE = 8
"""Jobs looked into in one round; a full quota makes many of them with the same cause."""

_GENERATED = re.compile(r'(pods? ")([^"]*?)-[a-z0-9]{5}(")')
"""The generated end of a pod's name: the Job controller makes up another one with every try."""


class MissingPods:
    """Looks into the Jobs that ``observer`` finds unclear. Times are monotonic, in seconds."""

    def __init__(self, client: Client, observer: RunObserver) -> None:
        self._client = client
        self._observer = observer
        self._due: dict[JobView, float] = {}
        """When each is looked into next; one that has changed is another question."""

    async def look(self, now: float) -> None:
        """One round, to be made every second or so. Raises the port's exceptions."""
        unclear = self._observer.unclear()
        self._due = {job: self._due.get(job, now + PATIENCE) for job in unclear}
        for job in [job for job in unclear if self._due[job] <= now][:_AT_ONCE]:
            self._due[job] = now + RECHECK
            await self._look_into(job)

    async def _look_into(self, job: JobView) -> None:
        namespace = job.study.namespace
        selector = f"{JOB_UID_LABEL}={job.uid}"
        pods = [pod async for page in self._client.pages(PODS.path(namespace), label_selector=selector) for pod in page]
        trouble = await self._failed_create(job) if not pods and job.outcome is None else None
        self._observer.looked_up(job, pods, trouble)

    async def _failed_create(self, job: JobView) -> Trouble | None:
        selector = f"involvedObject.uid={job.uid},reason=FailedCreate"
        path = EVENTS.path(job.study.namespace)
        events = [event async for page in self._client.pages(path, field_selector=selector) for event in page]
        if not events:
            return None
        newest = max(events, key=_time)
        return Trouble("FailedCreate", _GENERATED.sub(r"\1\2\3", newest.get("message") or "the Job gets no pod"))


def _time(event: Json) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
