"""A trial's Job template: its trainer, and what is wrong with it, as far as one can see without a cluster.

The template is kept as the user wrote it, because its schema belongs to the cluster's version: a dry run on the API
server has the last word. Checked here is what would otherwise fail late or quietly: a field that the operator itself
fills in, a restart that would run a trial twice under one record, a reference to a hyperparameter that is not there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from study_operator.api.fields import DNS_LABEL, SENTENCES
from study_operator.space import Problem

LARGEST_TEMPLATE = 256 * 1024
"""Bytes of JSON. The study with its status has to fit into one etcd value of 1.5 MB."""

_PATH = "spec.trialTemplate"
_POD = f"{_PATH}.spec.template"
_FIELDS = ("apiVersion", "kind", "metadata", "spec")
_GIVEN = ("labels", "annotations", "creationTimestamp")
_OWN_VARIABLES = frozenset(
    f"STUDY_{part}" for part in ("NAME", "TRIAL", "PURPOSE", "SEED", "STEPS", "OBJECTIVE", "DIRECTION", "PARAMETERS")
)
_REFERENCE = re.compile(r"(?<!\$)\$\((HP_\w+)\)")


def trainer_position(containers: Sequence[Mapping[str, Any]]) -> int:
    """Where the trainer stands among a pod's containers, whose end and termination message are the trial's: it is the
    one of that name, or else the first.
    """
    return next((position for position, each in enumerate(containers) if each.get("name") == "trainer"), 0)


def template_problems(template: Mapping[str, Any], hyperparameters: Collection[str]) -> tuple[Problem, ...]:
    """Every fault of ``template``; ``hyperparameters`` are the names that exist in the study."""
    size = len(json.dumps(template, ensure_ascii=False).encode())
    if size > LARGEST_TEMPLATE:
        return (Problem(_PATH, f"is too large: {size} bytes, and at most {LARGEST_TEMPLATE} are allowed"),)
    return (
        *_job_problems(template),
        *_metadata_problems(template.get("metadata"), f"{_PATH}.metadata"),
        *_pod_problems(template, {f"HP_{name.upper()}" for name in hyperparameters}),
    )


def _job_problems(template: Mapping[str, Any]) -> Iterator[Problem]:
    for field in template:
        if field not in _FIELDS:
            yield Problem(f"{_PATH}.{field}", unknown_field(field, _FIELDS))
    for field, expected in (("apiVersion", "batch/v1"), ("kind", "Job")):
        if template.get(field, expected) != expected:
            yield Problem(f"{_PATH}.{field}", f"must be {expected}, or left out: a trial is a Job")


def _metadata_problems(metadata: object, path: str) -> Iterator[Problem]:
    if metadata is not None and not isinstance(metadata, Mapping):
        yield Problem(path, "must be a map")
        return
    for field in metadata or {}:
        if field not in _GIVEN:
            yield Problem(f"{path}.{field}", "must be left out: the operator names and owns the trials' objects")


def _pod_problems(template: Mapping[str, Any], variables: Collection[str]) -> Iterator[Problem]:
    job = template.get("spec")
    pod_template = job.get("template") if isinstance(job, Mapping) else None
    pod = pod_template.get("spec") if isinstance(pod_template, Mapping) else None
    if not isinstance(pod_template, Mapping) or not isinstance(pod, Mapping):
        yield Problem(f"{_POD}.spec", "is missing: the pod that computes a trial, with its containers")
        return
    yield from _metadata_problems(pod_template.get("metadata"), f"{_POD}.metadata")
    if pod.get("restartPolicy", "Never") != "Never":
        yield Problem(
            f"{_POD}.spec.restartPolicy",
            "must be Never, or left out: a restarted container would report its trial twice; the operator repeats "
            "a trial itself",
        )
    containers = pod.get("containers")
    if not isinstance(containers, list) or not containers:
        yield Problem(f"{_POD}.spec.containers", "must list one container at least, the trainer")
        return
    names: set[object] = set()
    for index, container in enumerate(containers):
        path = f"{_POD}.spec.containers[{index}]"
        if not isinstance(container, Mapping):
            yield Problem(path, "must be a map")
            continue
        yield from _container_problems(container, path, variables)
        if (name := container.get("name")) in names:
            yield Problem(f"{path}.name", f"must be unique, and {name} is taken by a container before it")
        names.add(name if isinstance(name, str) else None)


def _container_problems(container: Mapping[str, Any], path: str, variables: Collection[str]) -> Iterator[Problem]:
    name = container.get("name")
    if not isinstance(name, str) or len(name) > 63 or not re.search(DNS_LABEL, name):
        yield Problem(f"{path}.name", f"{SENTENCES[DNS_LABEL]}, of 63 characters at most")
    if not isinstance(container.get("image"), str) or not container["image"]:
        yield Problem(f"{path}.image", "is missing: the image that the container runs")
    environment = container.get("env")
    for index, entry in enumerate(environment if isinstance(environment, list) else ()):
        variable = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(variable, str) and (variable in _OWN_VARIABLES or variable.startswith("HP_")):
            yield Problem(
                f"{path}.env[{index}].name", f"must not be {variable}, which the operator sets for every trial"
            )
    for field in ("command", "args"):
        words = container.get(field)
        for index, word in enumerate(words if isinstance(words, list) else ()):
            for reference in _REFERENCE.findall(word) if isinstance(word, str) else ():
                if reference not in variables:
                    known = suggestion(reference, variables)
                    yield Problem(
                        f"{path}.{field}[{index}]",
                        f"refers to $({reference}), and no hyperparameter is so named{known}",
                    )


def unknown_field(field: str, known: Collection[str]) -> str:
    """The sentence for a field that is not known, with the known one that looks most like it."""
    return f"is not a known field{suggestion(field, known)}"


def suggestion(word: str, known: Collection[str]) -> str:
    """``; did you mean ...?`` where one of ``known`` looks like ``word``, in capitals or not; empty otherwise."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
