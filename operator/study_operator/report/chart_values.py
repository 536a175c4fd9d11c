"""Values and axes as the page's charts read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from study_operator.results.trial import Trial, TrialState
from study_operator.scalar import Scalar, is_number
from study_operator.space import Arm, Hyperparameter, Range, ScaleName, conditions_text, parameter_text

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


def number(value: float | None) -> float | None:
    """Six significant digits; None for what is not finite, for which JSON has no word."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def layout(definitions: Sequence[Hyperparameter]) -> dict[str, Json]:
    """How an axis is laid out that has to take the values of all these definitions of a hyperparameter.

    By numbers where one is a range and the others are numbers too, which may lie beyond it.
    """
    ranges = [each.domain for each in definitions if isinstance(each.domain, Range)]
    values = [value for each in definitions if not isinstance(each.domain, Range) for value in each.values]
    numbers = [value for value in values if is_number(value)]
    if not ranges or len(numbers) < len(values):
        return {"scale": "Choice", "choices": list(dict.fromkeys(map(parameter_text, values)))}
    low = min([each.minimum for each in ranges] + numbers)
    high = max([each.maximum for each in ranges] + numbers)
    scales = {each.scale for each in ranges}
    scale = scales.pop() if len(scales) == 1 else ScaleName.LINEAR
    if (scale is ScaleName.LOG and low <= 0) or (scale is ScaleName.REVERSE_LOG and high >= 1):
        scale = ScaleName.LINEAR
    whole = all(each.integer for each in ranges) and all(isinstance(value, int) for value in numbers)
    return {"scale": scale.value, "min": low, "max": high, "integer": whole}


def by_choice(layout: Mapping[str, Json]) -> bool:
    """Whether values stand on the axis by their texts."""
    return layout["scale"] == "Choice"


def axis_name(hyperparameter: Hyperparameter, arm: Arm) -> str:
    """Its name with those of its conditions that the arm leaves open, for one arm may have several hyperparameters of a
    name: ``learning_rate (optimizer=sgd)``.
    """
    left_open = {name: values for name, values in hyperparameter.when.items() if name not in arm.parameters}
    when = conditions_text(left_open)
    return f"{hyperparameter.name} ({when})" if when else hyperparameter.name


def drawable(value: Scalar | None, choice: bool) -> Json:
    """A hyperparameter's value on its axis, where a choice is a text; None where the trial has none."""
    if value is not None and choice:
        return parameter_text(value)
    return number(value) if isinstance(value, float) else value


def reached(trial: Trial) -> float | None:
    """The objective of a trial that succeeded."""
    objective = trial.status.objective
    return objective.value if objective is not None and trial.status.state is TrialState.SUCCEEDED else None
