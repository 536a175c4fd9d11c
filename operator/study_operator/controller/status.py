"""The status of a Study: a pure function of what is known of it.

Two controllers that know the same write the same bytes: every list has a stable order, every number that matters is
written as Python's repr, and a condition keeps its transition time while its status stays. It says who waits for what,
so that nobody has to read the operator's log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from study_operator.api import Phase, scalar_text, time_text
from study_operator.api.status import RANKED
from study_operator.controller.commands import expired, finished
from study_operator.controller.conditions import conditions, problem, refused_conditions
from study_operator.controller.confirmation import planned_reruns, search_over
from study_operator.controller.settings import ControllerSettings
from study_operator.controller.state import StudyState
from study_operator.results.ranking import Ranked
from study_operator.results.trial import TrialState, trial_name
from study_operator.space import Arm, Problem


def study_status(state: StudyState, settings: ControllerSettings, now: datetime) -> dict[str, object]:
    """The status in the form of the resource; ``now`` is used where something happened since the last one."""
    over = finished(state, now)
    situation = _situation(state, settings, now, over)
    now = now.replace(microsecond=0)
    objective = state.study.objective
    status: dict[str, object] = {
        "observedGeneration": state.generation,
        "state": situation,
        "conditions": conditions(state, settings, situation, now),
        "objective": {
            "metric": objective.metric,
            "direction": objective.direction.value,
            "selection": objective.selection.value,
        },
        "seed": state.seed,
        "sampler": "Bayesian" if state.study.spec.phase is Phase.EXPLOITATION else "Sobol",
        "startTime": time_text(state.started),
    }
    if state.lessons.findings:
        status["findings"] = list(state.lessons.findings)
    if not state.opened or state.space is None:
        return {**state.written_status, **status} if state.told_before else status
    status |= {
        "progress": _progress(state),
        "trials": _trial_counts(state),
        "ranking": [_ranked(state, rank, ranked) for rank, ranked in enumerate(state.ledger.ranking.top(RANKED), 1)],
        "arms": [_arm(state, arm) for arm in state.space.arms],
    }
    best = next(iter(state.ledger.ranking.top(1)), None)
    if best is not None:
        status["best"] = _best(state, best)
    if over and state.lessons.conclusion is not None:
        status["conclusion"] = state.lessons.conclusion
    if over and state.lessons.proposed_next is not None:
        status["proposedNext"] = state.lessons.proposed_next
    if over:
        status["completionTime"] = state.written_status.get("completionTime") or time_text(now)
    return status


def refused_status(
    generation: int, problems: Sequence[Problem], told: Mapping[str, object], now: datetime
) -> dict[str, object]:
    """The status of a study whose manifest cannot be read: its definition may be of another version. What was ``told``
    of its trials stands.
    """
    shown = refused_conditions(generation, sentences(problems), told, now.replace(microsecond=0))
    return {**told, "observedGeneration": generation, "state": "Stalled", "conditions": shown}


def sentences(problems: Sequence[Problem]) -> str:
    """All problems in one text, each with its field."""
    return "; ".join(f"{problem.path} {problem.message}" for problem in problems)


def _situation(state: StudyState, settings: ControllerSettings, now: datetime, over: bool) -> str:
    """The one word that the list of studies shows."""
    if over:
        return "Finished"
    if problem(state, settings) is not None:
        return "Stalled"
    if not state.opened:
        before = str(state.written_status["state"]) if state.told_before else "Pending"
        return "Pending" if before == "Stalled" else before
    if state.study.spec.suspend:
        return "Suspending" if state.runs else "Suspended"
    if expired(state, now):
        return "Finishing"
    if state.confirmation is not None and search_over(state):
        return "Confirming"
    begun = len(state.ledger) > state.ledger.count(TrialState.PENDING) + state.ledger.count(TrialState.QUEUED)
    return "Running" if begun else "Pending"


def _progress(state: StudyState) -> str:
    """``12/32``, and once the search is over the reruns with it: ``32/32 + 5/20``."""
    told = f"{state.ledger.search.concluded}/{state.planned}"
    reruns = planned_reruns(state) if search_over(state) else 0
    return f"{told} + {state.ledger.reruns.concluded}/{reruns}" if reruns else told


def _trial_counts(state: StudyState) -> dict[str, object]:
    counts: dict[str, object] = {"planned": state.planned}
    for trial_state in TrialState:
        counts[trial_state.value[0].lower() + trial_state.value[1:]] = state.ledger.search.count(trial_state)
    if state.confirmation is not None:
        reruns = state.ledger.reruns
        counts["confirmation"] = {
            "planned": planned_reruns(state),
            "running": len(reruns) - reruns.concluded,
            "succeeded": reruns.count(TrialState.SUCCEEDED),
            "infeasible": reruns.count(TrialState.INFEASIBLE),
            "failed": reruns.count(TrialState.FAILED),
        }
    return counts


def _parameters(state: StudyState, index: int) -> dict[str, str]:
    trial = state.ledger.get(index)
    assert trial is not None, "a ranked trial is in the ledger"
    return {name: scalar_text(value) for name, value in trial.spec.parameters.items()}


def _ranked(state: StudyState, rank: int, ranked: Ranked) -> dict[str, object]:
    return {"rank": rank, **_result(state, ranked)}


def _best(state: StudyState, ranked: Ranked) -> dict[str, object]:
    trial = state.ledger.get(ranked.index)
    checkpoint = trial.status.checkpoint if trial is not None else None
    return _result(state, ranked) | ({} if checkpoint is None else {"checkpoint": checkpoint.path})


def _result(state: StudyState, ranked: Ranked) -> dict[str, object]:
    assert state.space is not None, "a study with results was opened"
    step = {} if ranked.step is None else {"step": ranked.step}
    return {
        "trial": trial_name(state.key.name, ranked.index),
        "arm": state.space.arms[ranked.arm].label,
        "objective": repr(ranked.value),
        **step,
        "parameters": _parameters(state, ranked.index),
    }


def _arm(state: StudyState, arm: Arm) -> dict[str, object]:
    assert state.space is not None, "a study with arms was opened"
    arms = len(state.space.arms)
    counts = {
        "planned": len(range(arm.index, state.planned, arms)),
        "succeeded": state.ledger.search.count(TrialState.SUCCEEDED, arm.index),
        "infeasible": state.ledger.search.count(TrialState.INFEASIBLE, arm.index),
        "failed": state.ledger.search.count(TrialState.FAILED, arm.index),
    }
    parameters: Mapping[str, str] = {name: scalar_text(value) for name, value in arm.parameters.items()}
    shown: dict[str, object] = {"index": arm.index, "label": arm.label, "parameters": parameters, "trials": counts}
    best = state.ledger.ranking.best_of(arm.index)
    if best is not None:
        shown["best"] = {"trial": trial_name(state.key.name, best.index), "objective": repr(best.value)}
    if arm.index in state.lessons.intervals:
        shown["interval"] = state.lessons.intervals[arm.index]
    return shown
