"""Rounds whose trials have ended, in folders as `study run` leaves them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from click.testing import CliRunner, Result
from study_operator.api import parse_study, study_space
from study_operator.api.yaml import load_manifest
from study_operator.backends.local import Identity, StudyFolder
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.cli.main import main
from study_operator.results.trial import Purpose, Sample, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.samplers import SobolSampler, SuggestionRequest

MANIFEST = """\
# Which optimizer?
apiVersion: tuning.study/v1alpha1
kind: Study
metadata:
  name: optimizers-r1   # the first round
spec:
  goal: >-
    Does Adam beat
    Nesterov momentum?
  objective: {metric: validation_error, direction: Minimize}
  training: {steps: 600}
  hyperparameters:
  # What is compared.
  - {name: optimizer, role: Scientific, choices: [nesterov, "adam"]}
  - name: learning_rate
    role: Nuisance
    when: {optimizer: [nesterov]}
    range:
      min: 1e-3
      max: 0.1     # torch's default is 0.01
      scale: Log

  - {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-05, max: 0.1, scale: Log}}
  # The network, as it has always been.
  - name: hidden_units
    role: Fixed
    value: 64
  budget: {trials: 32, parallelism: 4}
  sampler:
    seed: 7
  trialTemplate:
    spec:
      template:
        spec:
          containers:
          - name: trainer
            image: 'example/trainer:1'
            command: [python, -m, train]
"""
REF = StudyRef(StudyKey("default", "optimizers-r1"), str(UUID(int=1)))


def trials_of(text: str, best: float, count: int = 32) -> list[Trial]:
    """Ended trials whose objective is the distance of the first coordinate from ``best``; Adam's are worse."""
    given_study = parse_study(load_manifest(text))
    space = study_space(given_study)
    sampler = SobolSampler(space, 7)
    trials = []
    for index in range(count):
        point = sampler.suggest(SuggestionRequest(index))
        spec = TrialSpec(
            given_study.metadata.name,
            index,
            point.arm,
            Purpose.SEARCH,
            point.point,
            space.parameters(point.arm, point.point),
            point.seed,
        )
        value = abs(point.point[0] - best) + point.arm
        trials.append(Trial(spec, TrialStatus(state=TrialState.SUCCEEDED, objective=Sample(600, value))))
    return trials


def folder_of(path: Path, text: str, best: float, count: int = 32) -> Path:
    """A study's folder as `study run` leaves it."""
    folder = StudyFolder(path)
    folder.lock().release()
    folder.write_study(text, Identity(REF.uid, 1, "2026-11-24T12:00:00Z"))
    for trial in trials_of(text, best, count):
        folder.write_trial(REF, trial)
    return path


def study_next(*arguments: object) -> Result:
    """The command `study next`."""
    return CliRunner().invoke(main, ["next", *map(str, arguments)])
