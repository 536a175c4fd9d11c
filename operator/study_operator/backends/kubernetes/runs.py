"""From the views of a Job and its pods to the run that the controller knows.

When is a run over? The Job's own word comes up to a second after its pod's end, because the Job controller batches pod
events. For a Job that makes one pod once, that second would be lost with every trial, so there the pod's end counts. It
does not where somebody asked for the pod's end from outside: then the Job says whether it was the trial's fault or the
cluster's.
"""

from __future__ import annotations

from collections.abc import Collection

from study_operator.backends.kubernetes.projections import JobView, Outcome, PodView
from study_operator.backends.port import Run, RunPhase, Trouble
from study_operator.results.taxonomy import RunEnd

_VANISHED = "The pod was deleted before it ended."
_FAULTS_OF_THE_JOB = frozenset({"DeadlineExceeded", "FailedIndexes", "MaxFailedIndexesExceeded", "PodFailurePolicy"})
"""Reasons for which the Job controller itself deletes pods."""


def run_of(job: JobView, pods: Collection[PodView], *, certain: bool, no_pod: Trouble | None = None) -> Run | None:
    """The run as it stands; None where its pod's last state has not been seen yet.

    ``certain``: ``pods`` are all that there are, so that a missing one has vanished. ``no_pod`` is why the Job got no
    pod.
    """
    if job.outcome is None:
        pod = _representative(pods)
        return _ended(job, pods) if pod is not None and _speaks_for(job, pod) else _alive(job, pod, no_pod)
    # After a pod that was made to end there may be another one of which nothing was heard yet, as where a queue took
    # the Job back and admitted it again.
    pod = _culprit(job.outcome, pods)
    return _ended(job, pods) if certain or (pod is not None and pod.terminal and not pod.deleting) else None


def _representative(pods: Collection[PodView]) -> PodView | None:
    """The pod that reports: of the lowest completion index, and of several tries the newest.

    Times of creation are whole seconds; of two pods of one second, that which was made to end was the first.
    """
    if not pods:
        return None
    rank = min(pod.rank for pod in pods)
    return max(
        (pod for pod in pods if pod.rank == rank),
        key=lambda pod: (pod.created, not (pod.gone or pod.deleting), pod.uid),
    )


def _speaks_for(job: JobView, pod: PodView) -> bool:
    """Whether the pod has ended, and its end is the Job's."""
    return pod.terminal and job.single and not job.suspended and not pod.deleting


def _alive(job: JobView, pod: PodView | None, no_pod: Trouble | None) -> Run:
    if job.suspended or pod is None or pod.gone or pod.phase not in ("Pending", "Running"):
        return Run(job.study, job.index, job.uid, RunPhase.QUEUED, trouble=None if job.suspended else no_pod)
    return Run(
        job.study,
        job.index,
        job.uid,
        RunPhase.RUNNING if pod.phase == "Running" else RunPhase.QUEUED,
        unplaced=bool(pod.unplaced),
        trouble=Trouble("Unschedulable", pod.unplaced) if pod.unplaced else pod.trouble,
        node=pod.node,
        pod=pod.name,
        started=pod.started,
    )


def _ended(job: JobView, pods: Collection[PodView]) -> Run:
    pod = _representative(pods)
    trainer = pod.trainer if pod else None
    return Run(
        job.study,
        job.index,
        job.uid,
        RunPhase.ENDED,
        node=pod.node if pod else "",
        pod=pod.name if pod else "",
        started=pod.started if pod else None,
        finished=trainer.finished if trainer else job.outcome.finished if job.outcome else None,
        end=_end(job.outcome, _culprit(job.outcome, pods)),
        termination=trainer.message if trainer else "",
        image=pod.image if pod else "",
    )


def _culprit(outcome: Outcome | None, pods: Collection[PodView]) -> PodView | None:
    """The pod that explains how the run ended: of a failed Job with several pods, one that failed of itself or was
    disrupted.
    """
    pod = _representative(pods)
    suspects = [other for other in pods if other.disruption or (other.failed and not other.deleting)]
    if outcome is None or outcome.complete or not suspects or pod in suspects:
        return pod
    return min(suspects, key=lambda other: (other.created, other.uid))


def _end(outcome: Outcome | None, pod: PodView | None) -> RunEnd:
    container = (pod.failed or pod.trainer) if pod else None
    exit_code = container.exit_code if container else None
    out_of_memory = container is not None and container.reason == "OOMKilled"
    if outcome is not None and not outcome.complete and outcome.reason in _FAULTS_OF_THE_JOB:
        return RunEnd(exit_code, outcome.reason, outcome.message, False, out_of_memory)
    if pod is None:
        return RunEnd(None, "PodVanished", _VANISHED, disrupted=True)
    if disruption := pod.disruption or (_VANISHED if pod.deleting or pod.gone else ""):
        return RunEnd(exit_code, pod.reason or "Disrupted", disruption, True, out_of_memory)
    if pod.reason or container is None:
        # A pod that failed before any container ran was turned away by its node, unless a deadline of the template's
        # passed.
        turned_away = container is None and pod.reason != "DeadlineExceeded"
        return RunEnd(exit_code, pod.reason, pod.message or pod.reason, turned_away, out_of_memory)
    other = container is not pod.trainer
    message = f"Container {container.name} exited with code {container.exit_code}." if other else ""
    return RunEnd(exit_code, container.reason, message, False, out_of_memory)
