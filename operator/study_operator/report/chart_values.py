"""Values and axes as the page's charts read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from study_operator.api.codec import scalar_text
from study_operator.results.trial import Trial, TrialState
from study_operator.scalar import Scalar
from study_operator.space import Arm, Hyperparameter, Range, ScaleName

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


def number(value: float | None) -> float | None:
    """Six significant digits; None for what is not finite, for which JSON has no word."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def layout(definitions: Sequence[Hyperparameter]) -> dict[str, Json]:
    """How an axis is laid out that has to take the values of all these definitions of a hyperparameter."""
    ranges = [each.domain for each in definitions if isinstance(each.domain, Range)]
    if len(ranges) < len(definitions):
        values = [value for each in definitions for value in each.values]
        return {"scale": "Choice", "choices": list(dict.fromkeys(map(scalar_text, values)))}
    scales = {each.scale for each in ranges}
    return {
        "scale": (scales.pop() if len(scales) == 1 else ScaleName.LINEAR).value,
        "min": min(each.minimum for each in ranges),
        "max": max(each.maximum for each in ranges),
        "integer": all(each.integer for each in ranges),
    }


def axis_name(hyperparameter: Hyperparameter, arm: Arm) -> str:
    """Its name with those of its conditions that the arm leaves open, for one arm may have several hyperparameters of a
    name: ``learning_rate (optimizer=sgd)``.
    """
    left_open = {name: values for name, values in hyperparameter.when.items() if name not in arm.parameters}
    when = ", ".join(f"{name}={'|'.join(map(scalar_text, values))}" for name, values in left_open.items())
    return f"{hyperparameter.name} ({when})" if when else hyperparameter.name


def drawable(value: Scalar | None, choice: bool) -> Json:
    """A hyperparameter's value on its axis, where a choice is a text; None where the trial has none."""
    if value is None or (choice and not isinstance(value, str)):
        return None if value is None else scalar_text(value)
    return number(value) if isinstance(value, float) else value


def reached(trial: Trial) -> float | None:
    """The objective of a trial that succeeded."""
    objective = trial.status.objective
    return objective.value if objective is not None and trial.status.state is TrialState.SUCCEEDED else None
