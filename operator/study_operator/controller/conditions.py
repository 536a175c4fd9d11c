"""The conditions of a Study, as Kubernetes' tools read them.

``Ready`` says that the study is accepted and does what it can, also while it runs for days: a GitOps tool that waits
for it is not held up by the training. ``Reconciling`` is only while a manifest is being accepted, ``Stalled`` when a
person has to mend something, and ``Finished`` is what one waits for with ``kubectl wait``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from study_operator.api import time_text
from study_operator.controller.collect import METRICS_INCOMPLETE
from study_operator.controller.commands import failing
from study_operator.controller.confirmation import planned_reruns
from study_operator.controller.kinds import Kind
from study_operator.controller.settings import ControllerSettings
from study_operator.controller.state import StudyState
from study_operator.results.taxonomy import NO_RESULT
from study_operator.results.trial import TrialState, trial_name

_FACTS = frozenset({"Suspended", "Finished", "MetricsAvailable"})
"""What follows from the trials: until they were read again, it stands as it was told before."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``status`` is True, False, or None where it is not known."""

    type: str
    status: bool | None
    reason: str
    message: str = ""


def conditions(
    state: StudyState, settings: ControllerSettings, situation: str, now: datetime
) -> list[dict[str, object]]:
    """All conditions, by type; one whose status did not change keeps its transition time."""
    found = (
        _ready(state, settings, situation),
        _reconciling(state, situation),
        _stalled(state, settings),
        _suspended(state, situation),
        _finished(state, situation),
        _metrics_available(state),
    )
    before = _earlier(state.written_status)
    standing = before if state.told_before and not state.opened else {}
    return [
        dict(standing[condition.type])
        if condition.type in _FACTS and condition.type in standing
        else _shown(condition, state.generation, before, now)
        for condition in found
    ]


def refused_conditions(
    generation: int, message: str, told: Mapping[str, object], now: datetime
) -> list[dict[str, object]]:
    """The conditions of a study whose manifest cannot be read; what follows from its trials stands as it was told."""
    found = (
        Condition("Ready", False, "InvalidSpec", message),
        Condition("Reconciling", False, "Stalled"),
        Condition("Stalled", True, "InvalidSpec", message),
    )
    before = _earlier(told)
    shown = [_shown(condition, generation, before, now) for condition in found]
    return [*shown, *(dict(condition) for type, condition in before.items() if type in _FACTS)]


def problem(state: StudyState, settings: ControllerSettings) -> tuple[str, str] | None:
    """The reason and the sentence of what keeps the study from going on until somebody mends it."""
    for trouble in state.stalls.values():
        return trouble.reason, trouble.message
    if state.opened and failing(state, settings):
        example = next(trial for trial in state.ledger if trial.status.state is TrialState.FAILED)
        message = (
            f"The first {state.ledger.search.count(TrialState.FAILED)} trials failed and none has a result, "
            f"so no more are started. {example.spec.name}: {example.status.message}"
        )
        if example.status.reason != NO_RESULT:
            message += " Mend the cause and delete the failed trials: they run again at the same points."
        return "TrialsFailing", message
    return _stuck(state)


def _stuck(state: StudyState) -> tuple[str, str] | None:
    """What keeps every run of a study without a result from starting, where it is one and the same.

    A run that waits for a node is not stuck: nodes become free.
    """
    troubles = state.troubles()
    reasons = {trouble.reason for trouble in troubles.values()}
    if (
        state.ledger.search.concluded
        or not troubles
        or len(troubles) < len(state.runs)
        or len(reasons) > 1
        or state.unplaced
    ):
        return None
    index, trouble = next(iter(troubles.items()))
    return trouble.reason, f"No trial can start; {trial_name(state.key.name, index)}: {trouble.message}"


def _ready(state: StudyState, settings: ControllerSettings, situation: str) -> Condition:
    halted = problem(state, settings)
    if halted is not None:
        return Condition("Ready", False, "Stalled", halted[1])
    if not state.opened:
        return Condition("Ready", None, "Accepting", _waiting(state) or "The study is being checked.")
    return Condition("Ready", True, situation, _waiting(state))


def _waiting(state: StudyState) -> str:
    """Who waits for what: first what holds up the study, then the runs' own troubles, counted by reason."""
    held = [
        f"{trouble.reason}: {trouble.message}" for kind, trouble in sorted(state.holds.items()) if kind != Kind.COLLECT
    ]
    troubles = state.troubles()
    counts = Counter(trouble.reason for trouble in troubles.values())
    examples = {trouble.reason: (index, trouble.message) for index, trouble in reversed(troubles.items())}
    stuck = [
        f"{counts[reason]} of {len(state.runs)} runs {reason} ({trial_name(state.key.name, index)}: {message})"
        for reason, (index, message) in sorted(examples.items())
    ]
    return "; ".join([*held, *stuck])


def _reconciling(state: StudyState, situation: str) -> Condition:
    accepting = not state.opened and not state.stalls
    return Condition("Reconciling", accepting, "Accepting" if accepting else situation)


def _stalled(state: StudyState, settings: ControllerSettings) -> Condition:
    halted = problem(state, settings)
    return Condition("Stalled", False, "Progressing") if halted is None else Condition("Stalled", True, *halted)


def _suspended(state: StudyState, situation: str) -> Condition:
    if not state.study.spec.suspend:
        return Condition("Suspended", False, "NotSuspended")
    if situation == "Suspending":
        return Condition("Suspended", False, "Draining", f"{len(state.runs)} runs are to finish.")
    return Condition("Suspended", True, "Requested", "spec.suspend is true: no trial is started.")


def _finished(state: StudyState, situation: str) -> Condition:
    if situation != "Finished":
        return Condition("Finished", False, "InProgress")
    succeeded, total = state.ledger.search.count(TrialState.SUCCEEDED), len(state.ledger.search)
    reruns = state.ledger.reruns
    unstarted = max(0, state.planned - total) + max(0, planned_reruns(state) - len(reruns))
    reason = "DurationReached" if unstarted > 0 else "Completed" if succeeded else "NoResult"
    message = f"{succeeded} of {total} trials succeeded."
    if len(reruns):
        message += f" {reruns.count(TrialState.SUCCEEDED)} of {len(reruns)} reruns on fresh seeds did."
    if reason == "DurationReached":
        message += f" maxDuration was over before the other {unstarted} could start."
    return Condition("Finished", True, reason, message)


def _metrics_available(state: StudyState) -> Condition:
    if state.metrics_trouble:
        return Condition("MetricsAvailable", False, "SourceUnavailable", state.metrics_trouble)
    unranked = state.ledger.search.count(TrialState.SUCCEEDED) - len(state.ledger.ranking)
    if unranked:
        metric = state.study.objective.metric
        return Condition("MetricsAvailable", False, "SeriesNotKept", f"{unranked} trials kept no series of {metric}.")
    known = True if state.ledger.search.concluded else None
    if awaited := _awaited(state):
        return Condition("MetricsAvailable", known, "Awaited", awaited)
    return Condition("MetricsAvailable", known, "Collected" if known else "NoTrialYet")


def _awaited(state: StudyState) -> str:
    """The trials that were asked for their metrics and lack some, with the words of the first."""
    trials = (state.ledger.get(index) for index in sorted(state.collecting))
    lacking = [trial for trial in trials if trial is not None and trial.status.reason == METRICS_INCOMPLETE]
    return (
        f"{len(lacking)} trials await metrics; {lacking[0].spec.name}: {lacking[0].status.message}" if lacking else ""
    )


def _earlier(status: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    listed = status.get("conditions")
    return {str(condition["type"]): condition for condition in listed} if isinstance(listed, list) else {}


def _shown(
    condition: Condition, generation: int, before: Mapping[str, Mapping[str, object]], now: datetime
) -> dict[str, object]:
    status = {True: "True", False: "False", None: "Unknown"}[condition.status]
    earlier = before.get(condition.type, {})
    unchanged = earlier.get("status") == status
    return {
        "type": condition.type,
        "status": status,
        "reason": condition.reason,
        "message": condition.message,
        "observedGeneration": generation,
        "lastTransitionTime": earlier["lastTransitionTime"] if unchanged else time_text(now),
    }
