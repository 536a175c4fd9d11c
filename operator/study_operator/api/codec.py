"""Trials to manifests and back.

Ten thousand trials are read at start-up, so the way is plain access to maps; the models in
:mod:`study_operator.api.trial` describe the same form for the schema, and the tests hold the two against each other.
Numbers whose last digit matters are texts: JSON on its way through an API server turns ``1.0`` into ``1``, and knows
no NaN.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from study_operator.api.diagnostics import diagnostics_from_manifest, diagnostics_to_manifest
from study_operator.api.names import API_VERSION, ARM_LABEL, STUDY_LABEL, STUDY_UID_LABEL, TRIAL_LABEL
from study_operator.api.study import ObjectMeta
from study_operator.results.trial import (
    Checkpoint,
    Curve,
    MetricSummary,
    Purpose,
    Sample,
    Source,
    Trial,
    TrialSpec,
    TrialState,
    TrialStatus,
)
from study_operator.scalar import Scalar, identity


class InvalidRecord(ValueError):
    """A trial's manifest that is no trial."""


def scalar_text(value: Scalar) -> str:
    """A scalar as text that :func:`scalar_from_text` reads back exactly.

    It is the value's repr, except that a text stands as it is where nothing else could be meant by it.
    """
    if isinstance(value, str):
        return value if identity(scalar_from_text(value)) == identity(value) else repr(value)
    return float.__repr__(value) if isinstance(value, float) else repr(value)


def scalar_from_text(text: str) -> Scalar:
    """The inverse of :func:`scalar_text`."""
    if text in ("True", "False"):
        return text == "True"
    if text[:1] in ("'", '"'):
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def trial_to_manifest(trial: Trial, study: ObjectMeta) -> dict[str, Any]:
    """The Trial resource, owned by its study where that has a uid."""
    spec = trial.spec
    metadata: dict[str, Any] = {
        "name": spec.name,
        "namespace": study.namespace,
        "labels": {STUDY_LABEL: spec.study, TRIAL_LABEL: str(spec.index), ARM_LABEL: str(spec.arm)},
    }
    if study.uid:
        metadata["labels"][STUDY_UID_LABEL] = study.uid
        metadata["ownerReferences"] = [
            {
                "apiVersion": API_VERSION,
                "kind": "Study",
                "name": study.name,
                "uid": study.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
    return {
        "apiVersion": API_VERSION,
        "kind": "Trial",
        "metadata": metadata,
        "spec": {
            "study": spec.study,
            "index": spec.index,
            "arm": spec.arm,
            "purpose": spec.purpose.value,
            "point": [float.__repr__(coordinate) for coordinate in spec.point],
            "parameters": {name: scalar_text(value) for name, value in spec.parameters.items()},
            "seed": spec.seed,
            **({} if spec.rerun_of is None else {"rerunOf": spec.rerun_of}),
        },
        "status": trial_status_to_manifest(trial.status),
    }


def trial_status_to_manifest(status: TrialStatus) -> dict[str, Any]:
    """``status`` of the Trial resource; what is not known yet is left out."""
    manifest = {
        "state": status.state.value,
        "reason": status.reason,
        "message": status.message,
        "objective": status.objective and _sample_to_manifest(status.objective),
        "metrics": {name: _summary_to_manifest(summary) for name, summary in status.metrics.items()},
        "curves": {
            name: {"steps": list(curve.steps), "values": list(curve.values)} for name, curve in status.curves.items()
        },
        "diagnostics": {name: diagnostics_to_manifest(found) for name, found in status.diagnostics.items()},
        "incomplete": list(status.incomplete),
        "source": status.source and status.source.value,
        "checkpoint": status.checkpoint and checkpoint_to_manifest(status.checkpoint),
        "run": status.run,
        "node": status.node,
        "image": status.image,
        "startTime": status.started and time_text(status.started),
        "completionTime": status.finished and time_text(status.finished),
        "attempts": status.attempts,
        "failedRuns": list(status.failed_runs),
    }
    return {field: value for field, value in manifest.items() if value}


def trial_from_manifest(manifest: Mapping[str, Any]) -> Trial:
    """The trial that a Trial resource holds. Raises :class:`InvalidRecord`."""
    try:
        spec = manifest["spec"]
        return Trial(
            TrialSpec(
                study=spec["study"],
                index=int(spec["index"]),
                arm=int(spec["arm"]),
                purpose=Purpose(spec.get("purpose", Purpose.SEARCH)),
                point=tuple(map(float, spec["point"])),
                parameters={name: scalar_from_text(text) for name, text in spec["parameters"].items()},
                seed=int(spec["seed"]),
                rerun_of=spec.get("rerunOf"),
            ),
            _status_from_manifest(manifest.get("status") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = manifest.get("metadata", {}).get("name", "a trial") if isinstance(manifest, Mapping) else "a trial"
        raise InvalidRecord(f"the record of {name} cannot be read: {type(error).__name__}: {error}") from error


def _status_from_manifest(status: Mapping[str, Any]) -> TrialStatus:
    objective, source, checkpoint = status.get("objective"), status.get("source"), status.get("checkpoint")
    return TrialStatus(
        state=TrialState(status.get("state", TrialState.PENDING)),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        objective=_sample(objective) if objective else None,
        metrics={name: _summary(summary) for name, summary in status.get("metrics", {}).items()},
        curves={
            name: Curve(tuple(map(int, curve["steps"])), tuple(map(float, curve["values"])))
            for name, curve in status.get("curves", {}).items()
        },
        incomplete=tuple(status.get("incomplete", ())),
        source=Source(source) if source else None,
        checkpoint=_checkpoint(checkpoint) if checkpoint else None,
        run=status.get("run", ""),
        node=status.get("node", ""),
        image=status.get("image", ""),
        started=_time(status.get("startTime")),
        finished=_time(status.get("completionTime")),
        failed_runs=tuple(status.get("failedRuns", ())),
        diagnostics={name: diagnostics_from_manifest(found) for name, found in status.get("diagnostics", {}).items()},
    )


def time_text(time: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond where there is one. Needs a time with its zone."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def checkpoint_to_manifest(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as a trial's and a study's status show it."""
    return {"step": checkpoint.step, "value": float.__repr__(checkpoint.value), "path": checkpoint.path}


def _checkpoint(checkpoint: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(int(checkpoint["step"]), float(checkpoint["value"]), checkpoint["path"])


def _sample_to_manifest(sample: Sample) -> dict[str, Any]:
    value = {"value": float.__repr__(float(sample.value))}
    return value if sample.step is None else {**value, "step": sample.step}


def _sample(sample: Mapping[str, Any]) -> Sample:
    step = sample.get("step")
    return Sample(None if step is None else int(step), float(sample["value"]))


def _summary_to_manifest(summary: MetricSummary) -> dict[str, Any]:
    samples = _samples_to_manifest(
        {"final": summary.final, "minimum": summary.minimum, "maximum": summary.maximum}.items()
    )
    return {"count": summary.count, **samples}


def _samples_to_manifest(samples: Iterable[tuple[str, Sample | None]]) -> dict[str, Any]:
    return {name: _sample_to_manifest(sample) for name, sample in samples if sample is not None}


def _summary(summary: Mapping[str, Any]) -> MetricSummary:
    minimum, maximum = summary.get("minimum"), summary.get("maximum")
    return MetricSummary(
        int(summary["count"]),
        _sample(summary["final"]),
        _sample(minimum) if minimum else None,
        _sample(maximum) if maximum else None,
    )
