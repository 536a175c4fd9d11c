"""What the controller tells of a study in its status.

Numbers whose last digit matters are texts, and every list is bounded and stably ordered, so that a status of ten
thousand trials stays small and is only written when it says something new.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from study_operator.api.cel import Model
from study_operator.api.fields import Label, Message, NumberText, Path, Reason, ScalarText, TrialName
from study_operator.api.lessons import FINDINGS, Conclusion, Finding, Interval, ProposedNext
from study_operator.api.parts import ObjectiveSpec
from study_operator.api.trial import Count, Step
from study_operator.space.arms import LIMIT as MOST_ARMS

RANKED = 20
"""How many trials the ranking shows."""

Parameters = Annotated[dict[str, ScalarText], Field(max_length=64)]

_INTERVAL = {"low": "0.0231", "high": "0.0312"}
_PARAMETERS = {"optimizer": "adam", "learning_rate": "0.0031622776601683794"}
_BEST = {
    "trial": "digits-optimizer-r1-12",
    "arm": "optimizer=adam",
    "objective": "0.0289",
    "parameters": _PARAMETERS,
}


class Condition(Model):
    """One aspect of the study's state, in the form that Kubernetes' tools know."""

    type: str = Field(
        min_length=1,
        max_length=64,
        description="Ready, Reconciling, Stalled, Suspended, Finished or MetricsAvailable.",
        examples=["Finished"],
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.", examples=["True"])
    reason: Reason = Field(description="Why, in a word.", examples=["Completed"])
    message: Message = Field(description="Why, in a sentence.", examples=["31 of 32 trials succeeded."])
    last_transition_time: datetime = Field(description="When `status` last changed.", examples=["2026-11-24T20:14:05Z"])
    observed_generation: Count = Field(default=0, description="The generation of the spec it is about.", examples=[1])


class ConfirmationCounts(Model):
    """How many of the reruns on fresh seeds are in each state."""

    planned: Count = Field(default=0, description="What spec.confirmation asks for.", examples=[20])
    running: Count = Field(default=0, description="Recorded, and not yet ended.", examples=[4])
    succeeded: Count = Field(default=0, description="Ended with an objective.", examples=[11])
    infeasible: Count = Field(default=0, description="Ended without one because of their parameters.", examples=[0])
    failed: Count = Field(default=0, description="Ended without one for another reason.", examples=[0])


class TrialCounts(Model):
    """How many trials are in each state; without those planned, they are the trials that exist."""

    planned: Count = Field(default=0, description="The budget.", examples=[32])
    pending: Count = Field(default=0, description="Recorded, and not yet started.", examples=[0])
    queued: Count = Field(default=0, description="Started, and waiting for a place to run.", examples=[1])
    running: Count = Field(default=0, description="Running.", examples=[3])
    awaiting_metrics: Count = Field(default=0, description="Ended, and their metrics not yet read.", examples=[0])
    succeeded: Count = Field(default=0, description="Ended with an objective.", examples=[12])
    infeasible: Count = Field(
        default=0,
        description="Ended without one because of their parameters: diverged, or out of memory.",
        examples=[1],
    )
    failed: Count = Field(default=0, description="Ended without one for another reason.", examples=[0])
    confirmation: ConfirmationCounts | None = Field(
        default=None,
        description="The reruns on fresh seeds, which are not counted above.",
        examples=[{"planned": 20, "running": 4, "succeeded": 11}],
    )


class ArmCounts(Model):
    """How many of an arm's trials are in each final state."""

    planned: Count = Field(default=0, description="Its share of the budget.", examples=[16])
    succeeded: Count = Field(default=0, description="Ended with an objective.", examples=[6])
    infeasible: Count = Field(default=0, description="Ended without one because of their parameters.", examples=[1])
    failed: Count = Field(default=0, description="Ended without one for another reason.", examples=[0])


class Best(Model):
    """The best trial so far."""

    trial: TrialName = Field(description="Its name.", examples=["digits-optimizer-r1-12"])
    arm: Label = Field(description="Its arm.", examples=["optimizer=adam"])
    objective: NumberText = Field(description="Its objective, exact.", examples=["0.028888888888888888"])
    step: Step | None = Field(default=None, description="The step that reached it.", examples=[520])
    parameters: Parameters = Field(description="Its hyperparameters' values, exact.", examples=[_PARAMETERS])
    checkpoint: Path | None = Field(
        default=None, description="Where its best checkpoint is.", examples=["checkpoints/000520"]
    )


class Ranked(Model):
    """One line of the ranking."""

    rank: int = Field(ge=1, le=RANKED, description="1 is the best.", examples=[1])
    trial: TrialName = Field(description="The trial's name.", examples=["digits-optimizer-r1-12"])
    arm: Label = Field(description="The trial's arm.", examples=["optimizer=adam"])
    objective: NumberText = Field(description="Its objective, exact.", examples=["0.028888888888888888"])
    step: Step | None = Field(default=None, description="The step that reached it.", examples=[520])
    parameters: Parameters = Field(description="Its hyperparameters' values, exact.", examples=[_PARAMETERS])


class ArmBest(Model):
    """The best trial of an arm."""

    trial: TrialName = Field(description="Its name.", examples=["digits-optimizer-r1-12"])
    objective: NumberText = Field(description="Its objective, exact.", examples=["0.028888888888888888"])


class Arm(Model):
    """One of the configurations that the study compares."""

    index: int = Field(ge=0, lt=MOST_ARMS, description="Its place among the arms.", examples=[1])
    label: Label = Field(description="What tells it from the others.", examples=["optimizer=adam"])
    parameters: Parameters = Field(
        default={}, description="The scientific values that make it.", examples=[{"optimizer": "adam"}]
    )
    trials: ArmCounts = Field(description="Its trials by state.", examples=[{"planned": 16, "succeeded": 6}])
    best: ArmBest | None = Field(
        default=None,
        description="Its best trial so far.",
        examples=[{"trial": "digits-optimizer-r1-12", "objective": "0.0289"}],
    )
    interval: Interval | None = Field(
        default=None,
        description="The 95% interval of the best objective that it is expected to reach, with as many trials as every "
        "arm has.",
        examples=[_INTERVAL],
    )


class StudyStatus(Model):
    """What came of a study so far."""

    observed_generation: int = Field(
        default=-1,
        ge=-1,
        description="The generation of the spec that this status is about; -1 before the operator has seen the study.",
        examples=[1],
    )
    state: str = Field(
        default="", max_length=64, description="Where the study stands, in a word.", examples=["Running"]
    )
    progress: str = Field(
        default="", max_length=32, description="Trials that have ended, of those planned.", examples=["12/32"]
    )
    conditions: tuple[Condition, ...] = Field(
        default=(),
        max_length=16,
        description="Aspects of the state, each with its reason.",
        examples=[
            [
                {
                    "type": "Finished",
                    "status": "True",
                    "reason": "Completed",
                    "message": "31 of 32 trials succeeded.",
                    "lastTransitionTime": "2026-11-24T20:14:05Z",
                }
            ]
        ],
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    trials: TrialCounts | None = Field(
        default=None,
        description="The trials by state. Once it is there, the space is fixed.",
        examples=[{"planned": 32}],
    )
    best: Best | None = Field(
        default=None,
        description="The best trial so far.",
        examples=[_BEST],
    )
    ranking: tuple[Ranked, ...] = Field(
        default=(),
        max_length=RANKED,
        description="The best trials, the first one first. It is a function of the trials alone.",
        examples=[[{"rank": 1, **_BEST}]],
    )
    arms: tuple[Arm, ...] = Field(
        default=(),
        max_length=MOST_ARMS,
        description="What the study compares.",
        examples=[[{"index": 1, "label": "optimizer=adam", "trials": {"planned": 16}}]],
    )
    findings: tuple[Finding, ...] = Field(
        default=(),
        max_length=FINDINGS,
        description="What the playbook's rules say, the most severe first.",
        examples=[
            [{"rule": "search-space-boundary", "severity": "Warning", "message": "The best lie at the upper end."}]
        ],
    )
    conclusion: Conclusion | None = Field(
        default=None,
        description="The answer to the study's question, as far as it can be given.",
        examples=[{"verdict": "Adopt", "statement": "optimizer=adam is better than the baseline by 0.0052."}],
    )
    proposed_next: ProposedNext | None = Field(
        default=None,
        description="What the next round should be.",
        examples=[{"summary": "Widen the learning rate, and search again."}],
    )
    objective: ObjectiveSpec | None = Field(
        default=None,
        description="What the ranking is by.",
        examples=[{"metric": "validation_error", "direction": "Minimize", "selection": "Best"}],
    )
    seed: int | None = Field(
        default=None, ge=0, lt=2**31, description="The seed that the points follow from.", examples=[7]
    )
    sampler: str = Field(default="", max_length=64, description="How the points are drawn.", examples=["Sobol"])
    start_time: datetime | None = Field(
        default=None, description="When the first trial was started.", examples=["2026-11-24T20:14:05Z"]
    )
    completion_time: datetime | None = Field(
        default=None, description="When the last trial ended.", examples=["2026-11-24T20:44:05Z"]
    )
