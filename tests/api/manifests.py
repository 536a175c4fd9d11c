"""A sound study, and what can be wrong with it: the same faults are put to the parser and to the API server."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING = ...
"""In the place of a value: the field is left out."""

_TEMPLATE = {"spec": {"template": {"spec": {"containers": [{"name": "trainer", "image": "example/trainer:1"}]}}}}
BASELINE = {"optimizer": "nesterov", "learning_rate": 2, "momentum": 0.9, "layers": 3}
"""A complete configuration, outside of what is searched."""

_STUDY: dict[str, Any] = {
    "apiVersion": "tuning.study/v1alpha1",
    "kind": "Study",
    "metadata": {"name": "optimizers-r1"},
    "spec": {
        "goal": "Does Adam beat Nesterov momentum?",
        "objective": {"metric": "validation_error", "direction": "Minimize"},
        "metrics": [{"name": "train_error", "curve": "Training"}],
        "training": {"steps": 600},
        "hyperparameters": [
            {"name": "optimizer", "role": "Scientific", "choices": ["nesterov", "adam"]},
            {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}},
            {"name": "momentum", "role": "Nuisance", "range": {"min": 0.8, "max": 0.999, "scale": "ReverseLog"}},
            {"name": "layers", "role": "Nuisance", "range": {"min": 1, "max": 8, "integer": True}},
            {"name": "hidden_units", "role": "Fixed", "value": 64},
        ],
        "budget": {"trials": 32, "parallelism": 4, "maxDuration": "1h30m"},
        "sampler": {"seed": 7},
        "trialTemplate": _TEMPLATE,
    },
}


def study_manifest(changes: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The sound study, with the fields at the paths in ``changes`` set or, for MISSING, left out."""
    manifest = copy.deepcopy(_STUDY)
    for path, value in (changes or {}).items():
        place: Any = manifest
        *steps, last = [int(index) if index else name for name, index in re.findall(r"(\w+)|\[(\d+)\]", path)]
        for step in steps:
            place = place[step]
        if value is MISSING:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return manifest


@dataclass(frozen=True)
class Fault:
    """A change that spoils the study; ``path`` is where it is told, which is the changed field unless given."""

    field: str
    value: object
    path: str = ""
    besides: Mapping[str, object] = field(default_factory=dict)

    @property
    def manifest(self) -> dict[str, Any]:
        return study_manifest({self.field: self.value, **self.besides})

    def __str__(self) -> str:
        return f"{self.field}={'missing' if self.value is MISSING else str(self.value)[:30]}"


_OPTIMIZER, _RATE, _MOMENTUM, _LAYERS, _UNITS = (f"spec.hyperparameters[{index}]" for index in range(5))

FAULTS = [
    Fault("metadata.name", "x" * 53),
    Fault("metadata.name", "a.b"),
    Fault("spec.goal", MISSING),
    Fault("spec.goal", ""),
    Fault("spec.goal", "x" * 513),
    Fault("spec.notes", 3),
    Fault("spec.phase", "Explore"),
    Fault("spec.suspend", "yes"),
    Fault("spec.objective.metric", "validation error"),
    Fault("spec.objective.metric", "study_error"),
    Fault("spec.objective.direction", MISSING),
    Fault("spec.objective.direction", "minimize"),
    Fault("spec.objective.selection", "Last"),
    Fault("spec.metrics[0].name", "study_step"),
    Fault("spec.metrics[0].curve", "Testing"),
    Fault("spec.metrics[1]", {"name": "train_error"}, "spec.metrics"),
    Fault("spec.metrics", [{"name": f"m{n}"} for n in range(16)]),
    Fault("spec.training.steps", 0),
    Fault("spec.training.steps", MISSING),
    Fault("spec.training.steps", 1.5),
    Fault("spec.hyperparameters", MISSING),
    Fault("spec.hyperparameters", []),
    Fault("spec.hyperparameters", [{"name": "x", "role": "Fixed", "value": 1}]),
    Fault(f"{_OPTIMIZER}.choices", ["adam"]),
    Fault(f"{_OPTIMIZER}.choices", "adam"),
    Fault(f"{_OPTIMIZER}.choices", MISSING, _OPTIMIZER),
    Fault(f"{_OPTIMIZER}.value", "adam", _OPTIMIZER),
    Fault(f"{_OPTIMIZER}.role", "Fixed"),
    Fault(f"{_RATE}.role", "Tuned"),
    Fault(f"{_RATE}.role", "Fixed"),
    Fault(f"{_RATE}.name", "learning-rate"),
    Fault(f"{_RATE}.name", "1rate"),
    Fault(f"{_RATE}.kind", "Rate"),
    Fault(f"{_RATE}.when", ["adam"]),
    Fault(f"{_RATE}.when", {"optimizer": []}, f"{_RATE}.when.optimizer"),
    Fault(f"{_RATE}.range", MISSING, _RATE),
    Fault(f"{_RATE}.range.min", 2, f"{_RATE}.range.max"),
    Fault(f"{_RATE}.range.min", 1, f"{_RATE}.range.max"),
    Fault(f"{_RATE}.range.min", 0),
    Fault(f"{_RATE}.range.min", "0.1"),
    Fault(f"{_RATE}.range.min", MISSING),
    Fault(f"{_RATE}.range.max", 1e300),
    Fault(f"{_RATE}.range.scale", "log"),
    Fault(f"{_MOMENTUM}.range.max", 1),
    Fault(f"{_MOMENTUM}.range.min", -0.5),
    Fault(f"{_LAYERS}.range.min", 0.5),
    Fault(f"{_LAYERS}.range.max", 7.5),
    Fault(f"{_UNITS}.role", "Nuisance"),
    Fault(f"{_UNITS}.value", MISSING, _UNITS),
    Fault("spec.budget.trials", 0),
    Fault("spec.budget.trials", 10**9),
    Fault("spec.budget.trials", "32"),
    Fault("spec.budget.trials", MISSING),
    Fault("spec.budget.parallelism", 0),
    Fault("spec.budget.parallelism", 1001),
    Fault("spec.budget.maxDuration", "6 hours"),
    Fault("spec.budget.maxDuration", "0s"),
    Fault("spec.budget.maxDuration", 6),
    Fault("spec.budget.maxDuration", "87601h"),
    Fault("spec.budget.maxDuration", "999999h999999h999999h999999h"),
    Fault("spec.budget.maxDuration", "9999999h"),
    Fault("spec.sampler.seed", -1),
    Fault("spec.sampler.seed", 2**31),
    Fault("metadata.name", "x" * 48, "metadata.name", {"spec.confirmation": {}}),
    Fault("spec.confirmation", {"top": 0}, "spec.confirmation.top"),
    Fault("spec.confirmation", {"reruns": 1}, "spec.confirmation.reruns"),
    Fault("spec.confirmation", {"top": 20}, "spec.confirmation.reruns"),
    Fault("spec.confirmation", {"top": 19, "reruns": 6}, "spec.confirmation.reruns"),
    Fault("spec.confirmation", {"baseline": {}}, "spec.confirmation.baseline"),
    Fault("spec.confirmation", {"margin": -0.1}, "spec.confirmation.margin"),
    Fault("spec.objective.chance", "0.9"),
    Fault("spec.basedOn", "A"),
    Fault("spec.waivers", [{"rule": "tuned-steps"}], "spec.waivers[0].reason"),
    Fault("spec.waivers", [{"rule": "Tuned Steps", "reason": "x"}], "spec.waivers[0].rule"),
    Fault("spec.waivers", [{"rule": "tuned-steps", "reason": "x"}] * 2, "spec.waivers"),
    Fault("spec.goal", None),
    Fault("spec.trialTemplate", None),
    Fault("spec.trialTemplate", MISSING),
    Fault("spec.trialTemplate", "job.yaml"),
]
"""What structure and rules refuse, here and on a cluster."""

UNKNOWN_FIELDS = {
    "spec.goals": "goal",
    "spec.objective.metrics": "metric",
    "spec.hyperparameters[1].range.minimum": "min",
    "spec.budget.maxduration": "maxDuration",
}
"""Fields that do not exist, and what was meant."""

SOUND_CHANGES: list[dict[str, object]] = [
    {},
    {"spec.sampler": MISSING, "spec.training": MISSING, "spec.metrics": MISSING},
    {"spec.phase": "Exploitation", "spec.suspend": True, "spec.notes": "x"},
    {"spec.hyperparameters[0].choices": ["adam", 3, 0.5, True]},
    {"spec.hyperparameters[1].when": {"optimizer": ["adam", "nesterov"]}},
    {"spec.hyperparameters[2].range.min": 0},
    {"spec.suspend": None, "spec.sampler": None, "spec.hyperparameters[1].when": None},
    {"spec.trialTemplate.spec.template.spec.nodeSelector": None},
    {"spec.hyperparameters[3].range": {"min": 1, "max": 4096, "integer": True, "scale": "Log"}},
    {"spec.hyperparameters[4].value": False},
    {"spec.metrics[0].name": "validation_error"},
    {"spec.budget.maxDuration": "1.5h"},
    {"spec.confirmation": {}, "spec.objective.chance": 0.9, "spec.basedOn": "optimizers-r0"},
    {"spec.confirmation": {"top": 19, "reruns": 5, "margin": 0.001}},
    {"spec.confirmation": {"top": 1, "baseline": BASELINE}, "metadata.name": "x" * 47},
    {"spec.waivers": [{"rule": "tuned-steps", "reason": "The cost is what is asked about."}]},
]
"""Changes that leave the study sound."""
