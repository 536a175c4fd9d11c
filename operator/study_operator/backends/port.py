"""The port between the controller and what keeps and runs trials.

One controller serves a cluster, a laptop and the tests. What differs between them is small: where a trial's record is
kept, what runs it, and how its end is told. A backend does these and decides nothing. Every operation may be repeated
after a crash: names are deterministic, a create that finds its own object adopts it, a stop or release of what is gone
is a success.

Observations come the other way, through :class:`Observer`, as whole states rather than differences: a lost or repeated
observation is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from study_operator.api.study import Study
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import Trial, TrialSpec, TrialStatus


@dataclass(frozen=True, slots=True, order=True)
class StudyKey:
    """What a study is known by. Equal names in two namespaces are two studies."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class StudyRef:
    """One life of a study: a study deleted and created anew under its name has another ``uid``."""

    key: StudyKey
    uid: str

    @classmethod
    def of(cls, study: Study) -> StudyRef:
        """The life that a manifest is of."""
        return cls(StudyKey(study.metadata.namespace, study.metadata.name), study.metadata.uid)


class RunPhase(StrEnum):
    """How far a run is. A run that was created but computes nothing yet is Queued, whatever the cause."""

    QUEUED = "Queued"
    RUNNING = "Running"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a run does not get on: a CamelCase reason such as ``ImagePullBackOff``, and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt to compute a trial: a Job with its pod, or a process.

    ``id`` is unique among all attempts ever. ``unplaced`` says that the scheduler found no node. ``pod`` is the name by
    which the metrics source knows the run. ``end`` is there when ``phase`` is Ended, and ``termination`` is then the
    raw text of the termination message, unparsed because a trainer may write anything; ``image`` is what its container
    ran, by digest, and empty where there is none.
    """

    study: StudyKey
    index: int
    id: str
    phase: RunPhase
    unplaced: bool = False
    trouble: Trouble | None = None
    node: str = ""
    pod: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    end: RunEnd | None = None
    termination: str = ""
    image: str = ""


class Severity(StrEnum):
    """Of an announcement, in the words of Kubernetes Events."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class Announcement:
    """A turn in a study that a person wants to see: a Kubernetes Event, or a line on the terminal."""

    severity: Severity
    reason: str
    message: str


class BackendError(Exception):
    """What a backend may raise; nothing else leaves it."""


class Unavailable(BackendError):
    """Not now: the connection, a 5xx or a 429. The same call may succeed after ``retry_after`` seconds (None: not
    told).
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(BackendError):
    """The backend understood and said no; repeating the call changes nothing until somebody mends the cause."""


class Exhausted(Refused):
    """Refused for want of room: a quota, a full disk. It passes when room is made."""


class Foreign(Refused):
    """An object of the right name exists that belongs to somebody else; it is left alone."""


class NoRecord(BackendError):
    """The trial's record is not there: a person deletes one to have the trial computed anew."""


class Gone(BackendError):
    """The study itself, or its namespace, no longer exists or is being deleted."""


class Observer(Protocol):
    """Where a backend tells what it sees. Both calls only take note; they neither block nor raise."""

    def run_changed(self, run: Run) -> None: ...

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None: ...


class Backend(Protocol):
    """What the controller needs of the world. Every method may raise :class:`Unavailable` and :class:`Gone`."""

    async def check_template(self, study: Study) -> None:
        """Try the study's first run without creating anything. Raises Refused with the reason for a person."""
        ...

    async def trials(self, study: StudyRef) -> Sequence[Trial]:
        """Every persisted trial of the study, in the order of their indices."""
        ...

    async def runs(self, study: StudyRef) -> Sequence[Run]:
        """Every run of the study that exists now, ended or not."""
        ...

    async def create_trial(self, study: StudyRef, spec: TrialSpec) -> Trial:
        """Persist a trial; if it exists already, the existing one is returned, unchanged. Raises Foreign, Exhausted,
        Refused.
        """
        ...

    async def write_trial(
        self, study: StudyRef, spec: TrialSpec, status: TrialStatus, *, keep_curves: bool = False
    ) -> None:
        """Replace a trial's persisted status; ``keep_curves`` leaves the curves that were persisted before. Raises
        NoRecord.
        """
        ...

    async def discard_trial(self, study: StudyRef, spec: TrialSpec) -> None:
        """Delete the record of a trial that was never started."""
        ...

    async def write_study(self, study: StudyRef, status: Mapping[str, object]) -> None:
        """Replace the study's status."""
        ...

    async def start(self, study: Study, spec: TrialSpec) -> Run:
        """Start the trial's run; if the trial has one already, that one is returned. Raises NoRecord as far as it is
        seen that the record is gone, Foreign, Exhausted, Refused.
        """
        ...

    async def stop(self, study: StudyRef, run: Run) -> None:
        """End the run, if it still exists, and remove it; afterwards the same trial can be started anew."""
        ...

    async def release(self, study: StudyRef, runs: Sequence[Run]) -> None:
        """These runs' results are durable: what they occupy may go."""
        ...

    async def announce(self, study: StudyRef, announcement: Announcement) -> None:
        """Tell a person. Best effort: it never raises."""
        ...
