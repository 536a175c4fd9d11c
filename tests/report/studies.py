"""Studies with trials as a search would leave them, of any size, for the report's tests and its measurement."""

from collections.abc import Sequence
from typing import Any

import numpy
from study_operator.api import Study, parse_study, study_space
from study_operator.api.yaml import load_manifest
from study_operator.report.report import Provenance, Report, report_of
from study_operator.results.curve import summarize, thin
from study_operator.results.diagnostics import diagnose
from study_operator.results.objective import objective_of
from study_operator.results.trial import (
    FIRST_CONFIRMATION,
    Curve,
    Purpose,
    Source,
    Trial,
    TrialSpec,
    TrialState,
    TrialStatus,
)
from study_operator.samplers import SobolSampler, SuggestionRequest

MANIFEST = """
apiVersion: tuning.study/v1alpha1
kind: Study
metadata: {name: wide}
spec:
  goal: Does Adam reach a lower validation error than Nesterov momentum?
  objective: {metric: validation_error, direction: Minimize}
  metrics:
  - {name: train_error, curve: Training}
  - {name: gradient_norm}
  training: {steps: 600}
  hyperparameters:
  - {name: optimizer, role: Scientific, choices: [nesterov, adam]}
  - {name: learning_rate, role: Nuisance, when: {optimizer: [nesterov]}, range: {min: 0.001, max: 10, scale: Log}}
  - {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 0.00001, max: 0.01, scale: Log}}
  - {name: momentum, role: Nuisance, when: {optimizer: [nesterov]}, range: {min: 0.8, max: 0.999, scale: ReverseLog}}
  - {name: dropout, role: Nuisance, range: {min: 0, max: 0.8}}
  - {name: layers, role: Nuisance, range: {min: 1, max: 6, integer: true}}
  - {name: activation, role: Nuisance, choices: [relu, gelu, tanh]}
  - {name: weight_decay, role: Nuisance, range: {min: 0.000001, max: 0.01, scale: Log}}
  budget: {trials: 32, parallelism: 4}
  sampler: {seed: 7}
  confirmation: {top: 2, reruns: 3}
  trialTemplate:
    spec:
      template:
        spec:
          containers:
          - {name: trainer, image: example/trainer:1, command: [python, -m, train]}
"""

STEPS = numpy.arange(10, 610, 10)


def manifest(trials: int = 32, schedules: int = 1) -> dict[str, Any]:
    """Two optimizers, with so many schedules each, over seven hyperparameters of every kind."""
    written = load_manifest(MANIFEST)
    written["spec"]["budget"]["trials"] = trials
    if schedules > 1:
        choices = [f"schedule-{number}" for number in range(schedules)]
        written["spec"]["hyperparameters"].append({"name": "schedule", "role": "Scientific", "choices": choices})
    return written


def one_arm() -> dict[str, Any]:
    """The optimizer is tuned like all else, so that one arm has a learning rate of each."""
    written = manifest()
    written["spec"]["hyperparameters"][0]["role"] = "Nuisance"
    return written


def trials_of(study: Study) -> tuple[Trial, ...]:
    """The search's trials, and reruns of the best of each arm."""
    space, rng = study_space(study), numpy.random.default_rng(1)
    sampler = SobolSampler(space, 7)
    searched = []
    for index in range(study.spec.budget.trials):
        drawn = sampler.suggest(SuggestionRequest(index))
        parameters = space.parameters(drawn.arm, drawn.point)
        spec = TrialSpec(study.metadata.name, index, drawn.arm, Purpose.SEARCH, drawn.point, parameters, drawn.seed)
        searched.append(_run(study, spec, rng))
    reached = sorted((trial for trial in searched if trial.status.objective), key=_reached)
    best = list({trial.spec.arm: trial for trial in reversed(reached)}.values())
    return (
        *searched,
        *(_rerun(study, trial, slot, again, rng) for again in range(3) for slot, trial in enumerate(best)),
    )


def report(
    study: Study, trials: Sequence[Trial], *, text: str = MANIFEST, complete: bool = True, asked: str = ""
) -> Report:
    """The report of a finished study."""
    provenance = Provenance(
        config="studies/wide/study.yaml",
        manifest=text,
        state="Finished" if complete else "Running",
        seed=7,
        sampler="scrambled Sobol",
        version="1.2.3",
        command=lambda trial: f"env STUDY_TRIAL={trial.name} python -m train",
        asked=asked,
    )
    return report_of(study, study_space(study), trials, provenance, complete=complete)


def wide_report(trials: int = 32, schedules: int = 1) -> Report:
    """The report of a study of so many trials in twice as many arms as schedules."""
    study = parse_study(manifest(trials, schedules))
    return report(study, trials_of(study))


def _reached(trial: Trial) -> float:
    assert trial.status.objective is not None
    return trial.status.objective.value


def _rerun(study: Study, of: Trial, slot: int, again: int, rng: numpy.random.Generator) -> Trial:
    index = FIRST_CONFIRMATION + len(study_space(study).arms) * again + slot
    spec = of.spec
    rerun = TrialSpec(spec.study, index, spec.arm, Purpose.CONFIRMATION, spec.point, spec.parameters, index, spec.index)
    return _run(study, rerun, rng)


def _run(study: Study, spec: TrialSpec, rng: numpy.random.Generator) -> Trial:
    """A trial that diverges at a high learning rate, and overfits where nothing regularises it."""
    drawn = dict(zip(study_space(study).dimensions, spec.point, strict=True))
    if drawn["learning_rate"] > 0.9:
        said = "The training diverged: train_loss is inf at step 77."
        return Trial(spec, TrialStatus(TrialState.INFEASIBLE, "Diverged", said, source=Source.ENDPOINT))
    loss = 0.02 + 0.6 * (drawn["learning_rate"] - 0.75) ** 2 + 0.05 * (drawn["dropout"] - 0.4) ** 2 + 0.01 * spec.arm
    falls = numpy.exp(-STEPS / 60)
    overfits = max(0.4 - drawn["dropout"], 0.0) * loss * STEPS / 600
    noise = 0.002 * rng.standard_normal((2, len(STEPS)))
    values = {
        "validation_error": loss + 0.5 * falls + overfits + noise[0],
        "train_error": 0.5 * loss + 0.5 * falls + 0.5 * noise[1],
        "gradient_norm": 1 + falls + noise[1],
    }
    curves = {name: Curve(tuple(STEPS.tolist()), tuple(each.tolist())) for name, each in values.items()}
    metrics = {name: summarize(curve) for name, curve in curves.items()}
    diagnostics = {name: found for name, curve in curves.items() if (found := diagnose(curve)) is not None}
    return Trial(
        spec,
        TrialStatus(
            TrialState.SUCCEEDED,
            "Completed",
            objective=objective_of(metrics, study.objective),
            metrics=metrics,
            curves={name: thin(curve) for name, curve in curves.items()},
            source=Source.ENDPOINT,
            diagnostics=diagnostics,
        ),
    )
