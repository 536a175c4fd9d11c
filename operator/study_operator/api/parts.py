"""The parts of a Study's spec: what is measured, how much may run, what is run again, what is waived."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from study_operator.api.cel import Model, Rule
from study_operator.api.fields import DURATION_PART, DurationText, MetricName, RuleId, ScalarField
from study_operator.results.objective import Direction, Selection

MOST_RERUNS = 100
"""Trials that one confirmation may take: two digits in their names."""

LONGEST_DURATION = "87600h"
"""Ten years."""

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Phase(StrEnum):
    """How a round searches."""

    EXPLORATION = "Exploration"
    EXPLOITATION = "Exploitation"


class CurveKind(StrEnum):
    """Which set of examples a metric is measured on."""

    TRAINING = "Training"
    VALIDATION = "Validation"
    TEST = "Test"


def _not_reserved(field: str) -> Rule:
    return Rule(
        field,
        "must not start with study_, which is kept for the series that the trainer's contract names",
        f"!self.{field}.startsWith('study_')",
        lambda model: not getattr(model, field).startswith("study_"),
    )


class ObjectiveSpec(Model):
    """What a trial is ranked by."""

    rules = (_not_reserved("metric"),)

    metric: MetricName = Field(description="The metric that ranks the trials.", examples=["validation_error"])
    direction: Direction = Field(description="Whether a smaller or a larger value is better.", examples=["Minimize"])
    selection: Selection = Field(
        default=Selection.BEST,
        description="Which point of a trial's curve counts: the best one (with its checkpoint), or the last one.",
        examples=["Best"],
    )
    chance: float | None = Field(
        default=None,
        ge=-1e15,
        le=1e15,
        description="What guessing reaches, for the check that the baseline learns anything at all.",
        examples=[0.9],
    )


class MetricSpec(Model):
    """One more series to keep."""

    rules = (_not_reserved("name"),)

    name: MetricName = Field(description="The metric's name, as the trainer reports it.", examples=["train_error"])
    curve: CurveKind | None = Field(
        default=None,
        description="Which set of examples it is measured on, for the findings on training curves. A metric of the "
        "Test set should be reported by reruns alone (STUDY_PURPOSE is then Confirmation or Baseline).",
        examples=["Training"],
    )


class TrainingSpec(Model):
    """What is the same for every trial of the round."""

    steps: int = Field(
        ge=1,
        le=10**12,
        description="How many steps every trial trains. It is fixed for the round and never tuned: trials of "
        "different lengths cannot be compared. The trainer reads it from STUDY_STEPS.",
        examples=[600],
    )


class BudgetSpec(Model):
    """How much may be spent."""

    rules = (
        Rule(
            "maxDuration",
            "must be longer than zero",
            "!has(self.maxDuration) || duration(self.maxDuration) > duration('0s')",
            lambda budget: budget.duration is None or budget.duration > timedelta(0),
        ),
        Rule(
            "maxDuration",
            f"must be at most {LONGEST_DURATION}",
            f"!has(self.maxDuration) || duration(self.maxDuration) <= duration('{LONGEST_DURATION}')",
            lambda budget: budget.duration is None or budget.duration <= timedelta(hours=int(LONGEST_DURATION[:-1])),
        ),
    )

    trials: int = Field(
        ge=1,
        le=100_000,
        description="How many trials, over all arms. A larger number continues the same search, also of a finished"
        " study.",
        examples=[32],
    )
    parallelism: int = Field(
        default=1, ge=1, le=1000, description="How many trials may be in flight at once.", examples=[4]
    )
    max_duration: DurationText | None = Field(
        default=None,
        description="How long after its start the study starts no further trial, as a Go duration.",
        examples=["6h"],
    )

    @property
    def duration(self) -> timedelta | None:
        """``max_duration`` as a length of time; None where there is no limit."""
        if self.max_duration is None:
            return None
        parts = re.findall(DURATION_PART, self.max_duration)
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


class SamplerSpec(Model):
    """How points are drawn."""

    seed: int | None = Field(
        default=None,
        ge=0,
        lt=2**31,
        description="The seed of all randomness. Where it is left out, it follows from the study's namespace and name.",
        examples=[7],
    )


class ConfirmationSpec(Model):
    """What is run again on fresh seeds once the search is over, so that the decision does not rest on the scores that
    selected the best trials.
    """

    rules = (
        Rule(
            "reruns",
            f"must make at most {MOST_RERUNS} trials: top, and one more for a baseline, times reruns",
            f"((has(self.top) ? self.top : 3) + 1) * (has(self.reruns) ? self.reruns : 5) <= {MOST_RERUNS}",
            lambda confirmation: (confirmation.top + 1) * confirmation.reruns <= MOST_RERUNS,
        ),
    )

    top: int = Field(
        default=3,
        ge=1,
        le=20,
        description="How many configurations: the best of each arm, as far as they go, then the next best trials. A "
        "study that compares arms needs 2 at least.",
        examples=[3],
    )
    reruns: int = Field(
        default=5,
        ge=2,
        le=50,
        description="How often each is run again, every time on a seed of its own.",
        examples=[5],
    )
    baseline: Mapping[str, ScalarField] | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="The configuration that is in use now, by hyperparameter: it is run again as often, and the best "
        "configuration is adopted only if it beats this one. Without it, the best arm is held against the next one.",
        examples=[{"optimizer": "nesterov", "learning_rate": 0.1, "momentum": 0.9}],
    )
    margin: float = Field(
        default=0.0,
        ge=0,
        le=1e15,
        description="By how much of the objective a change must be better to be worth its complexity.",
        examples=[0.001],
    )


class WaiverSpec(Model):
    """A rule of the playbook that this study departs from, knowingly."""

    rule: RuleId = Field(description="The rule's id, as `study lint` tells it.", examples=["tuned-steps"])
    reason: str = Field(
        min_length=1,
        max_length=1024,
        description="Why it does not apply here. It is kept with the study.",
        examples=["The trainer stops at convergence, and its cost is what is asked about."],
    )
