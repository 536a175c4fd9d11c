"""What the charts of the arms draw: how the best of each compares, on the search's trials and on fresh seeds."""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.conclusions import Estimate, arms, best_of_m_curves, compare, isolation
from study_operator.findings.importance import importances
from study_operator.findings.plots import isolation_plots
from study_operator.report.chart_values import Json, axis_name, drawable, layout, number, reached
from study_operator.report.places import Places
from study_operator.report.report import Report, generator


def arms_isolated(report: Report) -> Json:
    """The best of each arm beside what it is expected to reach."""
    places = {arm.label: arm.index for arm in report.space.arms}
    found = [summary.estimate for summary in report.arms if summary.estimate is not None]
    return {
        "id": "isolation",
        "m": report.analysis.comparison.m,
        "groups": [_group(report, estimate, places[estimate.label]) for estimate in found],
    }


def values_isolated(report: Report) -> Iterator[Json]:
    """Each discrete scientific hyperparameter on its own, where there are several."""
    isolated = isolation(report.analysis.evidence)
    for position, (name, groups) in enumerate(isolated.items() if len(isolated) > 1 else ()):
        comparison = compare(groups.values(), generator(report))
        shown = [_group(report, estimate, place) for place, estimate in enumerate(comparison.estimates)]
        yield {"id": f"isolation-{position}", "hyperparameter": name, "m": comparison.m, "groups": shown}


def _group(report: Report, estimate: Estimate, color: int) -> Json:
    direction = report.objective.direction
    interval = None if estimate.interval is None else estimate.interval.turned(direction)
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


def ranges_isolated(report: Report, places: Places) -> Iterator[Json]:
    """The best trial in each part of a continuous scientific range."""
    for plot in isolation_plots(report.analysis.evidence):
        if plot.hyperparameter is None:
            continue  # that of the arms is drawn with what they are expected to reach
        arm = places.arm(plot.arm)
        yield {
            "id": places.isolation(plot.arm, plot.hyperparameter),
            "hyperparameter": axis_name(plot.hyperparameter, report.space.arms[arm]),
            "arm": arm,
            **layout([plot.hyperparameter]),
            "value": [drawable(point.value, choice=False) for point in plot.points],
            "objective": [number(point.objective) for point in plot.points],
            "trial": [point.trial for point in plot.points],
        }


def confirmation(report: Report) -> Json:
    """Each rerun of each configuration, with the score of the search, which has no part in the decision."""
    direction = report.objective.direction
    searched = {trial.spec.name: reached(trial) for trial in report.search}
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


def best_of_m(report: Report, places: Places) -> Iterator[Json]:
    """By arm, what a search of m trials is expected to reach."""
    direction = report.objective.direction
    groups = [group for group in arms(report.analysis.evidence) if places.drawn(group.label)]
    for label, points in best_of_m_curves(groups, generator(report)).items():
        intervals = [None if point.interval is None else point.interval.turned(direction) for point in points]
        yield {
            "arm": places.arm(label),
            "m": [point.m for point in points],
            "expected": [number(direction.minimised(point.expected)) for point in points],
            "low": [None if interval is None else number(interval.low) for interval in intervals],
            "high": [None if interval is None else number(interval.high) for interval in intervals],
        }


def importance(report: Report, places: Places) -> Iterator[Json]:
    """By arm, how much of the differences between trials each hyperparameter explains (rule 25)."""
    for arm in report.analysis.evidence.arms:
        known = importances(arm) if places.drawn(arm.label) else ()
        if known:
            yield {
                "arm": arm.arm.index,
                "hyperparameters": [axis_name(each.axis.hyperparameter, arm.arm) for each in known],
                "share": [number(each.share) for each in known],
                "low": [number(each.low) for each in known],
                "high": [number(each.high) for each in known],
            }
