"""From an ended run to the trial's result.

The trainer's record is small and certain, its curves are large and may come late or not at all. So a result is never
lost for want of a curve: points that are missing are waited for a while, a source that is down is waited for longer,
and in the end the record alone is enough. What ended a run that did not come from the trial itself is no result: the
same point is run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from study_operator.backends.port import Run
from study_operator.controller.settings import ControllerSettings
from study_operator.metrics.source import CurveAnswer, CurveRequest, MetricsSource, SourceUnavailable
from study_operator.metrics.termination import RecordInvalid, parse_record
from study_operator.results.conclusion import conclude, missing_points
from study_operator.results.objective import Objective
from study_operator.results.taxonomy import DIVERGED, INFRASTRUCTURE, Record, RunEnd, classify, judged
from study_operator.results.trial import Trial, TrialState, TrialStatus

INLINE_POINTS = 1000
"""Points of a trial that are judged on the event loop, in about 3 ms; more go to a thread."""

METRICS_INCOMPLETE = "MetricsIncomplete"
METRICS_UNAVAILABLE = "MetricsUnavailable"
"""The reasons of a trial that awaits its metrics."""

VANISHED = RunEnd(None, "Vanished", "The run is gone, and nothing tells how it ended", disrupted=True)
"""The end of a run that was deleted, or lost with its node, before anybody saw it end."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The trial's status, and whether it is to be asked for again: not all that the trainer reported is there yet."""

    status: TrialStatus
    again: bool = False
    unavailable: SourceUnavailable | None = None


async def collect(
    trial: Trial,
    run: Run,
    objective: Objective,
    metrics: tuple[str, ...],
    source: MetricsSource,
    settings: ControllerSettings,
    now: datetime,
    waited: float,
) -> Collected:
    """What came of an ended ``run`` of ``trial``, as far as it is known ``now``.

    ``waited`` is for how many seconds it has been asked for, by the controller's own clock: the run's times are those
    of its node, whose clock may differ by more than the whole patience.
    """
    end = run.end or VANISHED
    record, problem = _record(run.termination)
    if classify(end, record, {}, objective).reason == INFRASTRUCTURE:
        return Collected(disrupted(trial.status, run.id, end, settings.infrastructure_retries))
    finished = run.finished or now
    answer, unavailable = await _ask(source, run, _wanted(metrics, record), finished)

    def judge() -> tuple[TrialStatus, tuple[str, ...]]:
        status = conclude(
            end,
            record,
            answer,
            objective,
            source=source.source,
            run=run.id,
            node=run.node,
            image=run.image,
            started=run.started,
            finished=finished,
            failed_runs=trial.status.failed_runs,
            problem=problem,
        )
        return status, missing_points(record, answer)

    points = sum(map(len, answer.curves.values())) if answer is not None else 0
    status, missing = await asyncio.to_thread(judge) if points > INLINE_POINTS else judge()
    unheard = end.exit_code == 0 and record is None and answer is not None and not (answer.curves or answer.final)
    patience = settings.metrics_deadline if unavailable else settings.metrics_patience
    if not (unheard or missing or unavailable) or waited >= patience:
        return Collected(status, unavailable=unavailable)
    return Collected(awaiting(status, missing, unavailable, patience), again=True, unavailable=unavailable)


def awaiting(
    status: TrialStatus, missing: tuple[str, ...], unavailable: SourceUnavailable | None, patience: float
) -> TrialStatus:
    """The status of a trial whose numbers may not all have arrived. Where it left no record none has: a source may lag
    behind, and nothing tells a trainer that never reported from one that was not heard yet.
    """
    reason = METRICS_UNAVAILABLE if unavailable else METRICS_INCOMPLETE
    if unavailable:
        message = str(unavailable)
    elif missing:
        message = f"Points are missing of {', '.join(missing)}; they are asked for {patience:g} s in all."
    else:
        message = (
            "The trainer exited with code 0 and left no readable record, and no metric of it has arrived; "
            f"one is asked for {patience:g} s in all."
        )
    return replace(status, state=TrialState.AWAITING_METRICS, reason=reason, message=message)


def disrupted(status: TrialStatus, run_id: str, end: RunEnd, retries: int) -> TrialStatus:
    """The status after an infrastructure failure: to be run again, or given up when that was done often enough."""
    failed_runs = (*status.failed_runs, run_id)
    told = end.message or end.reason
    if len(failed_runs) > retries:
        message = f"Given up after {len(failed_runs)} runs that infrastructure ended; the last: {told}"
        return replace(status, state=TrialState.FAILED, reason=INFRASTRUCTURE, message=message, failed_runs=failed_runs)
    message = f"Runs again at the same point, after: {told}"
    return TrialStatus(TrialState.PENDING, INFRASTRUCTURE, message, failed_runs=failed_runs)


def vanished(status: TrialStatus, objective: Objective, retries: int) -> TrialStatus:
    """The status of a trial whose run is gone. One that only awaited its curves has its record's numbers, and what they
    tell stands: that it ended well, or that it diverged.
    """
    told = judged(status, objective)
    # A series that ends in NaN is infeasible however its run ended; one that ends finite may be of a run that failed.
    known = status.objective is not None or told.reason == DIVERGED
    if status.state is TrialState.AWAITING_METRICS and known:
        return told
    return disrupted(status, status.run, VANISHED, retries)


def _record(termination: str) -> tuple[Record | None, str]:
    """The record, or why there is none though something was written."""
    if not termination.strip():
        return None, ""
    try:
        return parse_record(termination), ""
    except RecordInvalid as invalid:
        return None, str(invalid)


def _wanted(metrics: tuple[str, ...], record: Record | None) -> tuple[str, ...]:
    """The series to ask for: the study's own, and whatever else the trainer says it reported."""
    recorded: Mapping[str, object] = record.metrics if record else {}
    return tuple(dict.fromkeys([*metrics, *recorded]))


async def _ask(
    source: MetricsSource, run: Run, metrics: tuple[str, ...], finished: datetime
) -> tuple[CurveAnswer | None, SourceUnavailable | None]:
    started = run.started or finished
    request = CurveRequest(run.study.namespace, run.pod, metrics, started.timestamp(), finished.timestamp())
    try:
        return await source.curves(request), None
    except SourceUnavailable as unavailable:
        return None, unavailable
