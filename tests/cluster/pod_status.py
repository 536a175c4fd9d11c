"""A pod's status as the kubelet writes it, built from its containers' states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.cluster.api import Object


def timestamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(reason: str, message: str) -> Object:
    return {"waiting": {"reason": reason, "message": message}}


def running(started: datetime) -> Object:
    return {"running": {"startedAt": timestamp(started)}}


def terminated(exit_code: int, reason: str, message: str, started: datetime, finished: datetime) -> Object:
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "message": message,
            "startedAt": timestamp(started),
            "finishedAt": timestamp(finished),
        }
    }


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the node ends a pod that would have run on; the kubelet then reports it as Failed whatever its containers
    do."""

    reason: str = ""
    message: str = ""
    conditions: Sequence[Object] = ()


DEADLINE = Ending("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
_LOW_ON_MEMORY = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi."
NODE_PRESSURE = Ending(
    "Evicted",
    _LOW_ON_MEMORY,
    ({"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet", "message": _LOW_ON_MEMORY},),
)
DELETED = Ending()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where a pod runs, and since when."""

    address: str
    node_address: str
    started: datetime
    pod: Object = field(repr=False)


def status(sandbox: Sandbox, states: Mapping[str, Object], now: datetime, ending: Ending | None = None) -> Object:
    """The status of the pod whose containers (by name) are in ``states``."""
    ready = all("running" in state for state in states.values())
    initialized = {"type": "Initialized", "status": "True", "lastTransitionTime": timestamp(sandbox.started)}
    readiness = [
        {"type": kind, "status": str(ready), "lastTransitionTime": timestamp(now)}
        for kind in ("Ready", "ContainersReady")
    ]
    disruptions = [
        {**condition, "lastTransitionTime": timestamp(now)} for condition in (ending.conditions if ending else ())
    ]
    told = {"reason": ending.reason, "message": ending.message} if ending and ending.reason else {}
    return {
        "phase": phase(states, ending),
        "conditions": [initialized, *readiness, *disruptions],
        "hostIP": sandbox.node_address,
        "podIP": sandbox.address,
        "podIPs": [{"ip": sandbox.address}],
        "startTime": timestamp(sandbox.started),
        "containerStatuses": [_container(container, states) for container in sandbox.pod["spec"]["containers"]],
        **told,
    }


def phase(states: Mapping[str, Object], ending: Ending | None) -> str:
    """Pending, Running, Succeeded or Failed, for a pod whose containers are never restarted."""
    if any("waiting" in state for state in states.values()):
        return "Pending"
    if any("running" in state for state in states.values()):
        return "Running"
    clean = all(state["terminated"]["exitCode"] == 0 for state in states.values())
    return "Succeeded" if clean and (ending is None or ending is DELETED) else "Failed"


def _container(container: Object, states: Mapping[str, Object]) -> Object:
    name = container["name"]
    runs = "running" in states[name]
    return {
        "name": name,
        "image": container["image"],
        "imageID": "",
        "ready": runs,
        "started": runs,
        "restartCount": 0,
        "state": states[name],
        "lastState": {},
    }
