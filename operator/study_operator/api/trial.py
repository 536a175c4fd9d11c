"""The Trial resource: the record of one trial, as a schema.

The records themselves are :mod:`study_operator.results.trial`, and :mod:`study_operator.api.codec` writes and reads
them; these models describe what it writes, for the custom resource definition.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from study_operator.api.cel import Model
from study_operator.api.fields import (
    ImageName,
    Message,
    MetricName,
    NodeName,
    NumberText,
    Path,
    Reason,
    RunIdentity,
    ScalarText,
    StudyName,
)
from study_operator.api.parts import MOST_RERUNS
from study_operator.results.diagnostics import LARGEST
from study_operator.results.trial import FIRST_CONFIRMATION, Purpose, Source, TrialState

Count = Annotated[int, Field(ge=0, le=2**53)]
Step = int
Statistic = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Deviation = Annotated[float, Field(ge=0, le=LARGEST)]
Deviate = Annotated[float, Field(ge=-1000, le=1000)]


class TrialSpec(Model):
    """What is asked of a trial. It never changes."""

    study: StudyName = Field(description="The study's name.", examples=["digits-optimizer-r1"])
    index: int = Field(
        ge=0,
        lt=FIRST_CONFIRMATION + MOST_RERUNS,
        description="Its place in the study: the order in which trials are started. Reruns are counted from 100000 on.",
        examples=[12],
    )
    arm: int = Field(ge=0, lt=100_000, description="The index of the arm in the study's status.", examples=[0])
    purpose: Purpose = Field(
        description="Why it runs: to search, or to confirm, on a fresh seed, one of the best trials or the baseline.",
        examples=["Search"],
    )
    point: tuple[NumberText, ...] = Field(
        max_length=64, description="Its coordinates in the unit cube, exact.", examples=[["0.40625", "0.71875"]]
    )
    parameters: dict[str, ScalarText] = Field(
        max_length=64,
        description="The values of its hyperparameters by name, exact: numbers and booleans as Python prints them.",
        examples=[{"optimizer": "adam", "learning_rate": "0.0031622776601683794"}],
    )
    seed: int = Field(ge=0, lt=2**31, description="The seed of its randomness.", examples=[1804289383])
    rerun_of: int | None = Field(
        default=None,
        ge=0,
        lt=FIRST_CONFIRMATION,
        description="The index of the trial that a Confirmation trial runs again.",
        examples=[12],
    )


class Sample(Model):
    """One value of a metric."""

    value: NumberText = Field(description="The value, exact.", examples=["0.028888888888888888"])
    step: Step | None = Field(default=None, description="The step at which it was reported.", examples=[520])


class MetricSummary(Model):
    """A metric's series in short."""

    count: Count = Field(description="How many points were reported.", examples=[60])
    final: Sample = Field(description="The last point.", examples=[{"value": "0.0311", "step": 600}])
    minimum: Sample | None = Field(
        default=None, description="The smallest finite point.", examples=[{"value": "0.0289", "step": 520}]
    )
    maximum: Sample | None = Field(
        default=None, description="The largest finite point.", examples=[{"value": "0.91", "step": 10}]
    )


class Curve(Model):
    """A metric's points, thinned for plotting."""

    steps: tuple[Step, ...] = Field(max_length=64, description="The points' steps.", examples=[[10, 20]])
    values: tuple[float, ...] = Field(max_length=64, description="The points' values.", examples=[[0.91, 0.5]])


class Trend(Model):
    """Whether a stretch of a curve rises or falls."""

    z: Deviate = Field(
        description="A standard normal deviate, positive where the values rise, of the clearer of two tests: Kendall's "
        "of their order, and the sign test of their steps.",
        examples=[3.9],
    )
    change: Statistic = Field(description="What they rise by over the stretch (Theil and Sen).", examples=[0.0041])
    step: Step = Field(description="Where the stretch begins; it goes to the end.", examples=[460])


class Period(Model):
    """A curve's period."""

    steps: Step = Field(description="Its length in steps.", examples=[90])
    p: float = Field(ge=0, le=1, description="The probability that it is chance.", examples=[0.0003])
    share: float = Field(ge=0, le=1, description="The share of the variance that the phase explains.", examples=[0.4])


class CurveDiagnostics(Model):
    """What a metric's full curve says, for the findings."""

    evaluations: Count = Field(description="How many finite points it has, each step once.", examples=[60])
    median: Statistic = Field(description="The values' median.", examples=[0.0712])
    p90: Statistic = Field(description="The values' 90th percentile.", examples=[0.52])
    noise: Deviation | None = Field(
        default=None,
        description="The standard deviation of an evaluation around the curve, late in training.",
        examples=[0.0021],
    )
    late: Trend | None = Field(
        default=None,
        description="The trend late in training: over the last quarter, or the last evaluations where those are few.",
        examples=[{"z": -2.4, "change": -0.0049, "step": 460}],
    )
    after_minimum: Trend | None = Field(
        default=None,
        description="The trend after the smallest value.",
        examples=[{"z": 3.9, "change": 0.0121, "step": 330}],
    )
    after_maximum: Trend | None = Field(
        default=None,
        description="The trend after the largest value.",
        examples=[{"z": -2.1, "change": -0.3624, "step": 20}],
    )
    settled_at_minimum: Step | None = Field(
        default=None,
        description="The first step within the noise of the lowest tenth of the values late in training.",
        examples=[300],
    )
    settled_at_maximum: Step | None = Field(
        default=None,
        description="The first step within the noise of the highest tenth of the values late in training.",
        examples=[10],
    )
    period: Period | None = Field(
        default=None,
        description="The dominant period of the second half, if there is one.",
        examples=[{"steps": 90, "p": 0.0003, "share": 0.4}],
    )
    gap_spread: Deviation = Field(
        default=0.0,
        description="How uneven the evaluations are: the spread of the gaps between them but for the last, from P10 to "
        "P90, in medians.",
        examples=[0.35],
    )
    repeated_steps: Count = Field(
        default=0, description="Points whose step is not beyond that of the point before.", examples=[12]
    )


class Checkpoint(Model):
    """A checkpoint that the trainer kept."""

    step: Step = Field(description="The step after which it was written.", examples=[520])
    value: NumberText = Field(description="The objective there.", examples=["0.0289"])
    path: Path = Field(description="Where the trainer wrote it.", examples=["checkpoints/000520"])


class TrialStatus(Model):
    """What came of a trial."""

    state: TrialState = Field(
        default=TrialState.PENDING, description="Where it stands; the last three are final.", examples=["Succeeded"]
    )
    reason: Reason = Field(default="", description="Why, in a word.", examples=["Completed"])
    message: Message = Field(default="", description="Why, in a sentence.", examples=["validation_error 0.0289"])
    objective: Sample | None = Field(
        default=None, description="What it is ranked by.", examples=[{"value": "0.0289", "step": 520}]
    )
    metrics: dict[str, MetricSummary] = Field(
        default={},
        max_length=64,
        description="The summary of each series that was kept, by the metric's name.",
        examples=[{"validation_error": {"count": 60, "final": {"value": "0.0311", "step": 600}}}],
    )
    curves: dict[str, Curve] = Field(
        default={},
        max_length=64,
        description="The same series, thinned for plotting.",
        examples=[{"validation_error": {"steps": [10, 20], "values": [0.91, 0.5]}}],
    )
    diagnostics: dict[str, CurveDiagnostics] = Field(
        default={},
        max_length=64,
        description="What the full curves told of the series that were read back, by the metric's name.",
        examples=[{"validation_error": {"evaluations": 60, "median": 0.0712, "p90": 0.52, "noise": 0.0021}}],
    )
    incomplete: tuple[MetricName, ...] = Field(
        default=(),
        max_length=64,
        description="The metrics of which the trainer reported more points than could be read back.",
        examples=[["train_error"]],
    )
    source: Source | None = Field(default=None, description="Where the numbers came from.", examples=["Prometheus"])
    checkpoint: Checkpoint | None = Field(
        default=None,
        description="The best checkpoint that the trainer kept.",
        examples=[{"step": 520, "value": "0.0289", "path": "checkpoints/000520"}],
    )
    run: RunIdentity = Field(
        default="",
        description="The run that all of this tells of: a Job's uid, or a process.",
        examples=["3f8e1c52-6d1f-4a39-9d1c-2b7d5c1f7a10"],
    )
    node: NodeName = Field(default="", description="The node that it ran on.", examples=["gpu-node-3"])
    image: ImageName = Field(
        default="",
        description="The image that it ran, by digest, where it came from a registry.",
        examples=["example/trainer@sha256:8a7d8d0c9e1a9d0ee4b9d4f3f5d5e2f0a6d3c7b1e0f9a8b7c6d5e4f3a2b1c0d9"],
    )
    start_time: datetime | None = Field(default=None, description="When it began.", examples=["2026-11-24T20:14:05Z"])
    completion_time: datetime | None = Field(
        default=None, description="When it ended.", examples=["2026-11-24T20:15:11Z"]
    )
    attempts: Count = Field(default=0, description="How many runs were begun for it.", examples=[1])
    failed_runs: tuple[RunIdentity, ...] = Field(
        default=(),
        max_length=1000,
        description="The runs that an infrastructure failure ended; they do not count against the trial.",
        examples=[["0c4c7f9e-55b2-4b7c-8f6a-8a3f3d1f4b11"]],
    )


class Trial(Model):
    """A trial's manifest, without its metadata."""

    api_version: Literal["tuning.study/v1alpha1"]
    kind: Literal["Trial"]
    metadata: dict[str, object]
    spec: TrialSpec
    status: TrialStatus = TrialStatus.model_validate({})
