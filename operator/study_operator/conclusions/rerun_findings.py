"""What reruns on fresh seeds tell beside the decision: trial variance, and whether the baseline learned anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from study_operator.conclusions.conclude import BASELINE_RULE
from study_operator.conclusions.decision import beats
from study_operator.conclusions.question import Question
from study_operator.conclusions.reruns import Reruns, StudyReruns, reruns_of
from study_operator.conclusions.statements import distinct, no_better_than_chance, number
from study_operator.findings.evidence import Evidence
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.results.trial import Purpose, trial_name


def rerun_findings(evidence: Evidence, question: Question) -> Iterator[Finding]:
    """Findings of the rules 7 and 23."""
    reruns = reruns_of(evidence)
    if reruns.trial_variance is not None:
        yield _variance(evidence, reruns, reruns.trial_variance) if reruns.trial_variance else _equal(reruns)
    if question.chance is not None and reruns.reference is not None:
        yield _baseline(evidence, reruns.reference, question.chance)


def _variance(evidence: Evidence, reruns: StudyReruns, deviation: float) -> Finding:
    count = sum(len(configuration.values) for configuration in reruns.all if configuration.comparable)
    numbers: dict[str, float | int | str] = {"trial_variance": deviation, "reruns": count}
    told = f"Reruns of one configuration differ by {number(deviation)} (standard deviation, {count} reruns)."
    if lucky := _luck(evidence, reruns.configurations):
        optimism = math.fsum(lucky) / len(lucky)
        numbers["optimism"] = optimism
        told += (
            f" The scores of the search {'flattered' if optimism > 0 else 'understated'} the configurations that were "
            f"run again by {number(abs(optimism))} on average."
        )
    advice = "Take smaller differences between two single runs for noise."
    return Finding("trial-variance", Severity.INFO, Subject(), told, advice, numbers)


def _equal(reruns: StudyReruns) -> Finding:
    """Of reruns that agree to the last digit: no difference can be told from what chance does, which is not known."""
    count = sum(len(configuration.values) for configuration in reruns.all if configuration.comparable)
    return Finding(
        "trial-variance",
        Severity.WARNING,
        Subject(),
        f"{count} reruns on fresh seeds gave the very numbers of the others of their configuration: the trainer may "
        "not use its seed, or the metric is too coarse to show a difference.",
        "Seed with STUDY_SEED whatever is random in the training, such as the initialisation and the order of the "
        "examples, and compare again: what is adopted otherwise may be luck.",
        {"trial_variance": 0.0, "reruns": count},
    )


def _luck(evidence: Evidence, confirmed: Sequence[Reruns]) -> list[float]:
    """By how much each configuration's score in the search is better than the mean of its reruns."""
    direction = evidence.objective.direction
    scores = {
        trial_name(evidence.study, trial.spec.index): direction.minimised(trial.status.objective.value)
        for trial in evidence.trials
        if trial.spec.purpose is Purpose.SEARCH and trial.status.objective is not None
    }
    return [reruns.mean - scores[reruns.name] for reruns in confirmed if reruns.values and reruns.name in scores]


def _baseline(evidence: Evidence, reference: Reruns, chance: float) -> Finding:
    direction = evidence.objective.direction
    mean, n = direction.minimised(reference.mean), len(reference.values)
    numbers: dict[str, float | int | str] = {"mean": mean, "chance": chance, "reruns": n}
    if beats(reference.values, direction.minimised(chance)):
        name = reference.name[0].upper() + reference.name[1:]
        reached, guessing = distinct(mean, chance)
        told = f"{name} beats chance: {n} reruns give {reached} on average, and guessing {guessing}."
        return Finding(BASELINE_RULE, Severity.INFO, Subject(), told, "", numbers)
    told = no_better_than_chance(reference, chance, direction)
    return Finding(BASELINE_RULE, Severity.WARNING, Subject(), told, "Look for a bug first.", numbers)
