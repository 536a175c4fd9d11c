"""What the hyperparameters matter: findings of rule 25.

"Matters" and "interacts" are claims about chance, corrected for all that was looked at (Holm, over the whole study), at
3%: normal scores are only nearly normal and the points of a few trials not free of correlations, so that at a nominal
4% up to 6% of the studies made a false claim. "Does not matter" is no failure to find something: it is a claim of its
own, that the share is below a bound with confidence, and that no pair with it interacts. So few trials in many
dimensions do not say it, and where they say nothing, nothing is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from study_operator.findings.evidence import ArmEvidence, Evidence
from study_operator.findings.finding import Finding, Number, Severity, Subject
from study_operator.findings.importance import Importance, Interaction, importances, interactions
from study_operator.findings.multiplicity import holm
from study_operator.findings.words import distinct, percent
from study_operator.space import Role

SIGNIFICANCE = 0.03
NOTICEABLE = 0.03
"""Share of the variance that an interaction must have on every scale."""
SMALL = 0.1
"""Share of the variance that a hyperparameter must be below, with 95% confidence, to be called insensitive."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 25."""
    known = [(arm, importance) for arm in evidence.arms for importance in importances(arm)]
    pairs = [(arm, interaction) for arm in evidence.arms for interaction in interactions(arm)]
    matters = holm([importance.p for _, importance in known])
    interacts = holm([interaction.p for _, interaction in pairs])
    interacting = [
        (arm, pair, p)
        for (arm, pair), p in zip(pairs, interacts, strict=True)
        if p < SIGNIFICANCE and pair.share > NOTICEABLE
    ]
    for (arm, importance), p in zip(known, matters, strict=True):
        if p < SIGNIFICANCE:
            yield _matters(arm, importance, p)
        elif _insensitive(arm, importance, interacting):
            yield _fix(arm, importance, p)
    for arm, pair, p in interacting:
        yield _together(arm, pair, p)


def _insensitive(
    arm: ArmEvidence, importance: Importance, interacting: Sequence[tuple[ArmEvidence, Interaction, float]]
) -> bool:
    takes_part = any(
        other is arm and importance.axis in (interaction.first, interaction.second)
        for other, interaction, _ in interacting
    )
    nuisance = importance.axis.hyperparameter.role is Role.NUISANCE
    return nuisance and importance.joint and importance.high < SMALL and not takes_part


def _numbers(importance: Importance, p: float) -> dict[str, Number]:
    return {
        "share": importance.share,
        "low": importance.low,
        "high": importance.high,
        "p": p,
        "n": len(importance.axis.rows),
    }


def _matters(arm: ArmEvidence, importance: Importance, p: float) -> Finding:
    name = importance.axis.name
    return Finding(
        "hyperparameter-importance",
        Severity.INFO,
        Subject(arm=arm.label, hyperparameter=name),
        f"{name} explains {percent(importance.share)} of the differences between trials "
        f"({percent(importance.low)} to {percent(importance.high)}).",
        f"Keep tuning {name}.",
        _numbers(importance, p),
    )


def _fix(arm: ArmEvidence, importance: Importance, p: float) -> Finding:
    name = importance.axis.name
    assert arm.best is not None
    value = arm.trials[arm.best].spec.parameters.get(name)
    numbers = _numbers(importance, p)
    advice = f"Fix {name} in the next round, and list it among the caveats of what is concluded."
    if value is not None:
        numbers["to"] = value
        (best,) = distinct(importance.axis.domain, value)
        advice = f"Fix {name} in the next round, at the best trial's {best}, and list it among the caveats."
    return Finding(
        "insensitive-nuisance",
        Severity.INFO,
        Subject(arm=arm.label, hyperparameter=name),
        f"{name} hardly matters in this range: with 95% confidence it explains at most {percent(importance.high)} of "
        "the differences between trials, and no interaction with it was found.",
        advice,
        numbers,
    )


def _together(arm: ArmEvidence, pair: Interaction, p: float) -> Finding:
    first, second = pair.first.name, pair.second.name
    return Finding(
        "hyperparameter-interaction",
        Severity.INFO,
        Subject(arm=arm.label, hyperparameter=first),
        f"{first} and {second} interact: the best value of one depends on the other ({percent(pair.share)} of the "
        "differences between trials beyond what each explains alone).",
        f"Tune {first} and {second} together: a value of one that was found at another value of the other may be bad.",
        {"share": pair.share, "p": p, "first": first, "second": second},
    )
