"""What ``study run`` adds to the trials' own time.

The reference is a pool of processes that runs the very trials of the study, one process a trial and as many at once,
and does nothing else: it keeps no record, scrapes nothing and draws no table.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from study_operator.api import parse_study
from study_operator.backends.environment import trial_environment
from study_operator.backends.local import StudyFolder
from study_operator.results.trial import TrialSpec, TrialState

from tests.cluster.server import free_port

ROOT = Path(__file__).parent.parent
PARALLELISM = 2


@dataclass(frozen=True, slots=True)
class Overhead:
    """Wall clock seconds for the same trials: by the engine from command to prompt, and by the bare pool.

    ``start`` is the engine's part before its first trial, ``trial_seconds`` the mean time of one trial in the pool.
    """

    trainer: str
    trials: int
    parallelism: int
    engine: float
    start: float
    pool: float
    trial_seconds: float

    @property
    def share(self) -> float:
        """The engine's part, as a share of the trials' own time."""
        return self.engine / self.pool - 1.0

    @property
    def share_once_started(self) -> float:
        """The same from the first trial on: what grows with the study."""
        return (self.engine - self.start) / self.pool - 1.0


def fixed_study(trials: int) -> dict[str, Any]:
    """A study of the trainer that takes a fixed time."""
    return _study("fixed", [sys.executable, str(ROOT / "bench" / "fixed_trainer.py")], trials)


def digits_study(trials: int) -> dict[str, Any]:
    """A study of the example trainer, at the length that the demo and the examples have."""
    manifest = _study("digits", [sys.executable, "-m", "digits.train"], trials)
    manifest["spec"]["training"] = {"steps": 600}
    manifest["spec"]["metrics"] = [{"name": "train_error", "curve": "Training"}]
    return manifest


def _study(name: str, command: list[str], trials: int) -> dict[str, Any]:
    containers = [{"name": "trainer", "image": "example/trainer:1", "command": command}]
    return {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Study",
        "metadata": {"name": name},
        "spec": {
            "goal": "What does the engine cost?",
            "objective": {"metric": "validation_error", "direction": "Minimize"},
            "hyperparameters": [
                {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 0.3, "scale": "Log"}}
            ],
            "budget": {"trials": trials, "parallelism": PARALLELISM},
            "trialTemplate": {"spec": {"template": {"spec": {"containers": containers}}}},
        },
    }


def overhead(manifest: Mapping[str, Any], rounds: int) -> Overhead:
    """The median of several rounds: a busy machine disturbs one side of a round more than the other."""
    return sorted((_round(manifest) for _ in range(rounds)), key=lambda each: each.share)[rounds // 2]


def _round(manifest: Mapping[str, Any]) -> Overhead:
    """Run the study, then its trials bare. Raises AssertionError where a trial has no result."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        begun = datetime.now(UTC)
        engine = _by_engine(manifest, folder)
        trials = StudyFolder(folder / "study").trials()
        assert all(trial.status.state is TrialState.SUCCEEDED for trial in trials), "every trial must succeed"
        started = min(trial.status.started for trial in trials if trial.status.started is not None)
        pool, trial_seconds = _by_pool(manifest, [trial.spec for trial in trials], folder)
    start = (started - begun).total_seconds()
    return Overhead(manifest["metadata"]["name"], len(trials), PARALLELISM, engine, start, pool, trial_seconds)


def _by_engine(manifest: Mapping[str, Any], folder: Path) -> float:
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(dict(manifest)))
    command = [str(Path(sys.executable).with_name("study")), "run", str(file), f"--folder={folder / 'study'}"]
    begun = time.monotonic()
    subprocess.run(command, check=True, env=_environment(), cwd=folder, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def _by_pool(manifest: Mapping[str, Any], specs: list[TrialSpec], folder: Path) -> tuple[float, float]:
    command = manifest["spec"]["trialTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    study = parse_study(manifest)

    def run(spec: TrialSpec) -> float:
        place = folder / "bare" / spec.name
        place.mkdir(parents=True)
        contract = {
            "STUDY_METRICS_PORT": str(free_port()),
            "STUDY_METRICS_ADDRESS": "127.0.0.1",
            "STUDY_METRICS_LINGER": "0",
            "STUDY_TERMINATION_LOG": str(place / "termination-log"),
            "STUDY_CHECKPOINTS": str(place / "checkpoints"),
        }
        begun = time.monotonic()
        with (place / "log.txt").open("wb") as log:
            environment = _environment() | trial_environment(study, spec) | contract
            subprocess.run(command, check=True, env=environment, cwd=place, stdout=log, stderr=log)
        return time.monotonic() - begun

    begun = time.monotonic()
    with ThreadPoolExecutor(PARALLELISM) as pool:
        seconds = list(pool.map(run, specs))
    return time.monotonic() - begun, sum(seconds) / len(seconds)


def _environment() -> dict[str, str]:
    paths = [str(ROOT / "trainer-image"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
