"""Questions that come up afterwards: the same trials under another objective, without a rerun.

Quasi-random points were drawn regardless of the results, so they answer any objective that was recorded. What was
measured stays as it is; the ranking, the findings and the conclusion are made anew from what each trial kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from study_operator.api.parts import Phase
from study_operator.api.study import Study
from study_operator.findings.metric_names import better
from study_operator.results.objective import Direction, Objective, Selection
from study_operator.results.taxonomy import reclassify
from study_operator.results.trial import Trial


class Unanswerable(ValueError):
    """The trials kept nothing that answers the question; the message tells what they did keep."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Another objective; what is None stays as the study has it."""

    metric: str | None = None
    direction: Direction | None = None
    selection: Selection | None = None


def ask(study: Study, trials: Sequence[Trial], asked: Asked) -> tuple[Study, tuple[Trial, ...], str]:
    """The study and its trials under another objective, and a sentence on it, which is empty where nothing is asked.

    Raises Unanswerable.
    """
    objective = _objective(study, trials, asked)
    if objective == study.objective:
        return study, tuple(trials), ""
    spec = study.spec
    changed: dict[str, object] = {"metric": objective.metric, "direction": objective.direction}
    update: dict[str, object] = {}
    told = f"ranked by {_words(objective)}, where the study itself is ranked by {_words(study.objective)}"
    if objective.metric != study.objective.metric:
        changed["chance"] = None
        if spec.confirmation is not None and spec.confirmation.margin:
            update["confirmation"] = spec.confirmation.model_copy(update={"margin": 0.0})
            told += "; the margin of the confirmation is one of the study's metric, and is left out"
    if spec.phase is Phase.EXPLOITATION:
        told += "; its points were chosen for the study's objective, so this one was searched for less evenly"
    update["objective"] = spec.objective.model_copy(update=changed | {"selection": objective.selection})
    other = study.model_copy(update={"spec": spec.model_copy(update=update)})
    told += ". The question was chosen when the results could be seen, so take what it concludes for a hint."
    return other, tuple(replace(trial, status=reclassify(trial.status, objective)) for trial in trials), told


def _objective(study: Study, trials: Sequence[Trial], asked: Asked) -> Objective:
    own = study.objective
    metric = asked.metric or own.metric
    known = {name for trial in trials for name in trial.status.metrics}
    if metric != own.metric and metric not in known:
        kept = ", ".join(sorted(known)) or "none at all"
        raise Unanswerable(f"no trial kept the metric {metric}; those that were kept: {kept}")
    direction = asked.direction or (own.direction if metric == own.metric else better(metric))
    if direction is None:
        raise Unanswerable(f"whether {metric} gets better as it falls or as it rises is not known; give --direction")
    return Objective(metric, direction, asked.selection or own.selection)


def _words(objective: Objective) -> str:
    point = "best" if objective.selection is Selection.BEST else "final"
    better_is = "smaller" if objective.direction is Direction.MINIMIZE else "larger"
    return f"the {point} {objective.metric} ({better_is} is better)"
