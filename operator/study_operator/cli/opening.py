"""From a manifest and a folder to a study that can run: checked before anything is created, new or resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from study_operator.api import InvalidManifest, Study, check_changes, parse_study, time_text
from study_operator.api.yaml import load_manifest
from study_operator.backends.local import (
    Identity,
    Lock,
    Occupied,
    StudyFolder,
    TrainerTemplate,
    check_command,
    trainer_template,
)
from study_operator.backends.port import BackendError, Refused
from study_operator.cli.failure import Failure, faulty
from study_operator.cli.lint import remarks_on
from study_operator.cli.lint_formats import Level, text
from study_operator.results.trial import Trial

STUDIES = Path("studies")
"""Where studies live unless another folder is named, under the folder that the command runs in."""

_BEGUN = {"lock", "study.yaml", "trials"}
"""What a kill may leave of a folder before a study began in it."""


@dataclass(frozen=True, slots=True)
class Given:
    """A manifest as it was given, and read. ``warnings`` are the lines of what is unwise about it."""

    text: str
    manifest: Mapping[str, Any]
    template: TrainerTemplate
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A study that this process may run. ``trials`` are those that exist already."""

    study: Study
    folder: StudyFolder
    trials: tuple[Trial, ...]
    lock: Lock


def read_given(file: Path, parallelism: int | None, environ: Mapping[str, str], cwd: Path) -> Given:
    """Read a manifest and check it, as ``study lint`` does and for a run on this machine.

    Raises Failure with everything that keeps it from running.
    """
    try:
        source = file.read_bytes()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from error
    remarks = list(remarks_on(source, str(file)))
    errors = [remark for remark in remarks if remark.level is Level.ERROR]
    if errors:
        raise Failure("\n".join(text(errors)))
    manifest = load_manifest(source)
    if parallelism is not None:
        manifest["spec"]["budget"]["parallelism"] = parallelism
    try:
        template = trainer_template(manifest["spec"]["trialTemplate"])
        check_command(template, environ, cwd)
    except Refused as refused:
        raise Failure(f"{file}: {refused}") from refused
    warnings = tuple(text([remark for remark in remarks if remark.level is Level.WARNING]))
    return Given(source.decode("utf-8-sig"), manifest, template, warnings)


def open_study(given: Given, path: Path, now: datetime, new_uid: Callable[[], UUID]) -> Opened:
    """Begin the study in the folder ``path``, or resume the one there. Raises Failure, and then all is as it was."""
    folder = _folder(path)
    try:
        lock = folder.lock()
    except Occupied as occupied:
        raise Failure(
            f"another `study run`, process {occupied}, is at work on {path}; wait until it ends, or stop it"
        ) from occupied
    except OSError as error:
        raise Failure(f"{path} cannot be used: {error.strerror}") from error
    try:
        trials = tuple(folder.trials())
        identity = folder.identity()
        if identity is None:
            identity = Identity.first(str(new_uid()), now)
            folder.write_study(given.text, identity)
        else:
            identity = _resume(folder, given, identity, bool(trials))
        study = parse_study(_resource(given.manifest, identity, folder.status()))
        return Opened(study, folder, trials, lock)
    except BackendError as error:
        lock.release()
        raise Failure(str(error)) from error
    except Failure:
        lock.release()
        raise


def load_resource(path: Path) -> dict[str, Any]:
    """The study in a folder as the resource that an API server would hold. Raises Failure where there is none."""
    folder = StudyFolder(path)
    try:
        identity = folder.identity()
        if identity is None:
            raise Failure(f"{path} holds no study")
        return _resource(load_manifest(folder.study_text()), identity, _seen(folder))
    except BackendError as error:
        raise Failure(str(error)) from error
    except InvalidManifest as invalid:
        raise faulty(str(folder.study_path), invalid.problems) from invalid


def _folder(path: Path) -> StudyFolder:
    folder = StudyFolder(path)
    if path.exists() and not path.is_dir():
        raise Failure(f"{path} is a file, and the study needs a folder: name another one with --folder")
    if path.is_dir() and not folder.begun():
        others = sorted(entry.name for entry in path.iterdir() if entry.name not in _BEGUN)
        if others:
            raise Failure(
                f"{path} holds no study, and is not empty ({', '.join(others[:3])}): name another one with --folder"
            )
    return folder


def _resume(folder: StudyFolder, given: Given, identity: Identity, has_trials: bool) -> Identity:
    """Take over what was changed in the file, as far as it may change."""
    old, new = parse_study(load_resource(folder.path)), parse_study(given.manifest)
    for field in ("name", "namespace"):
        before, after = getattr(old.metadata, field), getattr(new.metadata, field)
        if before != after:
            raise Failure(f"{folder.path} holds the study {before!r}, not {after!r}: name another one with --folder")
    if problems := check_changes(old, new, has_trials=has_trials):
        raise faulty(str(folder.path), problems)
    if given.text == folder.study_text():
        return identity
    changed = Identity(identity.uid, identity.generation + 1, identity.created)
    folder.write_study(given.text, changed)
    return changed


def _resource(manifest: Mapping[str, Any], identity: Identity, status: Mapping[str, Any] | None) -> dict[str, Any]:
    added = {"uid": identity.uid, "generation": identity.generation, "creationTimestamp": identity.created}
    metadata = {"namespace": "default", **manifest["metadata"], **added}
    resource = {name: value for name, value in manifest.items() if name != "status"} | {"metadata": metadata}
    return resource if status is None else resource | {"status": json.loads(json.dumps(status, default=_text))}


def _seen(folder: StudyFolder) -> Mapping[str, Any] | None:
    """The status; a study that would go on, had its engine not gone, is Interrupted, which nobody was left to write."""
    status = folder.status()
    if status is None or status.get("state") in ("Finished", "Stalled", "Suspended") or folder.occupied():
        return status
    return {**status, "state": "Interrupted"}


def _text(value: object) -> str:
    """YAML has dates where a status has texts."""
    return time_text(value) if isinstance(value, datetime) else str(value)
