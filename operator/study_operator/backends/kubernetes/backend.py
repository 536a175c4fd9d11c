"""Trials as Trial resources, runs as Jobs.

Nothing is cached but the uids of trials that were persisted and not started: whatever else is asked is asked of the API
server, in raw pages. Names are deterministic, so a create whose answer was lost finds its own object the next time;
whose an object is, its owner's uid tells.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from study_operator.api import (
    InvalidRecord,
    Study,
    study_space,
    trial_from_manifest,
    trial_status_to_manifest,
    trial_to_manifest,
)
from study_operator.api.names import STUDY_UID_LABEL, TRIAL_LABEL
from study_operator.api.study import ObjectMeta
from study_operator.backends.kubernetes.announcements import Allowances, build_event
from study_operator.backends.kubernetes.client import EVENTS, JOBS, PODS, STUDIES, TRIALS, Client, Json, Resource
from study_operator.backends.kubernetes.errors import AlreadyExists, Conflict, NotFound
from study_operator.backends.kubernetes.manifests import build_job, ignored_fields
from study_operator.backends.kubernetes.projections import JOB_UID_LABEL, PodView, owner_of, project_job, project_pod
from study_operator.backends.kubernetes.runs import run_of
from study_operator.backends.port import (
    Announcement,
    BackendError,
    Exhausted,
    Foreign,
    Gone,
    NoRecord,
    Refused,
    Run,
    Severity,
    StudyRef,
    Unavailable,
)
from study_operator.results.trial import Purpose, Trial, TrialSpec, TrialState, TrialStatus, trial_name

BEING_DELETED_DELAY = 0.5
"""Seconds after which a name that an object on its way out still holds is tried again."""

RELEASED_AT_ONCE = 200
"""Trials in one selector: it travels in the URL, of which servers and proxies take 8 kB."""

DEFAULT_LINGER = 60
"""Seconds that a trainer may wait at its end for its last points to be scraped."""

logger = logging.getLogger(__name__)


class KubernetesBackend:
    """The port over an API server; see :class:`study_operator.backends.port.Backend`.

    ``linger`` is given to every trainer, in seconds; it should be 0 where nothing scrapes. ``now`` is the time of
    Events, ``clock`` a monotonic one that bounds their rate.
    """

    def __init__(
        self,
        client: Client,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        linger: int = DEFAULT_LINGER,
    ) -> None:
        self._client = client
        self._now = now
        self._allowances = Allowances(clock)
        self._serials = itertools.count()
        self._linger = linger
        self._unstarted: dict[tuple[str, int], str] = {}
        """Uids of trials that were persisted and not started, by their study's uid and their index: their Jobs' owners.
        """

    async def check_template(self, study: Study) -> None:
        """Dry-run the first trial's Job on the API server. Raises Refused with its words."""
        space = study_space(study)
        point = (0.5,) * len(space.dimensions)
        spec = TrialSpec(study.metadata.name, 0, 0, Purpose.SEARCH, point, space.parameters(0, point), 0)
        path = JOBS.path(study.metadata.namespace)
        # That the name is taken is found out last, when all else has passed.
        with suppress(AlreadyExists):
            await self._client.create(path, build_job(study, spec, None, self._linger), dry_run=True)
        for sentence in ignored_fields(study):
            await self.announce(StudyRef.of(study), Announcement(Severity.WARNING, "TemplateFieldIgnored", sentence))

    async def trials(self, study: StudyRef) -> Sequence[Trial]:
        """Every trial of this life of the study, in the order of their indices."""
        found: dict[int, Trial] = {}
        async for raw in self._of_study(TRIALS, study):
            trial = _trial(raw)
            found[trial.spec.index] = trial
            if trial.status.state is TrialState.PENDING:
                self._unstarted[study.uid, trial.spec.index] = raw["metadata"]["uid"]
        return [found[index] for index in sorted(found)]

    async def runs(self, study: StudyRef) -> Sequence[Run]:
        """Every Job of this life of the study, joined with its pods."""
        jobs = [view async for raw in self._of_study(JOBS, study) if (view := project_job(raw)) is not None]
        pods: dict[str, list[PodView]] = {}
        # After the Jobs: a Job's pod ends before its Job does, so no Job is seen to have ended without its pod's end.
        if jobs:
            async for raw in self._of_study(PODS, study):
                if (pod := project_pod(raw)) is not None:
                    pods.setdefault(pod.job_uid, []).append(pod)
        runs = (run_of(job, pods.get(job.uid, ()), certain=True) for job in jobs)
        return [run for run in runs if run is not None]

    async def create_trial(self, study: StudyRef, spec: TrialSpec) -> Trial:
        """Create the Trial resource, or find it."""
        owner = ObjectMeta(name=study.key.name, namespace=study.key.namespace, uid=study.uid)
        body = trial_to_manifest(Trial(spec, TrialStatus()), owner)
        try:
            raw = await self._client.create(TRIALS.path(study.key.namespace), body)
        except (AlreadyExists, Exhausted) as refusal:
            raw = await self._adopt(TRIALS, body, refusal)
        self._unstarted[study.uid, spec.index] = raw["metadata"]["uid"]
        return _trial(raw)

    async def write_trial(
        self, study: StudyRef, spec: TrialSpec, status: TrialStatus, *, keep_curves: bool = False
    ) -> None:
        """Replace the Trial's status in one request; to keep its curves, they are read first."""
        try:
            if keep_curves:
                persisted = await self._client.read(TRIALS.path(study.key.namespace, spec.name))
                status = replace(status, curves=_trial(persisted).status.curves)
            await self._client.patch(
                TRIALS.path(study.key.namespace, spec.name, "status"),
                [
                    {"op": "test", "path": f"/metadata/labels/{_escaped(STUDY_UID_LABEL)}", "value": study.uid},
                    {"op": "add", "path": "/status", "value": trial_status_to_manifest(status)},
                ],
            )
        except NotFound as error:
            self._unstarted.pop((study.uid, spec.index), None)
            raise NoRecord(str(error)) from error

    async def discard_trial(self, study: StudyRef, spec: TrialSpec) -> None:
        """Delete the Trial, if it is this study's."""
        path = TRIALS.path(study.key.namespace, spec.name)
        with suppress(NotFound, Conflict):
            raw = await self._client.read(path)
            if _owner_uid(raw) == study.uid:
                await self._client.delete(path, raw["metadata"]["uid"])
        self._unstarted.pop((study.uid, spec.index), None)

    async def write_study(self, study: StudyRef, status: Mapping[str, object]) -> None:
        """Replace the Study's status in one request. Raises Gone if it is another life of it by now."""
        path = STUDIES.path(study.key.namespace, study.key.name, "status")
        try:
            await self._client.patch(
                path,
                [
                    {"op": "test", "path": "/metadata/uid", "value": study.uid},
                    {"op": "add", "path": "/status", "value": dict(status)},
                ],
            )
        except NotFound as error:
            raise Gone(str(error)) from error
        except Refused as error:
            if await self._replaced(study):
                raise Gone(f"Study {study.key} was deleted and created anew") from error
            raise

    async def start(self, study: Study, spec: TrialSpec) -> Run:
        """Create the trial's Job, or adopt it."""
        reference = StudyRef.of(study)
        owner = await self._trial_uid(reference, spec)
        body = build_job(study, spec, owner, self._linger)
        pods: list[PodView] = []
        try:
            raw = await self._client.create(JOBS.path(reference.key.namespace), body)
        except (AlreadyExists, Exhausted) as refusal:
            raw = await self._adopt(JOBS, body, refusal)
            pods = await self._pods_of(raw)
        self._unstarted.pop((reference.uid, spec.index), None)
        job = project_job(raw)
        assert job is not None, "a Job that a trial owns is a trial's Job"
        run = run_of(job, pods, certain=True)
        assert run is not None, "with all pods at hand there is always a run"
        return run

    async def stop(self, study: StudyRef, run: Run) -> None:
        """Delete that very Job; its pods follow."""
        with suppress(NotFound, Conflict):
            await self._client.delete(JOBS.path(study.key.namespace, trial_name(study.key.name, run.index)), run.id)

    async def release(self, study: StudyRef, runs: Sequence[Run]) -> None:
        """Delete these runs' Jobs, many with one request."""
        indices = sorted({run.index for run in runs})
        for start in range(0, len(indices), RELEASED_AT_ONCE):
            some = ",".join(map(str, indices[start : start + RELEASED_AT_ONCE]))
            selector = f"{STUDY_UID_LABEL}={study.uid},{TRIAL_LABEL} in ({some})"
            await self._client.delete_collection(JOBS.path(study.key.namespace), selector)

    async def announce(self, study: StudyRef, announcement: Announcement) -> None:
        """Write an Event and a line of the log, within the study's allowance."""
        if not self._allowances.take(study.uid):
            return
        level = logging.WARNING if announcement.severity is Severity.WARNING else logging.INFO
        logger.log(level, "study %s: %s: %s", study.key, announcement.reason, announcement.message)
        event = build_event(study, announcement, self._now(), next(self._serials) & 0xFFFF)
        try:
            await self._client.create(EVENTS.path(study.key.namespace), event)
        except BackendError as error:
            logger.info("could not write the Event %s of %s: %s", announcement.reason, study.key, error)

    async def _of_study(self, resource: Resource, study: StudyRef) -> AsyncIterator[Json]:
        path = resource.path(study.key.namespace)
        async for page in self._client.pages(path, label_selector=f"{STUDY_UID_LABEL}={study.uid}"):
            for raw in page:
                yield raw

    async def _pods_of(self, job: Json) -> list[PodView]:
        path = PODS.path(job["metadata"]["namespace"])
        pages = self._client.pages(path, label_selector=f"{JOB_UID_LABEL}={job['metadata']['uid']}")
        return [view async for page in pages for raw in page if (view := project_pod(raw)) is not None]

    async def _adopt(self, resource: Resource, body: Json, refusal: BackendError) -> Json:
        """The existing object of that name, if it has the owner that ``body`` has.

        A full quota refuses a create before anybody looks whether the object exists already.
        """
        name, namespace, kind = body["metadata"]["name"], body["metadata"]["namespace"], body["kind"]
        try:
            existing = await self._client.read(resource.path(namespace, name))
        except NotFound as error:
            if isinstance(refusal, Exhausted):
                raise refusal from None
            raise Unavailable(f"{kind} {name} went away while it was looked at", BEING_DELETED_DELAY) from error
        if "deletionTimestamp" in existing["metadata"]:
            raise Unavailable(f"{kind} {name} of an earlier run is still being deleted", BEING_DELETED_DELAY)
        if _owner_uid(existing) == _owner_uid(body):
            return existing
        if _lives_of_one_name(existing, body):
            raise Unavailable(
                f"{kind} {name} of {_owner_of(existing)}, which is gone, is still there", BEING_DELETED_DELAY
            )
        raise Foreign(
            f"{kind} {name} in namespace {namespace} exists and belongs to {_owner_of(existing)}: "
            "delete it, or give the study another name"
        )

    async def _trial_uid(self, study: StudyRef, spec: TrialSpec) -> str:
        if (known := self._unstarted.get((study.uid, spec.index))) is not None:
            return known
        try:
            raw = await self._client.read(TRIALS.path(study.key.namespace, spec.name))
        except NotFound as error:
            raise NoRecord(str(error)) from error
        if _owner_uid(raw) != study.uid:
            raise Foreign(f"Trial {spec.name} in namespace {study.key.namespace} belongs to {_owner_of(raw)}")
        uid: str = raw["metadata"]["uid"]
        return uid

    async def _replaced(self, study: StudyRef) -> bool:
        try:
            raw = await self._client.read(STUDIES.path(study.key.namespace, study.key.name))
        except NotFound:
            return True
        return bool(raw["metadata"]["uid"] != study.uid)


def _lives_of_one_name(one: Json, other: Json) -> bool:
    """Whether the owner of ``one`` had the kind and name of the owner of ``other``: it is gone, and ``one`` will go."""
    owner, another = owner_of(one), owner_of(other)
    return owner is not None and another is not None and all(owner[key] == another[key] for key in ("kind", "name"))


def _trial(raw: Json) -> Trial:
    try:
        return trial_from_manifest(raw)
    except InvalidRecord as error:
        raise Refused(str(error)) from error


def _owner_uid(raw: Mapping[str, Any]) -> str | None:
    owner = owner_of(raw)
    return owner["uid"] if owner else None


def _owner_of(raw: Mapping[str, Any]) -> str:
    owner = owner_of(raw)
    return f"{owner['kind']} {owner['name']} (uid {owner['uid']})" if owner else "nobody"


def _escaped(name: str) -> str:
    """A member's name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
