"""The command that computes a trial again by hand, with its whole environment, as the tracking table wants it."""

from __future__ import annotations

import shlex

from study_operator.api import Study
from study_operator.backends.environment import trial_environment
from study_operator.backends.local import trainer_template
from study_operator.results.trial import TrialSpec

RECORD = "reproduced.json"
"""Where the trainer writes its record when it is run by hand on this machine."""


def local_command(study: Study, trial: TrialSpec) -> str:
    """For a shell on this machine; the numbers are then in ``reproduced.json``."""
    environment = trial_environment(study, trial) | {
        "STUDY_METRICS_ADDRESS": "127.0.0.1",
        "STUDY_METRICS_LINGER": "0",
        "STUDY_TERMINATION_LOG": RECORD,
    }
    command = trainer_template(study.spec.trial_template).command(environment)
    words = [*(f"{name}={value}" for name, value in command.environment.items()), *command.arguments]
    folder = trainer_template(study.spec.trial_template).container.get("workingDir")
    return (f"cd {shlex.quote(folder)} && " if folder else "") + shlex.join(["env", *words])


def container_command(study: Study, trial: TrialSpec, image: str = "") -> str:
    """For a container engine, with the ``image`` that the trial ran, or else the template's."""
    template = trainer_template(study.spec.trial_template)
    command = template.command(trial_environment(study, trial) | {"STUDY_METRICS_LINGER": "0"})
    variables = [word for name, value in command.environment.items() for word in ("-e", f"{name}={value}")]
    program = template.container.get("command") or ()
    entrypoint = ["--entrypoint", command.arguments[0]] if program else []
    folder = template.container.get("workingDir")
    workdir = ["--workdir", folder] if folder else []
    arguments = command.arguments[1:] if program else command.arguments
    return shlex.join(["docker", "run", "--rm", *variables, *workdir, *entrypoint, image or template.image, *arguments])
