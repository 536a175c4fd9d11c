"""The turns of a study that a person wants to see, read from two statuses that follow each other.

They are derived from what was written, so that an announcement is never of something that was not persisted, and a
restart repeats none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from study_operator.backends.port import Announcement, Severity


def announcements(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Announcement]:
    """What happened between two statuses."""
    return list(_turns(before, after))


def _turns(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Announcement]:
    was, now = _conditions(before), _conditions(after)
    if "trials" in after and "trials" not in before:
        trials, arms = after["trials"]["planned"], len(after["arms"])
        yield _normal(
            "Accepted",
            f"{trials} trials in {_counted(arms, 'arm')}, sampled by {after['sampler']}, seed {after['seed']}"
            f"{_then_confirmed(after)}.",
        )
    elif "trials" in before and before["trials"]["planned"] != after.get("trials", before["trials"])["planned"]:
        yield _normal("BudgetChanged", f"From {before['trials']['planned']} to {after['trials']['planned']} trials.")
    if _objective(before) and _objective(before) != _objective(after):
        yield _normal("ObjectiveChanged", f"The trials are ranked anew by {_objective(after)}.")
    if _began("Stalled", was, now) or (_reason("Stalled", was) != _reason("Stalled", now) and _is("Stalled", now)):
        yield Announcement(Severity.WARNING, _reason("Stalled", now), now["Stalled"]["message"])
    if _is("Stalled", was) and not _is("Stalled", now):
        yield _normal("Recovered", f"What stalled the study has passed ({_reason('Stalled', was)}).")
    if _began("Suspended", was, now):
        yield _normal("Suspended", "All running trials have finished; no more are started.")
    if _is("Suspended", was) and not _is("Suspended", now):
        yield _normal("Resumed", "Trials are started again.")
    if (
        now.get("MetricsAvailable", {}).get("status") == "False"
        and was.get("MetricsAvailable", {}).get("status") != "False"
    ):
        yield Announcement(Severity.WARNING, _reason("MetricsAvailable", now), now["MetricsAvailable"]["message"])
    if after.get("state") == "Confirming" and before.get("state") != "Confirming":
        reruns = after["trials"]["confirmation"]["planned"]
        yield _normal("Confirming", f"The search is over; {reruns} reruns on fresh seeds confirm the best of it.")
    if _began("Finished", was, now):
        best = after.get("best")
        result = (
            f"Best: {best['trial']} ({best['arm']}) with {best['objective']}." if best else "No trial has a result."
        )
        yield _normal("Finished", f"{now['Finished']['message']} {result}")
        if "conclusion" in after and "confirmation" in after["trials"]:
            yield _normal("Concluded", f"{after['conclusion']['verdict']}: {after['conclusion']['statement']}")


def _normal(reason: str, message: str) -> Announcement:
    return Announcement(Severity.NORMAL, reason, message)


def _then_confirmed(status: Mapping[str, Any]) -> str:
    """The reruns that were asked for: their number is known before the study starts."""
    reruns = status["trials"].get("confirmation", {}).get("planned", 0)
    return f"; then {reruns} reruns on fresh seeds, to confirm the best" if reruns else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _conditions(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition["type"]: condition for condition in status.get("conditions", [])}


def _is(kind: str, conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    return conditions.get(kind, {}).get("status") == "True"


def _began(kind: str, was: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> bool:
    return _is(kind, now) and not _is(kind, was)


def _reason(kind: str, conditions: Mapping[str, Mapping[str, Any]]) -> str:
    return str(conditions.get(kind, {}).get("reason", ""))


def _objective(status: Mapping[str, Any]) -> str:
    objective = status.get("objective")
    return f"{objective['selection']} {objective['metric']}, {objective['direction']}" if objective else ""
