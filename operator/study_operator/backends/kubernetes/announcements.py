"""A study's turns as Kubernetes Events.

Best effort, and bounded: a study in trouble must not flood the API server with its lament, so each study has a small
allowance that refills with time. Events of the core API are written because ``kubectl describe`` shows them on every
release.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from study_operator.api.names import API_VERSION
from study_operator.backends.kubernetes.client import Json
from study_operator.backends.port import Announcement, StudyRef

BURST = 10
"""Events that a study may write at once."""

REFILL = 6.0
"""Seconds until a study may write one more."""

_LONGEST_MESSAGE = 1024
"""The API server's limit for an Event's message."""


@dataclass(slots=True)
class _Allowance:
    events: float
    refilled: float


class Allowances:
    """How many Events each study may still write. Times are monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._allowances: dict[str, _Allowance] = {}

    def take(self, study_uid: str) -> bool:
        """Whether the study may write one Event now."""
        now = self._clock()
        allowance = self._allowances.setdefault(study_uid, _Allowance(BURST, now))
        allowance.events = min(BURST, allowance.events + (now - allowance.refilled) / REFILL)
        allowance.refilled = now
        if len(self._allowances) > 1000:
            self._drop_full(now)
        if allowance.events < 1:
            return False
        allowance.events -= 1
        return True

    def _drop_full(self, now: float) -> None:
        idle = [uid for uid, a in self._allowances.items() if now - a.refilled > BURST * REFILL]
        for uid in idle:
            del self._allowances[uid]


def build_event(study: StudyRef, announcement: Announcement, at: datetime, serial: int) -> Json:
    """The Event that tells ``announcement``; ``at`` and ``serial`` make its name unique."""
    time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{study.key.name}.{int(at.timestamp() * 1000):x}{serial:04x}",
            "namespace": study.key.namespace,
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": "Study",
            "namespace": study.key.namespace,
            "name": study.key.name,
            "uid": study.uid,
        },
        "type": announcement.severity.value,
        "reason": announcement.reason,
        "message": announcement.message[:_LONGEST_MESSAGE],
        "source": {"component": "study-operator"},
        "reportingComponent": "study-operator",
        "reportingInstance": "",
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }
