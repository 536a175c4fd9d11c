"""Rule 4: the number of steps is never tuned, and the batch size is no knob for quality.

Longer training is nearly always better, so a search over steps answers with its own upper end and makes the trials
incomparable. The batch size changes the training's speed; with the other hyperparameters tuned for each batch size, any
of them reaches the same validation error, so that tuning it for quality is tuning noise. Both are denied.
"""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.findings.finding import Finding, Severity
from study_operator.findings.lints.design import OPTIMIZER_KINDS, Design, listed
from study_operator.space import REGULARISERS, Kind, Range, Role, Scalar, Value


def steps_tuned(design: Design) -> Iterator[Finding]:
    """Training lengths that vary between trials, or contradict the round's."""
    for definition in design.of_kind(Kind.STEPS):
        domain = definition.hyperparameter.domain
        if definition.role is not Role.FIXED:
            yield definition.finding(
                "tuned-steps",
                f"{definition.name} is tuned: longer is nearly always better, so the search would answer with its "
                "upper end, and trials of different lengths cannot be compared.",
                "Remove it, and write the length as `spec.training.steps`; tune for a short length first, and train "
                "longer in a later round.",
                field="role",
                severity=Severity.DENIAL,
            )
        elif isinstance(domain, Value) and _contradicts(definition.name, domain.value, design.steps):
            yield definition.finding(
                "tuned-steps",
                f"{definition.name} is {domain.value}, and spec.training.steps is {design.steps}: which of them the "
                "trainer takes is not said.",
                "Keep one of them; spec.training.steps reaches the trainer as STUDY_STEPS.",
                field="value",
            )


def batch_size_tuned(design: Design) -> Iterator[Finding]:
    """Batch sizes tuned for quality, and comparisons of batch sizes that do not tune what depends on them."""
    for definition in design.of_kind(Kind.BATCH_SIZE):
        if definition.role is Role.NUISANCE:
            yield definition.finding(
                "tuned-batch-size",
                f"{definition.name} is tuned for quality: any batch size reaches the same validation error once the "
                "learning rate and the regularisation are tuned for it, so this tunes noise at a cost in speed.",
                "Write `role: Fixed` with the largest batch size that fits and still speeds training up.",
                field="role",
                severity=Severity.DENIAL,
            )
        elif definition.role is Role.SCIENTIFIC:
            if isinstance(definition.hyperparameter.domain, Range):
                yield definition.finding(
                    "tuned-batch-size",
                    f"{definition.name} is compared over a range, which makes no arms: what depends on the batch size "
                    "cannot be tuned for each.",
                    "Write `choices` with two to four batch sizes.",
                    field="range",
                )
            missing = _not_tuned(design)
            if missing:
                yield definition.finding(
                    "tuned-batch-size",
                    f"{definition.name} is compared without tuning {listed(missing)}: their best values depend on the "
                    "batch size more than on anything else.",
                    "Define them as Nuisance, so that each batch size is seen at its best.",
                )


def _contradicts(name: str, value: Scalar, steps: int | None) -> bool:
    return steps not in (None, value) and name.lower().endswith("steps")


def _not_tuned(design: Design) -> list[str]:
    """Which of the learning rate, the momentum and the regularisation some arm does not tune."""
    groups = {
        "the learning rate": {Kind.LEARNING_RATE},
        "the momentum": set(OPTIMIZER_KINDS[1:3]),
        "the regularisation": set(REGULARISERS),
    }
    tuned = [
        {each.kind for each in design.space.hyperparameters(arm.index) if each.role is Role.NUISANCE}
        for arm in design.space.arms
    ]
    return [words for words, kinds in groups.items() if not all(kinds & own for own in tuned)]
