"""What the page's charts draw: plain numbers and texts, ready to be JSON.

The page decides how things look, and computes nothing that a report could say in words. Numbers have six significant
digits here, as many as an eye can tell apart; the exact ones are in the exported CSV.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from study_operator.api.codec import scalar_text
from study_operator.conclusions import Estimate, arms, best_of_m_curves, compare, isolation
from study_operator.findings import ArmEvidence, Finding
from study_operator.findings.plots import AxisPlot, axis_plots, isolation_plots
from study_operator.report.places import Places
from study_operator.report.report import Report, generator, turned
from study_operator.results.objective import Direction
from study_operator.results.sentences import clean
from study_operator.results.trial import Trial, TrialState
from study_operator.scalar import Scalar
from study_operator.space import Hyperparameter, Range, ScaleName

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

BEST = 3
"""Trials of an arm whose training curves are drawn."""

_BOUNDS = {"search-space-boundary": "from", "infeasible-trials": "to", "learning-rate-edge": "threshold"}
"""By the rule, the number of its finding that is a bound on the axis."""

_SIDES = re.compile(
    r"(?<![^\W_])(training|train|validation|valid|val|evaluation|eval|dev|test)(?![^\W_])", re.IGNORECASE
)


def chart_data(report: Report, places: Places) -> dict[str, Json]:
    """Everything that the page's scripts read."""
    objective = report.objective
    return {
        "study": report.name,
        "objective": {"metric": objective.metric, "minimize": objective.direction is Direction.MINIMIZE},
        "arms": [arm.label for arm in report.space.arms],
        "hyperparameters": [_hyperparameter(report, name) for name in report.varied],
        "trials": _trials(report),
        "isolation": [_arms_isolated(report), *_values_isolated(report), *_ranges_isolated(report)],
        "confirmation": _confirmation(report),
        "axes": [
            _axis(report, plot, places) for plot in axis_plots(report.analysis.evidence) if places.drawn(plot.arm)
        ],
        "curves": [_curves(report, arm, places) for arm in report.analysis.evidence.arms if places.drawn(arm.label)],
        "bestOfM": list(_best_of_m(report, places)),
    }


def number(value: float | None) -> float | None:
    """Six significant digits; None for what is not finite, for which JSON has no word."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def _hyperparameter(report: Report, name: str) -> Json:
    """How an axis for a hyperparameter is laid out: over the ranges of all arms, or the choices of all."""
    definitions = [each for each in report.space.definitions if each.name == name]
    return {"name": name, **_layout(definitions)}


def _layout(definitions: Sequence[Hyperparameter]) -> dict[str, Json]:
    ranges = [each.domain for each in definitions if isinstance(each.domain, Range)]
    if len(ranges) < len(definitions):
        values = [value for each in definitions for value in each.values]
        return {"scale": "Choice", "choices": list(dict.fromkeys(map(scalar_text, values)))}
    scales = {each.scale for each in ranges}
    return {
        "scale": (scales.pop() if len(scales) == 1 else ScaleName.LINEAR).value,
        "min": min(each.minimum for each in ranges),
        "max": max(each.maximum for each in ranges),
        "integer": all(each.integer for each in ranges),
    }


def _trials(report: Report) -> Json:
    """The search's trials as columns, which are smaller than rows."""
    ranks = {ranked.index: rank for rank, ranked in enumerate(report.ranking, 1)}
    trials = report.search
    diverged = {
        trial.spec.index
        for arm in report.analysis.evidence.arms
        for trial, infeasible in zip(arm.trials, arm.infeasible.tolist(), strict=True)
        if infeasible
    }
    choices = {
        name
        for name in report.varied
        if any(not isinstance(each.domain, Range) for each in report.space.definitions if each.name == name)
    }
    return {
        "index": [trial.spec.index for trial in trials],
        "rank": [ranks.get(trial.spec.index) for trial in trials],
        "arm": [trial.spec.arm for trial in trials],
        "state": [trial.status.state.value for trial in trials],
        "infeasible": [trial.spec.index in diverged for trial in trials],
        "objective": [number(_reached(trial)) for trial in trials],
        "step": [None if trial.status.objective is None else trial.status.objective.step for trial in trials],
        "said": [_said(trial) for trial in trials],
        "parameters": {
            name: [_value(trial.spec.parameters.get(name), name in choices) for trial in trials]
            for name in report.varied
        },
    }


def _reached(trial: Trial) -> float | None:
    ended_well = trial.status.state is TrialState.SUCCEEDED and trial.status.objective is not None
    return trial.status.objective.value if ended_well and trial.status.objective else None


def _said(trial: Trial) -> str:
    """Why a trial has no result."""
    status = trial.status
    ended_well = status.state is TrialState.SUCCEEDED
    return "" if ended_well else clean(f"{status.reason}: {status.message}" if status.message else status.reason, 200)


def _value(value: Scalar | None, choice: bool) -> Json:
    if value is None or (choice and not isinstance(value, str)):
        return None if value is None else scalar_text(value)
    return number(value) if isinstance(value, float) else value


def _arms_isolated(report: Report) -> Json:
    places = {arm.label: arm.index for arm in report.space.arms}
    found = [summary.estimate for summary in report.arms if summary.estimate is not None]
    return {
        "id": "isolation",
        "m": report.analysis.comparison.m,
        "groups": [_group(report, estimate, places[estimate.label]) for estimate in found],
    }


def _values_isolated(report: Report) -> Iterator[Json]:
    """Each discrete scientific hyperparameter on its own, where there are several."""
    isolated = isolation(report.analysis.evidence)
    for position, (name, groups) in enumerate(isolated.items() if len(isolated) > 1 else ()):
        comparison = compare(groups.values(), generator(report))
        shown = [_group(report, estimate, place) for place, estimate in enumerate(comparison.estimates)]
        yield {"id": f"isolation-{position}", "hyperparameter": name, "m": comparison.m, "groups": shown}


def _group(report: Report, estimate: Estimate, color: int) -> Json:
    direction = report.objective.direction
    interval = None if estimate.interval is None else turned(estimate.interval, direction)
    return {
        "label": estimate.label,
        "color": color,
        "trials": estimate.trials,
        "infeasible": estimate.infeasible,
        "best": number(direction.minimised(estimate.best)),
        "expected": number(direction.minimised(estimate.expected)),
        "low": None if interval is None else number(interval.low),
        "high": None if interval is None else number(interval.high),
    }


def _ranges_isolated(report: Report) -> Iterator[Json]:
    """The best trial in each part of a continuous scientific range."""
    places = {arm.label: arm.index for arm in report.space.arms}
    for plot in isolation_plots(report.analysis.evidence)[1:]:
        definition = _definition(report, places[plot.arm], plot.hyperparameter)
        yield {
            "id": f"isolation-range-{places[plot.arm]}-{report.space.dimensions.index(plot.hyperparameter)}",
            "hyperparameter": plot.hyperparameter,
            "arm": places[plot.arm],
            **_layout([definition]),
            "value": [_value(point.value, plot.scale is None) for point in plot.points],
            "objective": [number(point.objective) for point in plot.points],
            "trial": [point.trial for point in plot.points],
        }


def _definition(report: Report, arm: int, name: str) -> Hyperparameter:
    return next(each for each in report.space.hyperparameters(arm) if each.name == name and each.sampled)


def _confirmation(report: Report) -> Json:
    direction = report.objective.direction
    searched = {trial.spec.name: _reached(trial) for trial in report.search}
    return [
        {
            "label": reruns.name,
            "arm": reruns.arm,
            "values": [number(direction.minimised(value)) for value in reruns.values],
            "mean": number(direction.minimised(reruns.mean)) if reruns.values else None,
            "searched": number(searched.get(reruns.name)),
        }
        for reruns in report.confirmed
    ]


def _axis(report: Report, plot: AxisPlot, places: Places) -> Json:
    arm = places.arm(plot.arm)
    return {
        "id": places.axis(plot.arm, plot.hyperparameter),
        "arm": arm,
        "hyperparameter": plot.hyperparameter,
        **_layout([_definition(report, arm, plot.hyperparameter)]),
        "index": [point.index for point in plot.points],
        "value": [_value(point.value, plot.scale is None) for point in plot.points],
        "objective": [number(point.objective) for point in plot.points],
        "rank": [point.rank or 0 for point in plot.points],
        "marks": list(_axis_marks(plot, report.analysis.findings)),
    }


def _axis_marks(plot: AxisPlot, findings: Sequence[Finding]) -> Iterator[Json]:
    """Where on the axis a finding happens: at an end of the range, or beyond a bound of what trains."""
    for position, finding in enumerate(findings, 1):
        if (finding.subject.arm, finding.subject.hyperparameter) == (plot.arm, plot.hyperparameter):
            numbers = finding.numbers
            bound = numbers.get(_BOUNDS.get(finding.rule, ""))
            if isinstance(bound, int | float):
                yield {"finding": position, "at": number(float(bound)), "side": str(numbers.get("side", "max"))}


def _curves(report: Report, arm: ArmEvidence, places: Places) -> Json:
    trials = [arm.trials[row] for row in arm.order[:BEST].tolist()]
    metrics = list(dict.fromkeys(name for trial in trials for name in trial.status.curves))
    return {
        "id": places.curves(arm.label),
        "arm": arm.arm.index,
        "pictures": _pictures(report, metrics),
        "trials": [
            {
                "name": trial.spec.name,
                "steps": all(summary.final.step is not None for summary in trial.status.metrics.values()),
                "curves": {
                    name: [list(curve.steps), [number(value) for value in curve.values]]
                    for name, curve in trial.status.curves.items()
                },
            }
            for trial in trials
        ],
        "marks": list(_curve_marks(report, trials)),
    }


def _pictures(report: Report, metrics: Iterable[str]) -> Json:
    """Metrics that belong into one picture, the training's and the validation's side of it; the objective's first."""
    training = set(report.analysis.evidence.training_metrics) - {report.objective.metric}
    pictures: dict[str, list[str]] = {_side_left_out(report.objective.metric): []}
    for metric in metrics:
        pictures.setdefault(_side_left_out(metric), []).append(metric)
    return [
        {
            "title": title,
            "metrics": [
                {"name": metric, "training": metric in training}
                for metric in sorted(members, key=_objective_first(report))
            ],
        }
        for title, members in pictures.items()
        if members
    ]


def _objective_first(report: Report) -> Callable[[str], tuple[bool, str]]:
    return lambda metric: (metric != report.objective.metric, metric)


def _side_left_out(metric: str) -> str:
    """``error`` of ``train_error`` and ``validation_error``."""
    return re.sub(r"[\W_]+", " ", _SIDES.sub(" ", metric.replace("_", " "))).strip() or metric


def _curve_marks(report: Report, trials: Sequence[Trial]) -> Iterator[Json]:
    names = {trial.spec.name for trial in trials}
    for position, finding in enumerate(report.analysis.findings, 1):
        if finding.step is not None and finding.subject.trial in names:
            metric = _metric_of(report, finding)
            yield {"finding": position, "trial": finding.subject.trial, "step": finding.step, "metric": metric}


def _metric_of(report: Report, finding: Finding) -> str:
    """The metric whose curve a finding speaks of: the objective's, unless it names another one."""
    evidence = report.analysis.evidence
    others = (*evidence.training_metrics, *evidence.validation_metrics)
    words = re.split(r"[^\w.:]+", finding.message)
    if report.objective.metric in words:
        return report.objective.metric
    return next((name for name in others if name in words), report.objective.metric)


def _best_of_m(report: Report, places: Places) -> Iterator[Json]:
    direction = report.objective.direction
    groups = [group for group in arms(report.analysis.evidence) if places.drawn(group.label)]
    for label, points in best_of_m_curves(groups, generator(report)).items():
        intervals = [None if point.interval is None else turned(point.interval, direction) for point in points]
        yield {
            "arm": places.arm(label),
            "m": [point.m for point in points],
            "expected": [number(direction.minimised(point.expected)) for point in points],
            "low": [None if interval is None else number(interval.low) for interval in intervals],
            "high": [None if interval is None else number(interval.high) for interval in intervals],
        }
