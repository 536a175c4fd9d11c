"""What the charts of training curves draw, with the places that findings speak of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from study_operator.findings import ArmEvidence, Finding
from study_operator.findings.training_curves import BEST
from study_operator.report.chart_values import Json, number
from study_operator.report.places import Places
from study_operator.report.report import Report
from study_operator.results.trial import Trial

_SIDES = re.compile(
    r"(?<![^\W_])(training|train|validation|valid|val|evaluation|eval|dev|test)(?![^\W_])", re.IGNORECASE
)


def curves(report: Report, arm: ArmEvidence, places: Places) -> Json:
    """The curves of an arm's trials that the rules look at; ``best`` is the step that reached a trial's objective."""
    trials = [arm.trials[row] for row in arm.order[:BEST].tolist()]
    metrics = list(dict.fromkeys(name for trial in trials for name in trial.status.curves))
    return {
        "id": places.curves(arm.label),
        "arm": arm.arm.index,
        "pictures": _pictures(report, metrics),
        "trials": [
            {
                "name": trial.spec.name,
                "best": None if trial.status.objective is None else trial.status.objective.step,
                "steps": all(summary.final.step is not None for summary in trial.status.metrics.values()),
                "curves": {
                    name: [list(curve.steps), [number(value) for value in curve.values]]
                    for name, curve in trial.status.curves.items()
                },
            }
            for trial in trials
        ],
        "marks": list(_marks(report, trials)),
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


def _marks(report: Report, trials: Sequence[Trial]) -> Iterator[Json]:
    """Where what a finding speaks of begins; it lasts to the end of the curve."""
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
