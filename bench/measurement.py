"""What one contender did with one cluster, as numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.audit import Request, refills, times, writes
from bench.cluster import LOOP, OPERATOR

JOB_LOOP, POD_LOOP, OPERATOR_RUN, SCRAPED = "loop on Jobs", "loop on pods", "operator", "operator with Prometheus"


@dataclass(frozen=True, slots=True)
class Cell:
    """What all contenders do alike: so many trials, ``parallelism`` at a time, whose pods run ``pod_seconds``."""

    queries_per_second: int
    trials: int
    parallelism: int
    pod_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """A contender's process: CPU seconds it took for the whole run, resident bytes before and after it."""

    cpu: float
    resident_before: int
    resident_after: int


@dataclass(frozen=True, slots=True)
class Refill:
    """Seconds from an end to the next Job: over all, and over the first and last tenth of the ends."""

    p50: float
    p95: float
    first_tenth_p50: float
    first_tenth_p95: float
    last_tenth_p50: float
    last_tenth_p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Refill:
        tenth = max(1, len(seconds) // 10)
        first, last = seconds[:tenth], seconds[-tenth:]
        return cls(*(quantile(part, q) for part in (seconds, first, last) for q in (0.5, 0.95)))


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of one contender.

    ``per_second`` counts from the first Job's creation until the last Job was Complete and, for the operator, the last
    Trial's result was durable. ``after_pod`` is the refill after a pod's terminal phase, ``after_job`` that after the
    Job controller's Complete condition. ``load`` is the machine's load average at the end: far above that of other
    runs, it tells that the run was disturbed.
    """

    contender: str
    cell: Cell
    per_second: float
    first_job: float | None
    after_pod: Refill
    after_job: Refill
    writes: dict[str, int]
    cost: Cost
    api_server_resident: int
    load: float

    @property
    def cpu_per_trial(self) -> float:
        return self.cost.cpu / self.cell.trials

    @property
    def writes_per_trial(self) -> float:
        return sum(self.writes.values()) / self.cell.trials

    @classmethod
    def of(
        cls,
        contender: str,
        requests: Sequence[Request],
        cell: Cell,
        cost: Cost,
        api_server_resident: int,
        load: float,
    ) -> Measurement:
        """Raises AssertionError where the log does not show each trial's Job from its creation to its end."""
        user = LOOP if contender in (JOB_LOOP, POD_LOOP) else OPERATOR
        started = sorted(times(requests, "create", "jobs", user=user).values())
        jobs = sorted(times(requests, "update", "jobs/status").values())
        pods = sorted(times(requests, "patch", "pods/status", agent="kwok").values())
        seen = (len(started), len(pods), len(jobs))
        assert seen == (cell.trials,) * 3, f"{cell.trials} trials, but Jobs created, pods and Jobs ended: {seen}"
        results = times(requests, "patch", "trials/status", user=user).values()
        study = times(requests, "create", "studies").values()
        return cls(
            contender=contender,
            cell=cell,
            per_second=cell.trials / (max([*jobs, *results]) - started[0]),
            first_job=started[0] - min(study) if study else None,
            after_pod=Refill.of(refills(started, pods, cell.parallelism)),
            after_job=Refill.of(refills(started, jobs, cell.parallelism)),
            writes=dict(writes(requests, user)),
            cost=cost,
            api_server_resident=api_server_resident,
            load=load,
        )


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least the share ``q`` of the values does not exceed; nan of none."""
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)] if values else math.nan


def median(runs: Sequence[Measurement]) -> Measurement:
    """The run whose rate is the median: its figures stay together, as they were measured."""
    middle = statistics.median_low(run.per_second for run in runs)
    return next(run for run in runs if run.per_second == middle)
