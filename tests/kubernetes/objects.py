"""Raw Jobs and pods, as an API server shows them."""

from __future__ import annotations

from typing import Any

from study_operator.backends.port import StudyKey

STUDY = StudyKey("team", "bert")
AT = "2026-01-01T00:00:0{}Z"


def job(
    *conditions: dict[str, str], uid: str = "job-uid", index: int = 3, life: str = "life", **spec: Any
) -> dict[str, Any]:
    labels = {"tuning.study/study": "bert", "tuning.study/trial": str(index), "tuning.study/study-uid": life}
    owner = {"kind": "Trial", "name": f"bert-{index}", "uid": "trial-uid", "controller": True}
    plain = {"backoffLimit": 0, "completions": 1, "parallelism": 1, "completionMode": "NonIndexed"}
    return {
        "metadata": {
            "name": f"bert-{index}",
            "namespace": "team",
            "uid": uid,
            "labels": labels,
            "ownerReferences": [owner],
        },
        "spec": plain | spec,
        "status": {"conditions": [{"status": "True", **condition} for condition in conditions]},
    }


def complete() -> dict[str, Any]:
    return job({"type": "Complete", "reason": "CompletionsReached", "lastTransitionTime": AT.format(9)})


def failed(reason: str = "BackoffLimitExceeded", **spec: Any) -> dict[str, Any]:
    condition = {"type": "Failed", "reason": reason, "message": f"it was {reason}", "lastTransitionTime": AT.format(9)}
    return job(condition, **spec)


def pod(
    phase: str = "Pending",
    state: dict[str, Any] | None = None,
    *,
    uid: str = "pod-uid",
    node: str = "",
    created: str = AT.format(0),
    job_uid: str = "job-uid",
    rank: int | None = None,
    deleted: str = "",
    grace: int = 1,
    conditions: list[dict[str, str]] | None = None,
    others: list[dict[str, Any]] | None = None,
    first: list[dict[str, Any]] | None = None,
    **status: str,
) -> dict[str, Any]:
    """``state`` is the trainer's; ``deleted`` the deadline of its deletion, ``grace`` after it was asked for.

    ``others`` are the statuses of other containers, ``first`` those of init containers, each with its
    ``restartPolicy`` if it has one.
    """
    metadata: dict[str, Any] = {
        "name": f"bert-3-{uid[:5]}",
        "namespace": "team",
        "uid": uid,
        "creationTimestamp": created,
        "ownerReferences": [{"kind": "Job", "name": "bert-3", "uid": job_uid, "controller": True}],
    }
    if rank is not None:
        metadata["annotations"] = {"batch.kubernetes.io/job-completion-index": str(rank)}
    if deleted:
        metadata |= {"deletionTimestamp": deleted, "deletionGracePeriodSeconds": grace}
    containers = [{"name": "trainer", "state": state}] if state is not None else []
    return {
        "metadata": metadata,
        "spec": {
            "containers": [{"name": "trainer"}],
            "initContainers": [{key: value for key, value in each.items() if key != "state"} for each in first or []],
            **({"nodeName": node} if node else {}),
        },
        "status": {
            "phase": phase,
            "conditions": conditions or [],
            "initContainerStatuses": [{"name": each["name"], "state": each["state"]} for each in first or []],
            "containerStatuses": [*containers, *(others or [])],
            **status,
        },
    }


def running() -> dict[str, Any]:
    return {"running": {"startedAt": AT.format(1)}}


def ended(exit_code: int, reason: str = "", message: str = "", finished: str = AT.format(5)) -> dict[str, Any]:
    reason = reason or ("Completed" if exit_code == 0 else "Error")
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "message": message,
            "startedAt": AT.format(1),
            "finishedAt": finished,
        }
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}
