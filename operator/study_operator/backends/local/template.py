"""What of a study's Job template a local run honours, and what it cannot.

A local run is the trainer container's command on this machine: its ``command``, ``args``, ``env`` and ``workingDir``,
with ``$(NAME)`` expanded as Kubernetes does, and no shell in between. Everything else that the template says is named,
field by field: what is dropped without a word is found out at the end of a night of training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study_operator.api.template import trainer_position
from study_operator.backends.port import Refused

POD = "spec.trialTemplate.spec.template.spec"
_GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL where the template does not say: Kubernetes' own default."""

_JOB_HONOURED: Mapping[str, object] = {"template": ..., "backoffLimit": 0, "completions": 1, "parallelism": 1}
_POD_HONOURED: Mapping[str, object] = {
    "containers": ...,
    "restartPolicy": "Never",
    "terminationGracePeriodSeconds": ...,
}
_CONTAINER_HONOURED = frozenset({"name", "command", "args", "env", "workingDir", "ports"})


@dataclass(frozen=True, slots=True)
class Command:
    """One process: its arguments, and the variables that the study gives it beside the user's own."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TrainerTemplate:
    """The trainer container of a Job template. ``path`` is where it stands in the manifest."""

    path: str
    container: Mapping[str, Any]
    grace: float
    unhonoured: tuple[str, ...]

    def command(self, contract: Mapping[str, str]) -> Command:
        """The process for the trial that ``contract`` describes.

        The template's own variables come after the contract's, so that they may refer to it, as in a pod.
        """
        environment = dict(contract)
        for variable in self.container.get("env") or ():
            if "valueFrom" not in variable:
                environment[variable["name"]] = expand(variable.get("value") or "", environment)
        words = [*(self.container.get("command") or ()), *(self.container.get("args") or ())]
        return Command(tuple(expand(word, environment) for word in words), environment)

    @property
    def image(self) -> str:
        """What would run in a cluster."""
        return str(self.container.get("image") or "")


def trainer_template(template: Mapping[str, Any]) -> TrainerTemplate:
    """Find the trainer in a valid Job template. Raises Refused where a field has another type than the API server would
    let pass.
    """
    job = template.get("spec") or {}
    pod = job["template"]["spec"]
    containers: Sequence[Mapping[str, Any]] = pod["containers"]
    index = trainer_position(containers)
    container = containers[index]
    path = f"{POD}.containers[{index}]"
    _check_types(container, path)
    others = [f"{POD}.containers[{i}]" for i in range(len(containers)) if i != index]
    return TrainerTemplate(
        path=path,
        container=container,
        grace=float(pod.get("terminationGracePeriodSeconds") or _GRACE),
        unhonoured=(
            *_beyond(job, _JOB_HONOURED, "spec.trialTemplate.spec"),
            *_beyond(pod, _POD_HONOURED, POD),
            *others,
            *_container_beyond(container, path),
        ),
    )


def _check_types(container: Mapping[str, Any], path: str) -> None:
    """What the API server would refuse at its dry run. Raises Refused."""
    for name in ("command", "args"):
        words = container.get(name)
        if words is not None and not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
            raise Refused(f"{path}.{name}: must be a list of texts; put numbers in quotes")
    if not isinstance(container.get("workingDir"), str | None):
        raise Refused(f"{path}.workingDir: must be a text")
    variables = container.get("env") or []
    if not isinstance(variables, list) or not all(isinstance(variable, Mapping) for variable in variables):
        raise Refused(f"{path}.env: must be a list of maps with name and value")
    for i, variable in enumerate(variables):
        for name in ("name", "value"):
            if not isinstance(variable.get(name, None if name == "name" else ""), str):
                raise Refused(f"{path}.env[{i}].{name}: must be a text; put numbers in quotes")


def _beyond(fields: Mapping[str, Any], honoured: Mapping[str, object], path: str) -> Iterator[str]:
    """The paths of the fields that say something else than what a local run does anyway."""
    for name, value in fields.items():
        if name not in honoured or honoured[name] not in (..., value):
            yield f"{path}.{name}"


def _container_beyond(container: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in container.items():
        if name == "resources":
            for kind in value or {}:
                yield from (f"{path}.resources.{kind}.{resource}" for resource in value[kind])
        elif name not in _CONTAINER_HONOURED:
            yield f"{path}.{name}"
    for i, variable in enumerate(container.get("env") or ()):
        if "valueFrom" in variable:
            yield f"{path}.env[{i}].valueFrom ({variable['name']})"


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced by its value, exactly as Kubernetes does it in ``command``, ``args`` and ``env``.

    ``$$`` is a dollar sign, so that ``$$(NAME)`` stays ``$(NAME)``; a name that is unknown, and a dollar sign before
    anything else, stay as they stand (k8s.io/kubernetes/third_party/forked/golang/expansion).
    """
    expanded, position = [], 0
    while (dollar := text.find("$", position)) >= 0 and dollar + 1 < len(text):
        expanded.append(text[position:dollar])
        following = text[dollar + 1]
        closing = text.find(")", dollar) if following == "(" else -1
        if closing >= 0:
            name = text[dollar + 2 : closing]
            expanded.append(variables.get(name, f"$({name})"))
            position = closing + 1
        else:
            expanded.append("$" if following == "$" else f"${following}")
            position = dollar + 2
    return "".join([*expanded, text[position:]])
