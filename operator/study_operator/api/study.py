"""The Study resource: one question to a model, its search space, its budget and its trials' Job template.

These models are the one source of the custom resource definition, of its reference in docs/resources.md and of what
``study lint`` and the operator accept. Defaults stand in the models alone: a default inside a list item of the schema
would make GitOps tools report a difference for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from study_operator.api.cel import Model, Rule
from study_operator.api.fields import (
    LONGEST_CONFIRMED_NAME,
    StudyName,
)
from study_operator.api.hyperparameter import HyperparameterSpec
from study_operator.api.parts import (
    BudgetSpec,
    ConfirmationSpec,
    MetricSpec,
    ObjectiveSpec,
    Phase,
    SamplerSpec,
    TrainingSpec,
    WaiverSpec,
)
from study_operator.conclusions import Confirmation, Question
from study_operator.results.objective import Objective
from study_operator.samplers import study_seed
from study_operator.space import Hyperparameter, Role


class StudySpec(Model):
    """What is asked."""

    rules = (
        Rule(
            "metrics",
            "must not name a metric twice",
            "!has(self.metrics) || self.metrics.all(m, self.metrics.exists_one(n, n.name == m.name))",
            lambda spec: len({metric.name for metric in spec.metrics}) == len(spec.metrics),
        ),
        Rule(
            "hyperparameters",
            "must have one at least that varies: a Scientific or a Nuisance one",
            "self.hyperparameters.exists(h, h.role != 'Fixed')",
            lambda spec: any(hyperparameter.role is not Role.FIXED for hyperparameter in spec.hyperparameters),
        ),
        Rule(
            "waivers",
            "must not waive a rule twice",
            "!has(self.waivers) || self.waivers.all(w, self.waivers.exists_one(v, v.rule == w.rule))",
            lambda spec: len({waiver.rule for waiver in spec.waivers}) == len(spec.waivers),
        ),
    )

    goal: str = Field(
        min_length=1,
        max_length=512,
        description="The one question of this round.",
        examples=["Does Adam reach a lower validation error than Nesterov momentum at 600 steps?"],
    )
    notes: str = Field(
        default="",
        max_length=4096,
        description="Free text for the tracking table.",
        examples=["After the data loader was mended."],
    )
    phase: Phase = Field(
        default=Phase.EXPLORATION,
        description="Exploration samples quasi-randomly, whatever the results. Exploitation samples by Bayesian "
        "optimization.",
        examples=["Exploration"],
    )
    suspend: bool = Field(
        default=False,
        description="Starts no further trial while it is true; the running ones finish.",
        examples=[True],
    )
    objective: ObjectiveSpec = Field(
        description="What a trial is ranked by. In Exploration it may be changed afterwards: the ranking follows "
        "without a rerun.",
        examples=[{"metric": "validation_error", "direction": "Minimize"}],
    )
    metrics: tuple[MetricSpec, ...] = Field(
        default=(),
        max_length=15,
        description="Further series to keep of every trial.",
        examples=[[{"name": "train_error", "curve": "Training"}]],
    )
    training: TrainingSpec | None = Field(
        default=None, description="What is the same for every trial of the round.", examples=[{"steps": 600}]
    )
    hyperparameters: tuple[HyperparameterSpec, ...] = Field(
        min_length=1,
        max_length=64,
        description="The search space.",
        examples=[[{"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 10, "scale": "Log"}}]],
    )
    budget: BudgetSpec = Field(description="How much may be spent.", examples=[{"trials": 32, "parallelism": 4}])
    sampler: SamplerSpec | None = Field(default=None, description="How points are drawn.", examples=[{"seed": 7}])
    confirmation: ConfirmationSpec | None = Field(
        default=None,
        description="What is run again on fresh seeds once the search is over. It may be added to a study that has "
        "trials, and is then fixed: repeats that are added for a better answer give one.",
        examples=[{"top": 3, "reruns": 5}],
    )
    last_launch: bool = Field(
        default=False,
        description="Whether no later launch of this workload is planned. Only then may the validation set be folded "
        "into the training set for the final training.",
        examples=[True],
    )
    based_on: StudyName | None = Field(
        default=None,
        description="The study of the round before, in the same namespace.",
        examples=["digits-optimizer-r1"],
    )
    waivers: tuple[WaiverSpec, ...] = Field(
        default=(),
        max_length=64,
        description="The rules of the playbook that this study departs from, knowingly.",
        examples=[[{"rule": "tuned-steps", "reason": "The trainer's cost is what is asked about."}]],
    )
    trial_template: dict[str, Any] = Field(
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
        description="The template of a batch/v1 Job that computes one trial. restartPolicy is Never where it is "
        "left out.",
        examples=[
            {"spec": {"template": {"spec": {"containers": [{"name": "trainer", "image": "example/trainer:1"}]}}}}
        ],
    )


class ObjectMeta(Model):
    """What of a resource's metadata is used here; labels are only checked, as an API server does."""

    model_config = ConfigDict(extra="ignore")

    name: StudyName
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    deletion_timestamp: datetime | None = None


class Study(Model):
    """A study as it was read. ``status`` is kept as it stands: the controller writes it, always as a whole."""

    rules = (
        Rule(
            "metadata.name",
            f"must have at most {LONGEST_CONFIRMED_NAME} characters in a study that confirms: the names of its reruns "
            "are made of it",
            f"!has(self.spec.confirmation) || self.metadata.name.size() <= {LONGEST_CONFIRMED_NAME}",
            lambda study: study.spec.confirmation is None or len(study.metadata.name) <= LONGEST_CONFIRMED_NAME,
        ),
    )

    api_version: Literal["tuning.study/v1alpha1"]
    kind: Literal["Study"]
    metadata: ObjectMeta
    spec: StudySpec
    status: Mapping[str, Any] | None = None

    @property
    def objective(self) -> Objective:
        """What trials are ranked by."""
        spec = self.spec.objective
        return Objective(spec.metric, spec.direction, spec.selection)

    @property
    def seed(self) -> int:
        """Where all its randomness comes from: what its manifest gives, or else what follows from its name."""
        given = self.spec.sampler.seed if self.spec.sampler is not None else None
        return study_seed(self.metadata.namespace, self.metadata.name) if given is None else given

    @property
    def metrics(self) -> tuple[str, ...]:
        """The series to keep: the objective's first, then the others in the manifest's order, none twice."""
        return tuple(dict.fromkeys([self.spec.objective.metric, *(metric.name for metric in self.spec.metrics)]))

    @property
    def question(self) -> Question:
        """What the conclusion is to answer."""
        spec = self.spec.confirmation
        confirmation = None if spec is None else Confirmation(spec.top, spec.reruns, spec.baseline, spec.margin)
        waivers = {waiver.rule: waiver.reason for waiver in self.spec.waivers}
        return Question(confirmation, self.spec.objective.chance, waivers)

    @property
    def hyperparameters(self) -> tuple[Hyperparameter, ...]:
        """The definitions of the search space, not yet checked against each other."""
        return tuple(spec.hyperparameter for spec in self.spec.hyperparameters)
