"""Rule 1: every hyperparameter in the role that the question gives it.

The roles decide what a comparison is worth. A learning rate that is compared instead of tuned answers a question
that nobody has, and an optimizer's hyperparameter that is fixed favours the arm it happens to suit.
"""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.lints.adam import TRIALS_NEEDED
from study_operator.findings.lints.design import OPTIMIZER_KINDS, PATH, Design, dimensions, listed
from study_operator.scalar import Scalar
from study_operator.space import Kind, Role, Value

POINTS_NEEDED = ((6, 0), (8, 64), (10, 128))
"""Points an arm for up to so many dimensions. With fewer, two coordinates at least share 30% of their variance,
as parabolas: at 32 points in 7 dimensions in two thirds of the scrambled Sobol sequences, in 8 in all of them, though
random points seldom have such a pair. In up to 6 dimensions 24 points are better than random ones.
"""

MANY_DIMENSIONS = 10
"""Beyond these, a budget that people have no longer fills the cube (rules.md)."""

QUESTIONS = 2
"""Scientific hyperparameters that a round may have before one doubts that it has one goal."""


def roles(design: Design) -> Iterator[Finding]:
    """Hyperparameters in a role that does not fit what they are."""
    for definition in design.of_kind(Kind.LEARNING_RATE):
        if definition.role is Role.SCIENTIFIC:
            yield definition.finding(
                "learning-rate-scientific",
                f"{definition.name} is Scientific: its best value depends on nearly everything else, so a comparison "
                "of fixed learning rates says little about any of them.",
                "Write `role: Nuisance` with a range on a Log scale, and let the comparison be between what the "
                "learning rate is tuned for.",
                field="role",
            )
    for definition in design.of_kind(Kind.OPTIMIZER):
        if definition.role is Role.NUISANCE:
            yield definition.finding(
                "optimizer-nuisance",
                f"{definition.name} is Nuisance: its hyperparameters differ from one optimizer to the next, and each "
                "needs points of its own.",
                "Write `role: Scientific` and compare the optimizers at their best, or `role: Fixed` with the one you "
                "use.",
                field="role",
            )


def fixed_optimizer(design: Design) -> Iterator[Finding]:
    """Optimizer hyperparameters that are fixed though the budget could tune them (rule 5 says when it cannot)."""
    for definition in design.of_kind(*OPTIMIZER_KINDS):
        if definition.role is not Role.FIXED or design.trials_per_arm < TRIALS_NEEDED.get(definition.kind, 0):
            continue
        yield definition.finding(
            "fixed-optimizer-hyperparameter",
            f"{definition.name} is Fixed: optimizer hyperparameters interact with almost every other change, so the "
            "comparison holds for this value alone and favours the arm that it suits.",
            "Write `role: Nuisance` with a range; fix it only where an earlier round showed that it does not matter.",
            field="role",
            severity=Severity.INFO if design.follows_a_round else Severity.WARNING,
        )


def one_goal(design: Design) -> Iterator[Finding]:
    """Too many questions at once, and what the answer will be limited to."""
    scientific = list(dict.fromkeys(each.name for each in design.definitions if each.role is Role.SCIENTIFIC))
    if len(scientific) > QUESTIONS:
        yield Finding(
            "hyperparameter-roles",
            Severity.WARNING,
            Subject(field=PATH),
            f"{listed(scientific)} are Scientific: with several questions in one round their effects cannot be told "
            "apart.",
            "Keep the one that the goal asks about, and make the others Nuisance or Fixed.",
            {"scientific": len(scientific)},
        )
    fixed = [
        f"{each.name}={_shown(each.hyperparameter.domain.value)}"
        for each in design.definitions
        if isinstance(each.hyperparameter.domain, Value)
    ]
    if fixed:
        yield Finding(
            "hyperparameter-roles",
            Severity.INFO,
            Subject(field=PATH),
            f"What this round concludes holds for {listed(fixed)}: every fixed value is a caveat.",
            "Nothing to do where that is meant; otherwise tune it as Nuisance.",
            {"fixed": len(fixed)},
        )


def many_dimensions(design: Design) -> Iterator[Finding]:
    """More dimensions of an arm than a budget fills, or than so few quasi-random points tell apart."""
    most = max(map(dimensions, design.sampled))
    needed = next((points for limit, points in POINTS_NEEDED if most <= limit), 0)
    if design.trials_per_arm < needed and not design.exploitation:
        yield Finding(
            "many-dimensions",
            Severity.WARNING,
            Subject(field=PATH),
            f"{most} hyperparameters of an arm are sampled at {design.trials_per_arm} points: the first of a "
            "quasi-random sequence in so many dimensions do not tell all of them apart, so an effect of one may look "
            "like another's.",
            f"Sample {needed} points an arm (budget.trials: {needed * len(design.space.arms)}), or fix what matters "
            "least, so that six are left.",
            {"dimensions": most, "points": design.trials_per_arm, "needed": needed},
        )
    if most > MANY_DIMENSIONS:
        yield Finding(
            "many-dimensions",
            Severity.WARNING,
            Subject(field=PATH),
            f"{most} hyperparameters of an arm are sampled, and its {design.trials_per_arm} trials do not fill so many "
            "dimensions.",
            f"Fix what matters least, so that {MANY_DIMENSIONS} or fewer are left; the insight of an earlier round "
            "tells which.",
            {"dimensions": most, "limit": MANY_DIMENSIONS},
        )


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
