"""The conclusion: a finished trial's status, from what three witnesses say.

The backend tells how the run ended, the trainer's record what it found, the metrics source the curves. The record is
the final word; a curve that agrees with it by count and fingerprint is the same word in full. Where they disagree,
points were lost on the way: the record's numbers stand, and the metric is named as incomplete.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from study_operator.results.curve import CurveAnswer, fingerprint, summarize, thin
from study_operator.results.diagnostics import diagnose
from study_operator.results.objective import Objective, objective_of
from study_operator.results.sentences import sentence
from study_operator.results.taxonomy import Record, RecordedMetric, RunEnd, classify
from study_operator.results.trial import (
    Checkpoint,
    Curve,
    CurveDiagnostics,
    MetricSummary,
    Sample,
    Source,
    TrialState,
    TrialStatus,
)

METRICS_KEPT = 16
"""Metrics of a trial that its status keeps, as many as the SDK takes."""

_NOTHING = CurveAnswer({}, has_steps=False)


def conclude(
    end: RunEnd,
    record: Record | None,
    answer: CurveAnswer | None,
    objective: Objective,
    *,
    source: Source,
    run: str = "",
    node: str = "",
    image: str = "",
    started: datetime | None = None,
    finished: datetime | None = None,
    failed_runs: tuple[str, ...] = (),
    problem: str = "",
) -> TrialStatus:
    """The trial's final status.

    ``source`` is where ``answer`` came from; the status says TerminationRecord instead where the record gave the
    numbers. ``problem`` says why there is no record though the trainer wrote something; it is told where the trial has
    no result.
    """
    known = answer or _NOTHING
    recorded = {} if record is None else record.metrics
    names = _kept((*recorded, *known.curves), objective.metric)
    agreeing = _agreeing(recorded, known)
    metrics = {
        name: _summary(recorded.get(name), known.curves[name] if name in agreeing else None, known.has_steps)
        for name in names
    }
    verdict = classify(end, record, metrics, objective)
    reached = objective_of(metrics, objective) if verdict.state is TrialState.SUCCEEDED else None
    hints = (problem, known.problem) if verdict.state is TrialState.FAILED else ()
    return TrialStatus(
        state=verdict.state,
        reason=verdict.reason,
        message=" ".join((verdict.message, *(sentence(hint) for hint in hints if hint))),
        objective=reached,
        metrics=metrics,
        curves=_plotted(metrics, known.curves),
        incomplete=tuple(name for name in _incomplete(recorded, agreeing) if name in metrics),
        source=_source(names, agreeing, objective.metric, source),
        checkpoint=_checkpoint(record, reached),
        run=run,
        node=node,
        image=image,
        started=started,
        finished=finished,
        failed_runs=failed_runs,
        diagnostics=_diagnosed(metrics, known, whole=[name for name in agreeing if _counted(recorded.get(name))]),
    )


def _checkpoint(record: Record | None, reached: Sample | None) -> Checkpoint | None:
    """The checkpoint of the objective's step, else the one that the trainer holds for the best."""
    kept = () if record is None else record.checkpoints
    of_step = (checkpoint for checkpoint in kept if reached is not None and checkpoint.step == reached.step)
    return next(of_step, next(iter(kept), None))


def missing_points(record: Record | None, answer: CurveAnswer | None) -> tuple[str, ...]:
    """The metrics of which the trainer reported more than the source has shown yet: those worth asking for again."""
    known = answer or _NOTHING
    if record is None or known.final:
        return ()
    return _incomplete(record.metrics, _agreeing(record.metrics, known))


def _agreeing(recorded: Mapping[str, RecordedMetric], answer: CurveAnswer) -> frozenset[str]:
    """The metrics whose curve is all that the trainer reported, as far as the record can tell."""
    return frozenset(
        name for name, curve in answer.curves.items() if _agrees(recorded.get(name), curve, answer.has_steps)
    )


def _agrees(metric: RecordedMetric | None, curve: Curve, has_steps: bool) -> bool:
    if metric is None or metric.final_only:
        return True
    if not has_steps or metric.summary.count != len(curve):
        return False
    if metric.sha256 is None:
        return repr(metric.summary.final) == repr(Sample(curve.steps[-1], curve.values[-1]))
    return metric.sha256 == fingerprint(curve)


def _incomplete(recorded: Mapping[str, RecordedMetric], agreeing: Collection[str]) -> tuple[str, ...]:
    """A metric that was reported once is complete in the record."""
    return tuple(sorted(name for name, metric in recorded.items() if metric.summary.count > 1 and name not in agreeing))


def _kept(names: tuple[str, ...], objective: str) -> list[str]:
    """The objective's metric first, then the others as they came, up to the limit."""
    distinct = dict.fromkeys(names)
    return sorted(distinct, key=lambda name: name != objective)[:METRICS_KEPT]


def _summary(metric: RecordedMetric | None, curve: Curve | None, has_steps: bool) -> MetricSummary:
    """From the curve where it agrees with the record, else (None) from the record alone."""
    if curve is None:
        assert metric is not None, "without a record every curve agrees"
        return metric.summary
    summary = summarize(curve) if has_steps else _without_steps(summarize(curve))
    return summary if metric is None else _ending_with(summary, metric.summary.final)


def _without_steps(summary: MetricSummary) -> MetricSummary:
    def stepless(sample: Sample | None) -> Sample | None:
        return None if sample is None else replace(sample, step=None)

    return MetricSummary(
        summary.count, Sample(None, summary.final.value), stepless(summary.minimum), stepless(summary.maximum)
    )


def _ending_with(summary: MetricSummary, final: Sample) -> MetricSummary:
    """The summary of a curve whose last point, told by the record alone, may have come after the last one seen."""
    if repr(final.value) == repr(summary.final.value):
        return summary
    if not math.isfinite(final.value):
        return replace(summary, count=summary.count + 1, final=final)
    lowest = final if summary.minimum is None or final.value < summary.minimum.value else summary.minimum
    highest = final if summary.maximum is None or final.value > summary.maximum.value else summary.maximum
    return MetricSummary(summary.count + 1, final, lowest, highest)


def _plotted(metrics: Mapping[str, MetricSummary], curves: Mapping[str, Curve]) -> dict[str, Curve]:
    plotted = {name: thin(curves[name]) if name in curves else _single_point(metrics[name]) for name in metrics}
    return {name: curve for name, curve in plotted.items() if curve}


def _counted(metric: RecordedMetric | None) -> bool:
    """Whether the trainer told how many points there are."""
    return metric is not None and not metric.final_only


def _diagnosed(
    metrics: Mapping[str, MetricSummary], answer: CurveAnswer, whole: Collection[str]
) -> dict[str, CurveDiagnostics]:
    """Of the curves that were read; ``whole`` are the metrics whose every point is there, by the trainer's word.

    A curve whose points are merely numbered tells nothing beside a summary with steps: the 40th is not step 40.
    """
    found = {
        name: diagnose(answer.curves[name], whole=name in whole)
        for name, summary in metrics.items()
        if name in answer.curves and (answer.has_steps or summary.final.step is None)
    }
    return {name: diagnostics for name, diagnostics in found.items() if diagnostics is not None}


def _single_point(summary: MetricSummary) -> Curve:
    """The whole curve of a metric that was reported once; nothing of any other."""
    point = summary.minimum
    if summary.count != 1 or point is None or point.step is None:
        return Curve((), ())
    return Curve((point.step,), (point.value,))


def _source(names: Collection[str], agreeing: Collection[str], objective: str, source: Source) -> Source | None:
    """Where the objective's numbers came from, or any numbers where the objective has none."""
    if not names:
        return None
    read = objective in agreeing if objective in names else bool(agreeing)
    return source if read else Source.TERMINATION_RECORD
