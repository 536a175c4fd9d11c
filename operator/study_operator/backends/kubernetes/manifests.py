"""A trial's Job, built from its study's template: a pure function of the two.

The template stays the user's: their fields, labels and variables are kept, and only what is missing is filled in.
Nothing here goes through a shell, and no value is substituted into a text: parameters travel as environment variables,
which Kubernetes itself expands in ``args``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study_operator.api.names import API_VERSION, ARM_LABEL, STUDY_LABEL, STUDY_UID_LABEL, TRIAL_LABEL
from study_operator.api.study import Study
from study_operator.api.template import trainer_position
from study_operator.backends.environment import METRICS_PORT, trial_environment
from study_operator.backends.kubernetes.client import Json
from study_operator.results.trial import TrialSpec

METRICS_PORT_NAME = "metrics"
TERMINATION_LOG = "/dev/termination-log"
LINGER = "STUDY_METRICS_LINGER"
"""The one variable of the contract that a template may set: its author knows how often the trials are scraped."""

IGNORED = {
    "ttlSecondsAfterFinished": "a Job may go only when its result is durable, so the operator removes it itself",
    "selector": "two trials that select the same pods would take each other's; every Job selects its own",
    "manualSelector": "two trials that select the same pods would take each other's; every Job selects its own",
}
"""Fields of the template's ``spec`` that are left out of the Job, and why."""


def ignored_fields(study: Study) -> Sequence[str]:
    """A sentence for each field of the template that its Jobs do not have."""
    spec = study.spec.trial_template.get("spec") or {}
    return [f"spec.trialTemplate.spec.{name} is ignored: {why}" for name, why in IGNORED.items() if name in spec]


def build_job(study: Study, spec: TrialSpec, trial_uid: str | None, linger: int) -> Json:
    """The Job that computes ``spec``; it and its pods go with the Trial of ``trial_uid`` (None: it belongs to nobody,
    for a dry run).

    ``linger`` is how long a trainer may wait at its end for its last points to be scraped, in seconds.
    """
    template = study.spec.trial_template
    labels = _labels(study, spec)
    metadata = _metadata(template.get("metadata"), labels) | {
        "name": spec.name,
        "namespace": study.metadata.namespace,
    }
    if trial_uid is not None:
        metadata["ownerReferences"] = [_owner(spec.name, trial_uid)]
    kept = {name: value for name, value in template["spec"].items() if name not in IGNORED}
    pod = kept["template"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            **kept,
            "template": {
                "metadata": _metadata(pod.get("metadata"), labels),
                "spec": _pod_spec(pod["spec"], _variables(study, spec, linger)),
            },
        },
    }


def _labels(study: Study, spec: TrialSpec) -> dict[str, str]:
    return {
        STUDY_LABEL: spec.study,
        STUDY_UID_LABEL: study.metadata.uid,
        TRIAL_LABEL: str(spec.index),
        ARM_LABEL: str(spec.arm),
    }


def _owner(trial: str, uid: str) -> Json:
    return {
        "apiVersion": API_VERSION,
        "kind": "Trial",
        "name": trial,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _metadata(given: Mapping[str, Any] | None, labels: Mapping[str, str]) -> Json:
    given = given or {}
    metadata: Json = {"labels": {**(given.get("labels") or {}), **labels}}
    if given.get("annotations"):
        metadata["annotations"] = given["annotations"]
    return metadata


def _variables(study: Study, spec: TrialSpec, linger: int) -> dict[str, str]:
    return trial_environment(study, spec) | {LINGER: str(linger)}


def _pod_spec(pod: Mapping[str, Any], variables: Mapping[str, str]) -> Json:
    containers = pod["containers"]
    declared = _metrics_port(containers)
    variables = {**variables, "STUDY_METRICS_PORT": str(declared or METRICS_PORT)}
    exposing = trainer_position(containers) if declared is None else None
    spec: Json = {
        "restartPolicy": "Never",
        **pod,
        "containers": [
            _container(container, variables, position == exposing) for position, container in enumerate(containers)
        ],
    }
    if pod.get("initContainers"):
        spec["initContainers"] = [_container(container, variables, False) for container in pod["initContainers"]]
    return spec


def _metrics_port(containers: Sequence[Mapping[str, Any]]) -> int | None:
    for container in containers:
        for port in container.get("ports") or ():
            if port.get("name") == METRICS_PORT_NAME:
                return int(port["containerPort"])
    return None


def _container(container: Mapping[str, Any], variables: Mapping[str, str], exposing: bool) -> Json:
    own = {**variables, "STUDY_TERMINATION_LOG": container.get("terminationMessagePath", TERMINATION_LOG)}
    if any(entry.get("name") == LINGER for entry in container.get("env") or ()):
        del own[LINGER]
    ports = list(container.get("ports") or ())
    if exposing:
        ports.append({"name": METRICS_PORT_NAME, "containerPort": METRICS_PORT})
    built = {"terminationMessagePolicy": "FallbackToLogsOnError", **container}
    # Kubernetes expands $(NAME) from the variables before it only, so the trial's come first.
    built["env"] = [
        *({"name": name, "value": value.replace("$", "$$")} for name, value in own.items()),
        *(entry for entry in container.get("env") or () if entry.get("name") not in own),
    ]
    if ports:
        built["ports"] = ports
    return built
