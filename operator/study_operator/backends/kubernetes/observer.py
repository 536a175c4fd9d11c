"""The watch events of Jobs and pods, joined into runs.

Neither alone tells how a run stands: its Job knows the trial, its pod knows what became of it, and the events of the
two come in any order. This small table joins them by the Job's uid. Every event costs the same however many runs there
are, and of a run that has ended there remains one key until its Job is removed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from study_operator.backends.kubernetes.projections import JobView, Object, PodView, project_job, project_pod
from study_operator.backends.kubernetes.runs import run_of
from study_operator.backends.port import Observer, Run, RunPhase, StudyKey, Trouble


@dataclass(slots=True)
class _Entry:
    """What is known of a Job; ``job`` is None while only its pods were seen, ``last`` the run as it was told."""

    job: JobView | None = None
    pods: dict[str, PodView] = field(default_factory=dict)
    no_pod: Trouble | None = None
    last: Run | None = None

    def unclear(self) -> JobView | None:
        """The Job, if it should have a pod and none was seen, or if it ended and its pod's end was not seen."""
        if self.job is None or self.job.suspended or (self.pods and self.job.outcome is None):
            return None
        return self.job


class RunObserver:
    """Tells ``observer`` of the runs of those lives of studies that are known to it."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._entries: dict[str, _Entry] = {}
        self._ended: dict[str, tuple[StudyKey, int]] = {}
        self._lives: dict[StudyKey, str] = {}

    def __len__(self) -> int:
        """How many Jobs, alive or ended, are remembered."""
        return len(self._entries) + len(self._ended)

    def study_changed(self, study: StudyKey, uid: str) -> None:
        """Jobs of this life of the study are told of from now on. Its runs so far are for the controller to read."""
        self._lives[study] = uid

    def study_gone(self, study: StudyKey) -> None:
        """Nothing is told of its Jobs any more."""
        self._lives.pop(study, None)

    def job_changed(self, raw: Object) -> None:
        """A Job appeared or changed."""
        job = project_job(raw)
        if job is None or job.uid in self._ended:
            return
        entry = self._entries.setdefault(job.uid, _Entry())
        entry.job = job
        entry.pods = {uid: pod for uid, pod in entry.pods.items() if pod.namespace == job.study.namespace}
        self._tell(job.uid, entry)

    def job_gone(self, raw: Object) -> None:
        """A Job was deleted."""
        self.forget([raw["metadata"]["uid"]])

    def pod_changed(self, raw: Object) -> None:
        """A pod appeared or changed."""
        pod = project_pod(raw)
        if pod is not None and pod.job_uid not in self._ended:
            self._put(pod)

    def pod_gone(self, raw: Object) -> None:
        """A pod of a Job that lives on counts as vanished unless it was seen to end; that of a deleted Job is
        forgotten.
        """
        pod = project_pod(raw)
        if pod is None or pod.job_uid not in self._entries:
            return
        entry = self._entries[pod.job_uid]
        if entry.job is not None:
            self._put(pod if pod.terminal else replace(pod, gone=True))
        else:
            entry.pods.pop(pod.uid, None)
            if not entry.pods:
                del self._entries[pod.job_uid]

    def unclear(self) -> Sequence[JobView]:
        """The Jobs whose pods have to be looked up."""
        return [job for entry in self._entries.values() if (job := entry.unclear()) is not None]

    def looked_up(self, job: JobView, pods: Sequence[Object], why_none: Trouble | None) -> None:
        """``pods`` are all that ``job``, one of the unclear, had when it was looked into; if there are none,
        ``why_none`` is what its events say of it. Of a Job that got its pod or ended since, the watch knows more.
        """
        entry = self._entries.get(job.uid)
        if entry is None or entry.unclear() != job:
            return
        views = [view for view in map(project_pod, pods) if view is not None]
        entry.pods = {view.uid: view for view in views}
        entry.no_pod = None if views else why_none
        self._tell(job.uid, entry, certain=True)

    def known(self) -> Collection[str]:
        """The uids of the Jobs that are remembered."""
        return {*self._entries, *self._ended}

    def forget(self, uids: Collection[str]) -> None:
        """These Jobs no longer exist."""
        for uid in uids:
            ended = self._ended.pop(uid, None)
            entry = self._entries.pop(uid, None)
            if ended is not None:
                self._observer.run_gone(*ended, uid)
            elif entry is not None and entry.job is not None:
                self._observer.run_gone(entry.job.study, entry.job.index, uid)

    def _put(self, pod: PodView) -> None:
        entry = self._entries.setdefault(pod.job_uid, _Entry())
        if entry.job is not None and pod.namespace != entry.job.study.namespace:
            return  # anybody may name any owner; only in its own namespace can it be true
        entry.pods[pod.uid] = pod
        entry.no_pod = None
        self._tell(pod.job_uid, entry)

    def _tell(self, uid: str, entry: _Entry, *, certain: bool = False) -> None:
        job = entry.job
        if job is None or self._lives.get(job.study) != job.study_uid:
            return
        run = run_of(job, entry.pods.values(), certain=certain, no_pod=entry.no_pod)
        if run is None or run == entry.last:
            return
        entry.last = run
        if run.phase is RunPhase.ENDED:
            del self._entries[uid]
            self._ended[uid] = (job.study, job.index)
        self._observer.run_changed(run)
