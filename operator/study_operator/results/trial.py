"""One trial: what was asked of it, and what came of it.

A trial is a small durable record that outlives the Job that computed it. The specification is written once, before
anything runs; the status has one writer and changes a few times. Everything that the ranking, the re-ranking under
another objective and the training-curve findings need is kept here, so that nothing depends on how long Prometheus
keeps its samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from study_operator.scalar import Scalar


class TrialState(StrEnum):
    """Where a trial stands. The last three are final."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    AWAITING_METRICS = "AwaitingMetrics"
    SUCCEEDED = "Succeeded"
    INFEASIBLE = "Infeasible"
    FAILED = "Failed"

    @property
    def final(self) -> bool:
        """Whether the trial has ended for good."""
        return self in (TrialState.SUCCEEDED, TrialState.INFEASIBLE, TrialState.FAILED)


class Purpose(StrEnum):
    """Why a trial runs: to search, or to run a found or a given configuration again on a fresh seed."""

    SEARCH = "Search"
    CONFIRMATION = "Confirmation"
    BASELINE = "Baseline"


FIRST_CONFIRMATION = 100_000
"""Where the indices of confirmation and baseline trials begin: the largest budget ends there."""


def trial_name(study: str, index: int) -> str:
    """The name of a study's trial, which its run has too: ``study-7``, ``study-confirm-7``."""
    return f"{study}-{index}" if index < FIRST_CONFIRMATION else f"{study}-confirm-{index - FIRST_CONFIRMATION}"


class Source(StrEnum):
    """Where a trial's numbers came from."""

    PROMETHEUS = "Prometheus"
    ENDPOINT = "Endpoint"
    TERMINATION_RECORD = "TerminationRecord"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric. ``step`` is None where the trainer told no step."""

    step: int | None
    value: float


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric's series in short: enough to rank by it in either direction, by its best or by its final value.

    ``minimum`` and ``maximum`` are over the finite points, at the first step that reaches them, and None where no point
    is finite. ``final`` is the last point, finite or not.
    """

    count: int
    final: Sample
    minimum: Sample | None
    maximum: Sample | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric's points in the order in which they were reported; ``steps`` and ``values`` have one length."""

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class Trend:
    """Whether a stretch of a curve rises or falls, from ``step`` to the end.

    ``z`` is a standard normal deviate, positive where the values rise, of the clearer of two tests: Kendall's of their
    order, and the sign test of their steps. ``change`` is what they rise by, robustly (Theil and Sen).
    """

    z: float
    change: float
    step: int


@dataclass(frozen=True, slots=True)
class Period:
    """A curve's period in steps: ``p`` that it is chance, and the ``share`` of the variance that the phase explains."""

    steps: int
    p: float
    share: float


@dataclass(frozen=True, slots=True)
class CurveDiagnostics:
    """What the rules on training curves need of a metric's full curve, in either direction of the objective.

    ``noise`` is the standard deviation of an evaluation around the curve late in training (s_e), ``late`` the trend
    there; the trends after the extremes begin with the point after the extreme. ``settled_at_minimum`` is the first
    step within the noise of the lowest tenth of the late values, ``settled_at_maximum`` of the highest. ``gap_spread``
    is the distance between the outer tenths of the gaps between evaluations, but for the last, in median gaps, and
    ``repeated_steps`` counts points whose step is not beyond the one before: both 0 where the monitoring may have lost
    points. What too few points cannot tell is None.
    """

    evaluations: int
    median: float
    p90: float
    noise: float | None = None
    late: Trend | None = None
    after_minimum: Trend | None = None
    after_maximum: Trend | None = None
    settled_at_minimum: int | None = None
    settled_at_maximum: int | None = None
    period: Period | None = None
    gap_spread: float = 0.0
    repeated_steps: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that the trainer kept: where, at which step, with which objective."""

    step: int
    value: float
    path: str


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """What is asked of a trial.

    ``point`` is its unit-cube coordinates; ``parameters`` its hyperparameters' values by name. ``rerun_of`` is the
    index of the trial that a confirmation trial runs again.
    """

    study: str
    index: int
    arm: int
    purpose: Purpose
    point: tuple[float, ...]
    parameters: Mapping[str, Scalar]
    seed: int
    rerun_of: int | None = None

    @property
    def name(self) -> str:
        """The trial's name, which is its run's as well."""
        return trial_name(self.study, self.index)


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """What came of a trial.

    ``metrics`` has every series that was kept, ``curves`` the same thinned for plotting, ``diagnostics`` what the full
    curves told of those that were read back, and ``incomplete`` the names of those of which the trainer reported more
    points than could be read back. ``run`` identifies the run that the other fields tell of, and ``image`` is
    what it ran, by digest; ``failed_runs`` are those that an infrastructure failure ended: they are not counted against
    the trial, which runs again at the same point.
    """

    state: TrialState = TrialState.PENDING
    reason: str = ""
    message: str = ""
    objective: Sample | None = None
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    source: Source | None = None
    checkpoint: Checkpoint | None = None
    run: str = ""
    node: str = ""
    image: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    failed_runs: tuple[str, ...] = ()
    diagnostics: Mapping[str, CurveDiagnostics] = field(default_factory=dict)

    @property
    def attempts(self) -> int:
        """Runs begun for this trial: those that infrastructure failures ended, and the one that stands."""
        return len({*self.failed_runs, self.run} - {""})


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial's durable record."""

    spec: TrialSpec
    status: TrialStatus
