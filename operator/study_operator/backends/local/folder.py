"""A study's folder: what the API server is to a study in a cluster.

    study.yaml                as it was given
    status.yaml               as ``kubectl get -o yaml`` shows a resource's status
    identity.json             which life of the study this is, and how often its file was changed
    trials/<trial>.json       a Trial resource
    trials/<trial>/           its run: log.txt, termination-log, samples.txt, checkpoints/, and what tells how it stands
    trials/<trial>.1/ ...     runs that ended without counting against the trial

Trials are JSON, because ten thousand of them have to be read in a second or so at a restart; JSON is YAML too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from study_operator.api import time_text, trial_from_manifest, trial_to_manifest
from study_operator.api.study import ObjectMeta
from study_operator.backends.local.durable import Lock, remove_file, remove_partial_files, write_file
from study_operator.backends.port import Foreign, Gone, Refused, StudyRef
from study_operator.results.trial import Trial

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an API server adds to a manifest's metadata."""

    uid: str
    generation: int
    created: str

    @classmethod
    def first(cls, uid: str, created: datetime) -> Identity:
        """Of a study that begins."""
        return cls(uid, 1, time_text(created))


class StudyFolder:
    """Reads and writes durably; decides nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trials_path = path.absolute() / "trials"  # the trainers may run in another folder
        self.study_path = path / "study.yaml"
        self.status_path = path / "status.yaml"
        self._identity_path = path / "identity.json"
        self._lock_path = path / "lock"

    def lock(self) -> Lock:
        """Make the folder where there is none, and take it for this process. Raises Occupied."""
        self.trials_path.mkdir(parents=True, exist_ok=True)
        lock = Lock(self._lock_path)
        remove_partial_files(self.path)
        remove_partial_files(self.trials_path)
        return lock

    def occupied(self) -> bool:
        """Whether the process that last took the folder is still there; for showing only, since ids are given again."""
        try:
            os.kill(int(_read(self._lock_path) or ""), 0)
        except (ValueError, ProcessLookupError):
            return False
        except PermissionError:
            return True
        return True

    def begun(self) -> bool:
        """Whether a study has begun here, be it one that cannot be read any more."""
        return self._identity_path.exists()

    def identity(self) -> Identity | None:
        """None where no study has begun here. Raises Refused where that cannot be told."""
        text = _read(self._identity_path)
        try:
            return None if text is None else Identity(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise Refused(f"{self._identity_path} cannot be read; bring it back from a copy of the folder") from error

    def write_study(self, text: str, identity: Identity) -> None:
        """Keep the study's file as given. The identity comes last: a folder without one holds no study yet."""
        write_file(self.study_path, text)
        write_file(self._identity_path, json.dumps(asdict(identity), indent=1) + "\n")

    def study_text(self) -> str:
        """The study's file as it was given; empty where there is none."""
        return _read(self.study_path) or ""

    def status(self) -> Mapping[str, Any] | None:
        """None where none was written yet. Raises Refused for a file that holds none."""
        text = _read(self.status_path)
        try:
            status = None if text is None else yaml.load(text, Loader=_Loader)
        except yaml.YAMLError:
            status = text
        if status is not None and not isinstance(status, dict):
            raise Refused(f"{self.status_path} cannot be read; remove it, and `study run` writes it anew")
        return status

    def write_status(self, status: Mapping[str, object]) -> None:
        """Replace the study's status. Raises as :func:`write_file` does."""
        write_file(
            self.status_path,
            yaml.dump(dict(status), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False),
        )

    def trials(self) -> list[Trial]:
        """Every trial, by index. Raises Refused for a file that is not a trial, and Gone where the folder is gone."""
        if not self.trials_path.is_dir():
            raise Gone(f"{self.trials_path} is not there any more")
        trials = [_trial(self._trial_path(name)) for name in self.names()]
        return sorted(trials, key=lambda trial: trial.spec.index)

    def names(self) -> list[str]:
        """The names of all trials, sorted as texts."""
        return sorted(path.stem for path in self.trials_path.glob("*.json"))

    def trial(self, study: StudyRef, name: str) -> Trial | None:
        """One trial. Raises Foreign where a trial of this name belongs to another study or another life of this one."""
        path = self._trial_path(name)
        text = _read(path)
        if text is None:
            return None
        owners = json.loads(text).get("metadata", {}).get("ownerReferences", [])
        if study.uid not in [owner.get("uid") for owner in owners]:
            raise Foreign(f"{path} belongs to another study")
        return _trial(path)

    def write_trial(self, study: StudyRef, trial: Trial) -> None:
        """Replace the trial's record. Raises as :func:`write_file` does."""
        owner = ObjectMeta(name=study.key.name, namespace=study.key.namespace, uid=study.uid)
        manifest = trial_to_manifest(trial, owner)
        write_file(self._trial_path(trial.spec.name), json.dumps(manifest, indent=1) + "\n")

    def remove_trial(self, name: str) -> None:
        """Forget the trial; its run's folder stays."""
        remove_file(self._trial_path(name))

    def run_path(self, name: str) -> Path:
        """Where the trial's run lives."""
        return self.trials_path / name

    def _trial_path(self, name: str) -> Path:
        return self.trials_path / f"{name}.json"


def _trial(path: Path) -> Trial:
    try:
        return trial_from_manifest(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise Refused(
            f"{path} cannot be read as a trial: {error}. Mend it, or remove it to compute it again."
        ) from error


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
