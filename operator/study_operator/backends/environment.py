"""What a trial's process finds in its environment: the inward half of the trainer's contract (docs/trainer.md)."""

from __future__ import annotations

import json

from study_operator.api.study import Study
from study_operator.results.trial import TrialSpec
from study_operator.space import parameter_text

METRICS_PORT = 9400
"""The trainer's default; a container port named ``metrics`` in the template overrides it."""


def trial_environment(study: Study, spec: TrialSpec) -> dict[str, str]:
    """The variables that tell a trainer what to compute, in a stable order.

    Values travel by environment only, never through a shell.
    """
    environment = {"STUDY_NAME": spec.study, "STUDY_TRIAL": spec.name, "STUDY_SEED": str(spec.seed)}
    environment["STUDY_PURPOSE"] = spec.purpose.value
    if study.spec.training is not None:
        environment["STUDY_STEPS"] = str(study.spec.training.steps)
    environment |= {"STUDY_OBJECTIVE": study.objective.metric, "STUDY_DIRECTION": study.objective.direction.value}
    environment["STUDY_PARAMETERS"] = json.dumps(dict(spec.parameters))
    return environment | {f"HP_{name.upper()}": parameter_text(value) for name, value in spec.parameters.items()}
