"""What the page's charts draw: plain numbers and texts, ready to be JSON.

The page decides how things look, and computes nothing that a report could say in words. Numbers have six significant
digits here, as many as an eye can tell apart; the exact ones are in the exported CSV.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study_operator.findings import Finding
from study_operator.findings.plots import AxisPlot, axis_plots
from study_operator.report.arm_charts import (
    arms_isolated,
    best_of_m,
    confirmation,
    importance,
    ranges_isolated,
    values_isolated,
)
from study_operator.report.chart_values import Json, axis_name, by_choice, drawable, layout, number, reached
from study_operator.report.curve_charts import curves
from study_operator.report.places import Places
from study_operator.report.report import Report
from study_operator.results.objective import Direction
from study_operator.results.sentences import clean
from study_operator.results.trial import Trial, TrialState
from study_operator.space import Range

_BOUNDS = {"search-space-boundary": "from", "infeasible-trials": "to", "learning-rate-edge": "threshold"}
"""By the rule, the number of its finding that is a bound on the axis."""


def chart_data(report: Report, places: Places) -> dict[str, Json]:
    """Everything that the page's scripts read."""
    objective = report.objective
    return {
        "study": report.name,
        "objective": {"metric": objective.metric, "minimize": objective.direction is Direction.MINIMIZE},
        "arms": [arm.label for arm in report.space.arms],
        "hyperparameters": [_hyperparameter(report, name) for name in report.varied],
        "trials": _trials(report),
        "isolation": [arms_isolated(report), *values_isolated(report), *ranges_isolated(report, places)],
        "confirmation": confirmation(report),
        "importance": list(importance(report, places)),
        "axes": [
            _axis(report, plot, places) for plot in axis_plots(report.analysis.evidence) if places.drawn(plot.arm)
        ],
        "curves": [curves(report, arm, places) for arm in report.analysis.evidence.arms if places.drawn(arm.label)],
        "bestOfM": list(best_of_m(report, places)),
    }


def _hyperparameter(report: Report, name: str) -> Json:
    """How an axis for a hyperparameter is laid out: over the ranges of all arms, or the choices of all."""
    return {"name": name, **_layout(report, name)}


def _layout(report: Report, name: str) -> dict[str, Json]:
    return layout([each for each in report.space.definitions if each.name == name])


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
    choices = {name for name in report.varied if by_choice(_layout(report, name))}
    return {
        "index": [trial.spec.index for trial in trials],
        "rank": [ranks.get(trial.spec.index) for trial in trials],
        "arm": [trial.spec.arm for trial in trials],
        "state": [trial.status.state.value for trial in trials],
        "infeasible": [trial.spec.index in diverged for trial in trials],
        "objective": [number(reached(trial)) for trial in trials],
        "step": [None if trial.status.objective is None else trial.status.objective.step for trial in trials],
        "said": [_said(trial) for trial in trials],
        "parameters": {
            name: [drawable(trial.spec.parameters.get(name), name in choices) for trial in trials]
            for name in report.varied
        },
    }


def _said(trial: Trial) -> str:
    """Why a trial has no result."""
    status = trial.status
    ended_well = status.state is TrialState.SUCCEEDED
    return "" if ended_well else clean(f"{status.reason}: {status.message}" if status.message else status.reason, 200)


def _axis(report: Report, plot: AxisPlot, places: Places) -> Json:
    arm = places.arm(plot.arm)
    return {
        "id": places.axis(plot.arm, plot.hyperparameter),
        "arm": arm,
        "hyperparameter": axis_name(plot.hyperparameter, report.space.arms[arm]),
        **layout([plot.hyperparameter]),
        "index": [point.index for point in plot.points],
        "value": [drawable(point.value, not isinstance(plot.hyperparameter.domain, Range)) for point in plot.points],
        "objective": [number(point.objective) for point in plot.points],
        "rank": [point.rank or 0 for point in plot.points],
        "marks": list(_axis_marks(plot, report.analysis.findings, places)),
    }


def _axis_marks(plot: AxisPlot, findings: Sequence[Finding], places: Places) -> Iterator[Json]:
    """Where on the axis a finding happens: at an end of the range, or beyond a bound of what trains."""
    for position, finding in enumerate(findings, 1):
        if places.of(finding) == places.axis(plot.arm, plot.hyperparameter):
            numbers = finding.numbers
            bound = numbers.get(_BOUNDS.get(finding.rule, ""))
            if isinstance(bound, int | float):
                yield {"finding": position, "at": number(float(bound)), "side": str(numbers.get("side", "max"))}
