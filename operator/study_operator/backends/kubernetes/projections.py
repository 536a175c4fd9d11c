"""What is kept of a Job and of a pod: the few facts that the controller's view of a run follows from.

A raw pod is several kilobytes and its projection a few hundred bytes, so memory stays small however many trials run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from study_operator.api.names import STUDY_LABEL, STUDY_UID_LABEL, TRIAL_LABEL
from study_operator.api.template import trainer_position
from study_operator.backends.port import StudyKey, Trouble
from study_operator.results.trial import trial_name

Object = Mapping[str, Any]

JOB_UID_LABEL = "batch.kubernetes.io/controller-uid"
"""The label by which a Job finds its pods."""

_COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
LONGEST_IMAGE = 512
"""Of a name that a Trial keeps."""

_PROGRESSING = frozenset({"", "ContainerCreating", "PodInitializing"})
"""Why a container waits in a pod that gets on."""

_PULLING = re.compile(r"^(ErrImagePull|ImagePullBackOff)$")
_PULL_DETAIL = re.compile(r'^Back-off pulling image ".*?": (?:ErrImagePull: )?')


@dataclass(frozen=True, slots=True)
class Outcome:
    """A Job's end, in its own words."""

    complete: bool
    reason: str
    message: str
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class JobView:
    """A trial's Job. ``single``: it makes one pod once, so that the pod's end is the Job's."""

    study: StudyKey
    study_uid: str
    index: int
    uid: str
    single: bool
    suspended: bool
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """A container that has ended."""

    name: str
    exit_code: int
    reason: str
    message: str
    started: datetime | None
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of a trial's Job.

    ``created`` orders pods by age. ``rank`` is its completion index in an Indexed Job, else 0. ``deleting``: somebody
    asked for its end before its trainer had ended. ``gone``: it no longer exists, and was not seen to end.
    ``disruption`` says why the cluster ended it, where it did. ``unplaced`` is the scheduler's reason for finding no
    node. ``trainer`` is the trainer's end, and ``failed`` that of a container with another exit code than 0: of the
    trainer, or else of the first. ``image`` is what the trainer's container runs, by its digest in a registry; empty
    where it came from none.
    """

    namespace: str
    job_uid: str
    uid: str
    name: str
    created: str
    rank: int
    phase: str
    node: str
    reason: str
    message: str
    deleting: bool
    disruption: str
    unplaced: str
    trouble: Trouble | None
    started: datetime | None
    trainer: ContainerEnd | None
    failed: ContainerEnd | None
    gone: bool = False
    image: str = ""

    @property
    def terminal(self) -> bool:
        """Whether all its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")


def project_job(job: Object) -> JobView | None:
    """The view of a trial's Job; None for any other Job, whatever its labels say."""
    metadata, spec, status = job["metadata"], job["spec"], job.get("status") or {}
    labels = metadata.get("labels") or {}
    study, index = labels.get(STUDY_LABEL, ""), labels.get(TRIAL_LABEL, "")
    name = metadata["name"]
    owner = owner_of(job)
    if owner is None or owner.get("kind") != "Trial" or owner.get("name") != name:
        return None
    if not index.isdecimal() or name != trial_name(study, int(index)):
        return None
    return JobView(
        study=StudyKey(metadata["namespace"], study),
        study_uid=labels.get(STUDY_UID_LABEL, ""),
        index=int(index),
        uid=metadata["uid"],
        single=_single(spec),
        suspended=bool(spec.get("suspend")),
        outcome=_outcome(status),
    )


def owner_of(item: Object) -> Object | None:
    """The reference to the object's controlling owner."""
    owners: Sequence[Object] = item["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def project_pod(pod: Object) -> PodView | None:
    """The view of a Job's pod; None for any other pod."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    owner = owner_of(pod)
    if owner is None or owner.get("kind") != "Job":
        return None
    containers = pod["spec"]["containers"]
    name = containers[trainer_position(containers)]["name"]
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    sidecars = _sidecars(pod["spec"])
    ends = [end for status in statuses if status["name"] not in sidecars and (end := _end(status)) is not None]
    trainer = next((end for end in ends if end.name == name), None)
    return PodView(
        namespace=metadata["namespace"],
        job_uid=owner["uid"],
        uid=metadata["uid"],
        name=metadata["name"],
        created=metadata.get("creationTimestamp") or "",
        rank=_rank((metadata.get("annotations") or {}).get(_COMPLETION_INDEX, "")),
        phase=status.get("phase", "Pending"),
        node=pod["spec"].get("nodeName", ""),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        deleting=_deleting(pod, trainer),
        disruption=_disruption(status),
        unplaced=_condition(status, "PodScheduled", "False", "Unschedulable").get("message", ""),
        trouble=next(_troubles(statuses), None),
        started=next((_started(container) for container in statuses if container["name"] == name), None),
        trainer=trainer,
        failed=next((end for end in (trainer, *ends) if end is not None and end.exit_code != 0), None),
        image=next((_image(container) for container in statuses if container["name"] == name), ""),
    )


def _sidecars(spec: Object) -> Collection[str]:
    """The pod's restartable init containers: the kubelet stops them when all others have ended, and how they take it
    says nothing of the trial.
    """
    return {each["name"] for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}


def _image(status: Object) -> str:
    """By its digest, so that it is the same wherever it is pulled; one that was only loaded into a node has none."""
    image = str(status.get("imageID") or "").removeprefix("docker-pullable://")
    return image if "@" in image and len(image) <= LONGEST_IMAGE else ""


def _rank(annotation: str) -> int:
    """Of an Indexed Job's pod; an annotation that somebody else made up is none."""
    return int(annotation) if annotation.isdecimal() else 0


def _deleting(pod: Object, trainer: ContainerEnd | None) -> bool:
    """Whether the pod's end was asked for before its trainer ended.

    The deletion timestamp is the request's time and the grace period, until the kubelet's last word sets the period to
    0 and leaves the timestamp where it is. From then on the request may be as early as the pod's own period allows: in
    doubt the trainer is not blamed.
    """
    metadata = pod["metadata"]
    deadline = time_of(metadata.get("deletionTimestamp"))
    if deadline is None or trainer is None or trainer.finished is None:
        return deadline is not None
    grace = metadata.get("deletionGracePeriodSeconds") or pod["spec"].get("terminationGracePeriodSeconds", 30)
    return trainer.finished >= deadline - timedelta(seconds=grace)


def time_of(text: str | None) -> datetime | None:
    """The time that the API server writes as RFC 3339."""
    return datetime.fromisoformat(text) if text else None


def _single(spec: Object) -> bool:
    one = all(spec.get(count, 1) == 1 for count in ("completions", "parallelism"))
    plain = spec.get("completionMode", "NonIndexed") == "NonIndexed" and spec.get("backoffLimit") == 0
    return one and plain and "podFailurePolicy" not in spec


def _outcome(status: Object) -> Outcome | None:
    for kind in ("Complete", "Failed"):
        if condition := _condition(status, kind):
            finished = status.get("completionTime") or condition.get("lastTransitionTime")
            reason, message = condition.get("reason", ""), condition.get("message", "")
            return Outcome(kind == "Complete", reason, message, time_of(finished))
    return None


def _condition(status: Object, kind: str, value: str = "True", reason: str | None = None) -> Object:
    for condition in status.get("conditions") or ():
        matches = condition["type"] == kind and condition["status"] == value
        if matches and reason in (None, condition.get("reason")):
            found: Object = condition
            return found
    return {}


_DISRUPTED = frozenset({"Evicted", "NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated"})
"""Reasons of a pod's failure that are the node's, also where an older kubelet sets no DisruptionTarget condition."""


def _disruption(status: Object) -> str:
    if condition := _condition(status, "DisruptionTarget"):
        return condition.get("message") or condition.get("reason") or "DisruptionTarget"
    reason = status.get("reason", "")
    return status.get("message") or reason if reason in _DISRUPTED else ""


def _started(status: Object) -> datetime | None:
    state = status.get("state") or {}
    return time_of((state.get("running") or state.get("terminated") or {}).get("startedAt"))


def _end(status: Object) -> ContainerEnd | None:
    ended = (status.get("state") or {}).get("terminated")
    if ended is None:
        return None
    return ContainerEnd(
        name=status["name"],
        exit_code=ended["exitCode"],
        reason=ended.get("reason", ""),
        message=ended.get("message", ""),
        started=time_of(ended.get("startedAt")),
        finished=time_of(ended.get("finishedAt")),
    )


def _troubles(statuses: Sequence[Object]) -> Iterator[Trouble]:
    for status in statuses:
        waiting = (status.get("state") or {}).get("waiting") or {}
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        if reason in _PROGRESSING:
            continue
        if _PULLING.match(reason):
            # The kubelet alternates between the two; told as one, a pod that cannot start is one fact, not a stream.
            reason, message = "ImagePullBackOff", _PULL_DETAIL.sub("", message)
        yield Trouble(reason, message or reason)
