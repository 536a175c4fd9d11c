"""What a study teaches, as its status tells it: findings, the conclusion, and the next round."""

from __future__ import annotations

from pydantic import Field

from study_operator.api.cel import Model
from study_operator.api.fields import (
    HyperparameterName,
    Label,
    Message,
    NumberText,
    Path,
    RuleId,
    ScalarText,
    TrialName,
)
from study_operator.api.trial import Step
from study_operator.conclusions import Verdict
from study_operator.findings.finding import Severity

FINDINGS = 50
"""How many findings are shown."""

CHANGES = 64
"""How many changes of the next round are shown."""

NOTES = 16
"""How many notes on the next round are shown."""


class Interval(Model):
    """A confidence interval."""

    low: NumberText = Field(description="Its lower end.", examples=["0.0231"])
    high: NumberText = Field(description="Its upper end.", examples=["0.0312"])


class Subject(Model):
    """What a finding is about; what does not apply is left out."""

    arm: Label | None = Field(default=None, description="The arm's label.", examples=["optimizer=adam"])
    hyperparameter: HyperparameterName | None = Field(
        default=None, description="The hyperparameter.", examples=["learning_rate"]
    )
    trial: TrialName | None = Field(default=None, description="The trial.", examples=["digits-optimizer-r1-12"])
    field: Path | None = Field(
        default=None, description="The field of the manifest.", examples=["spec.hyperparameters[1].range.max"]
    )


class Finding(Model):
    """What a rule of the playbook says of the study."""

    rule: RuleId = Field(description="The rule's id.", examples=["search-space-boundary"])
    severity: Severity = Field(
        description="Info, Warning, or Denial: the study does not start until it is mended or waived.",
        examples=["Warning"],
    )
    subject: Subject | None = Field(
        default=None, description="What it is about.", examples=[{"hyperparameter": "learning_rate"}]
    )
    message: Message = Field(
        description="What was found.", examples=["The best learning rates lie at the upper end of the range."]
    )
    advice: Message = Field(default="", description="What to do.", examples=["Raise max to 100."])
    numbers: dict[str, ScalarText] = Field(
        default={}, max_length=32, description="What it rests on.", examples=[{"p": "0.003", "trials": "16"}]
    )
    step: Step | None = Field(default=None, description="Where on the training curve it happens.", examples=[420])


class Conclusion(Model):
    """The answer to the study's question, as far as it can be given."""

    verdict: Verdict = Field(
        description="Adopt: the change is better by more than the margin. Reject: it is not. Inconclusive: the reruns "
        "cannot tell.",
        examples=["Adopt"],
    )
    statement: Message = Field(
        description="The answer in words.",
        examples=["optimizer=adam is worth adopting: 5 reruns are better than the baseline by 0.0052 (p = 0.01)."],
    )
    effect: NumberText | None = Field(
        default=None, description="How much better, in units of the objective; positive is better.", examples=["0.0052"]
    )
    interval: Interval | None = Field(
        default=None, description="The 95% interval of the effect.", examples=[{"low": "0.0011", "high": "0.0093"}]
    )
    trial_variance: NumberText | None = Field(
        default=None,
        description="The standard deviation of the objective between reruns of one configuration.",
        examples=["0.0021"],
    )
    caveats: tuple[Message, ...] = Field(
        default=(),
        max_length=100,
        description="What limits the answer: every fixed hyperparameter, and the findings that bear on it.",
        examples=[["hidden_units was 64 throughout."]],
    )


class Change(Model):
    """One change from this study's manifest to the next one's."""

    path: Path = Field(description="The field.", examples=["spec.hyperparameters[1].range.max"])
    from_: ScalarText | None = Field(
        default=None, alias="from", description="What it was; left out where it is new.", examples=["10"]
    )
    to: ScalarText | None = Field(
        default=None, description="What it is to be; left out where it goes.", examples=["100"]
    )
    reason: Message = Field(description="Why.", examples=["The best learning rates lie at the upper end."])
    rule: RuleId | None = Field(
        default=None, description="The rule that asks for it.", examples=["search-space-boundary"]
    )


class ProposedNext(Model):
    """What the next round should be; `study next` writes its manifest."""

    summary: Message = Field(description="In a sentence.", examples=["Widen the learning rate, and search again."])
    changes: tuple[Change, ...] = Field(
        default=(),
        max_length=CHANGES,
        description="The changes of the manifest.",
        examples=[[{"path": "spec.hyperparameters[1].range.max", "from": "10", "to": "100", "reason": "At the end."}]],
    )
    notes: tuple[Message, ...] = Field(
        default=(),
        max_length=NOTES,
        description="What follows and is no change of the manifest: a probe to make, what to read before a launch.",
        examples=[["Before the launch: the best trials still improve at the end."]],
    )
