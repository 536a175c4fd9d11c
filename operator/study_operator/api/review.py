"""A study put before the playbook's reviewer: from the resource to what the lints look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from study_operator.api.parts import CurveKind, Phase
from study_operator.api.study import Study
from study_operator.api.template import trainer_position
from study_operator.conclusions import too_few_reruns
from study_operator.findings import Evidence, Finding, Severity
from study_operator.findings.lints import Design, Words, lint, waive
from study_operator.results.trial import Trial
from study_operator.rounds import Plan
from study_operator.space import Space

_JOB = "spec.trialTemplate.spec"


def review(study: Study, space: Space) -> tuple[Finding, ...]:
    """What the lints say of ``study``, whose checked search space is ``space``, and what its reruns could find; waived
    denials as information.
    """
    confirmation = study.question.confirmation
    reruns = () if confirmation is None else too_few_reruns(confirmation, len(space.arms))
    return waive([*lint(design(study, space)), *reruns], study.question.waivers)


def evidence(study: Study, space: Space, trials: Sequence[Trial], trial_variance: float | None = None) -> Evidence:
    """What the rules look at once there are trials."""
    kept = {metric.name: metric.curve for metric in study.spec.metrics}
    validation = [name for name, curve in kept.items() if curve is CurveKind.VALIDATION]
    training = study.spec.training
    return Evidence(
        study=study.metadata.name,
        space=space,
        objective=study.objective,
        steps=training.steps if training else None,
        training_metrics=tuple(name for name, curve in kept.items() if curve is CurveKind.TRAINING),
        validation_metrics=tuple(dict.fromkeys([study.objective.metric, *validation])),
        trials=trials,
        trial_variance=trial_variance,
        test_metrics=tuple(name for name, curve in kept.items() if curve is CurveKind.TEST),
        last_launch=study.spec.last_launch,
    )


def plan(study: Study) -> Plan:
    """What the next round's manifest depends on beside the space."""
    spec = study.spec
    confirmation, sampler = spec.confirmation, spec.sampler
    return Plan(
        trials=spec.budget.trials,
        exploitation=spec.phase is Phase.EXPLOITATION,
        seed=sampler.seed if sampler else None,
        confirms=confirmation is not None,
        baseline=confirmation.baseline if confirmation else None,
        words="\n".join(words.text for words in _words(spec.trial_template["spec"]["template"]["spec"])),
        limits=tuple(_limits(study)),
    )


def _limits(study: Study) -> Iterator[str]:
    """What bounds the time of the study and of a trial."""
    if study.spec.budget.max_duration is not None:
        yield f"spec.budget.maxDuration {study.spec.budget.max_duration}"
    job = study.spec.trial_template["spec"]
    for path, holder in ((_JOB, job), (f"{_JOB}.template.spec", job["template"]["spec"])):
        if "activeDeadlineSeconds" in holder:
            yield f"{path}.activeDeadlineSeconds {holder['activeDeadlineSeconds']}"


def denial(findings: Iterable[Finding]) -> str:
    """Why ``findings`` keep the study from starting, and how to insist; empty where they do not."""
    denials = [finding for finding in findings if finding.severity is Severity.DENIAL]
    return " ".join(
        f"{each.subject.field}: {each.message} {each.advice} To insist, add to spec.waivers the rule {each.rule} with "
        "your reason."
        for each in denials
    )


def design(study: Study, space: Space) -> Design:
    """The plan of ``study``."""
    spec = study.spec
    job = spec.trial_template["spec"]
    return Design(
        space=space,
        objective=study.objective,
        trials=spec.budget.trials,
        steps=spec.training.steps if spec.training else None,
        exploitation=spec.phase is Phase.EXPLOITATION,
        follows_a_round=spec.based_on is not None,
        confirms=spec.confirmation is not None,
        words=tuple(_words(job["template"]["spec"])),
        pods=_pods(job),
        indexed=job.get("completionMode") == "Indexed",
    )


def _pods(job: Mapping[str, Any]) -> int:
    """How many pods of the Job run at once."""
    parallelism, completions = job.get("parallelism", 1), job.get("completions", None)
    whole = [number for number in (parallelism, completions) if isinstance(number, int)]
    return min(whole, default=1)


def _words(pod: Mapping[str, Any]) -> Iterator[Words]:
    """The trainer's command line, an option with its value where they are two words, and its environment."""
    containers = pod["containers"]
    position = trainer_position(containers)
    path = f"{_JOB}.template.spec.containers[{position}]"
    for field in ("command", "args"):
        given = containers[position].get(field)
        words = [str(word) for word in given] if isinstance(given, list) else []
        for index, word in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else "-"
            valued = word.startswith("-") and "=" not in word and not following.startswith("-")
            yield Words(f"{path}.{field}[{index}]", f"{word} {following}" if valued else word)
    given = containers[position].get("env")
    for index, variable in enumerate(given if isinstance(given, list) else []):
        yield Words(f"{path}.env[{index}]", f"{variable.get('name')}={variable.get('value', '')}")
