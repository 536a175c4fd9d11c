"""Rule 6: habits that cost more than they seem to.

Some of them show in the hyperparameters, others only on the trainer's command line, where they are looked for by the
names that training code commonly gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.lints.design import Design, Words, dimensions
from study_operator.scalar import is_number
from study_operator.space import Choices, Hyperparameter, Kind, Role

WARMUP_SHARE = 0.1
"""The share of the steps that a warmup may take (rule 20's cap)."""

GRID_DIMENSIONS = 3
GRID_VALUES = 3

_CONSTANT = ("constant", "none", "fixed", "flat")
_CONSTANT_SCHEDULE = re.compile(
    r"(?:\b|_)scheduler?(?:[-_](?:type|name))?[= ]+(?:constant(?:_with_warmup)?|none|fixed)\b", re.I
)
_EARLY_STOPPING = re.compile(
    r"(?:\b|_)(?<!no[-_])(?<!disable[-_])(?<!without[-_])early[-_]?stop(?![-\w]*[= ]+(?:false|no|none|off|0)(?:\s|$))"
    r"|(?<!lr-)(?<!plateau-)(?<!scheduler-)\bpatience\b",
    re.I,
)
_BY_TIME = re.compile(r"\beval(?![-\w]*time[-_]?out)\w*[-_](?:\w+[-_])*(?:secs?|seconds|mins?|minutes|hours)\b", re.I)
_WARMUP = re.compile(r"(?:\b|_)warm[-_]?up[-_]steps[= ]+(\d+)\b", re.I)


def constant_schedule(design: Design) -> Iterator[Finding]:
    """A learning rate that never decays."""
    message = "The learning rate stays constant: different learning rates work best at different times of a training."
    advice = "Decay it, linearly or by a cosine, to zero at the last step, and tune the base learning rate."
    for definition in design.of_kind(Kind.SCHEDULE):
        values = definition.hyperparameter.values
        if definition.role is Role.FIXED and str(values[0]).lower() in _CONSTANT:
            yield definition.finding("constant-learning-rate", message, advice, field="value")
    for words in _matching(design, _CONSTANT_SCHEDULE):
        yield _at(words, "constant-learning-rate", message, advice)


def grid(design: Design) -> Iterator[Finding]:
    """Lists of numbers where ranges would do: a grid, which in three dimensions or more repeats few values of each."""
    grids = [
        sampled
        for sampled in design.sampled
        if dimensions(sampled) >= GRID_DIMENSIONS and dimensions(filter(_gridded, sampled)) > 1
    ]
    for definition in design.definitions:
        own = [dimensions(sampled) for sampled in grids if definition.hyperparameter in filter(_gridded, sampled)]
        if own:
            yield definition.finding(
                "grid-search",
                f"{definition.name} is sampled from a list of {len(definition.hyperparameter.values)} numbers, as one "
                f"axis of a grid in {max(own)} dimensions: most trials repeat values that are tried already.",
                "Write `range` with the smallest and the largest of them; on a Log scale where they grow by a factor.",
                field="choices",
            )


def _gridded(hyperparameter: Hyperparameter) -> bool:
    values = hyperparameter.values
    return isinstance(hyperparameter.domain, Choices) and len(values) >= GRID_VALUES and all(map(is_number, values))


def bayesian_exploration(design: Design) -> Iterator[Finding]:
    """Exploitation where something is still to be learnt."""
    if not design.exploitation:
        return
    reasons = []
    if not design.follows_a_round:
        reasons.append("no earlier round is named, so nothing has been explored")
    if any(definition.role is Role.SCIENTIFIC for definition in design.definitions):
        reasons.append("a comparison is still to be made")
    if reasons:
        yield Finding(
            "bayesian-exploration",
            Severity.WARNING,
            Subject(field="spec.phase"),
            f"The search is Bayesian though {' and '.join(reasons)}: its points follow the results, so they tell "
            "little about the rest of the space and cannot be ranked by another objective afterwards.",
            "Write `phase: Exploration`; go over to Exploitation when the roles are settled, and name the explored "
            "round in `basedOn`.",
            {},
        )


def test_objective(design: Design) -> Iterator[Finding]:
    """A test set that decides."""
    if "test" in map(str.lower, re.findall("[A-Z]?[a-z]+", design.objective.metric)):
        yield Finding(
            "test-metric-objective",
            Severity.WARNING,
            Subject(field="spec.objective.metric"),
            f"{design.objective.metric} looks like a test metric: what is chosen on the test set is no longer measured "
            "by it.",
            "Rank by a validation metric, and look at the test metric once, after the decision.",
            {},
        )


def early_stopping(design: Design) -> Iterator[Finding]:
    """Trainings that end when they please."""
    message = "The training stops early: its length then depends on noise, and trials of one round are not comparable."
    advice = (
        "Train for spec.training.steps and keep the best checkpoint afterwards (`selection: Best`): it costs nothing "
        "that the budget had not allowed for."
    )
    for definition in design.definitions:
        if _EARLY_STOPPING.search(definition.name):
            yield definition.finding("early-stopping", message, advice, field="name")
    for words in _matching(design, _EARLY_STOPPING):
        yield _at(words, "early-stopping", message, advice)


def evaluation_by_time(design: Design) -> Iterator[Finding]:
    """Evaluations that a clock starts."""
    message = (
        "Evaluations come by time: on a slower node they fall on other steps, so curves cannot be laid over each other."
    )
    advice = "Evaluate every so many steps."
    for definition in design.definitions:
        if _BY_TIME.search(definition.name):
            yield definition.finding("evaluation-by-time", message, advice, field="name")
    for words in _matching(design, _BY_TIME):
        yield _at(words, "evaluation-by-time", message, advice)


def long_warmup(design: Design) -> Iterator[Finding]:
    """Warmups that take more than their share of the steps."""
    if design.steps is None:
        return
    longest = int(WARMUP_SHARE * design.steps)
    advice = f"Keep it to {longest} steps, and find the shortest one that trains stably."
    for definition in design.of_kind(Kind.WARMUP_STEPS):
        if definition.largest > longest:
            yield definition.finding(
                "long-warmup",
                f"{definition.name} goes up to {definition.largest:g} of {design.steps} steps: the warmup's are "
                "missing at the full learning rate.",
                advice,
            )
    for words in _matching(design, _WARMUP):
        steps = max(int(found) for found in _WARMUP.findall(words.text))
        if steps > longest:
            message = f"The warmup takes {steps} of {design.steps} steps: they are missing at the full learning rate."
            yield _at(words, "long-warmup", message, advice)


def unconfirmed(design: Design) -> Iterator[Finding]:
    """A search that nothing follows; told beforehand, as it costs reruns (rules 23 and 24)."""
    if not design.confirms:
        yield Finding(
            "decision",
            Severity.INFO,
            Subject(field="spec.confirmation"),
            "Nothing is run again on fresh seeds, so the study will rank and not decide: the scores that select the "
            "best trials flatter them.",
            "Write `confirmation: {top: 3, reruns: 5}`, 15 trials more, with the baseline that is in use where there "
            "is one. It may be added once the search has ended, too.",
        )


def _matching(design: Design, pattern: re.Pattern[str]) -> Iterator[Words]:
    return (words for words in design.words if pattern.search(words.text))


def _at(words: Words, rule: str, message: str, advice: str) -> Finding:
    return Finding(rule, Severity.WARNING, Subject(field=words.field), message, advice, {})
