"""What the lints look at: a study's plan, before any trial.

Lints work on the search space and a handful of plain values, so that they say the same at admission, in CI and in a
notebook. The trainer's own code cannot be seen; its command line often says what the hyperparameters do not, so the
words of the template are looked at as text, with caution: a lint speaks up only for what is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.results.objective import Objective
from study_operator.scalar import is_number
from study_operator.space import Choices, Hyperparameter, Kind, Range, Role, Space, Value

PATH = "spec.hyperparameters"
OPTIMIZER_KINDS = (Kind.LEARNING_RATE, Kind.MOMENTUM, Kind.BETA1, Kind.BETA2, Kind.EPSILON)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the trainer's command line or environment that stand at one field of the manifest."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Design:
    """A study's plan. ``space.definitions`` are in the manifest's order.

    ``exploitation`` tells Bayesian search from quasi-random search; ``follows_a_round`` whether the study names an
    earlier one it is based on; ``confirms`` whether the best trials are run again; ``pods`` is how many of a trial's
    pods run at once, ``indexed`` whether they are numbered.
    """

    space: Space
    objective: Objective
    trials: int
    steps: int | None = None
    exploitation: bool = False
    follows_a_round: bool = False
    confirms: bool = True
    words: tuple[Words, ...] = ()
    pods: int = 1
    indexed: bool = False

    @property
    def trials_per_arm(self) -> int:
        """Of the arm that gets the fewest."""
        return self.trials // len(self.space.arms)

    @property
    def definitions(self) -> Iterator[Definition]:
        """The hyperparameters with their place."""
        for index, hyperparameter in enumerate(self.space.definitions):
            yield Definition(f"{PATH}[{index}]", hyperparameter)

    @property
    def sampled(self) -> list[list[Hyperparameter]]:
        """The hyperparameters that are sampled, arm by arm: no trial has those of other arms."""
        arms = (self.space.hyperparameters(arm.index) for arm in self.space.arms)
        return [[each for each in arm if each.sampled] for arm in arms]

    def of_kind(self, *kinds: Kind) -> list[Definition]:
        """The definitions of one of ``kinds``."""
        return [definition for definition in self.definitions if definition.kind in kinds]


@dataclass(frozen=True, slots=True)
class Definition:
    """A hyperparameter and the field that defines it."""

    path: str
    hyperparameter: Hyperparameter

    @property
    def name(self) -> str:
        return self.hyperparameter.name

    @property
    def role(self) -> Role:
        return self.hyperparameter.role

    @property
    def kind(self) -> Kind | None:
        return self.hyperparameter.kind

    @property
    def largest(self) -> float:
        """The largest number that it can take; negative infinity where it takes none."""
        match self.hyperparameter.domain:
            case Range(maximum=maximum):
                return maximum
            case Choices(values):
                return max((float(value) for value in values if is_number(value)), default=float("-inf"))
            case Value(value):
                return float(value) if is_number(value) else float("-inf")

    def finding(
        self, rule: str, message: str, advice: str, *, field: str = "", severity: Severity = Severity.WARNING
    ) -> Finding:
        """A finding about it, at its ``field`` or, without one, at its whole definition."""
        path = f"{self.path}.{field}" if field else self.path
        return Finding(rule, severity, Subject(hyperparameter=self.name, field=path), message, advice, {})


Lint = Callable[[Design], Iterator[Finding]]


def dimensions(sampled: Iterable[Hyperparameter]) -> int:
    """How many there are for a trial: a name that has several ranges, under conditions of their own, counts once."""
    return len({each.name for each in sampled})


def listed(names: list[str], last: str = "and") -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"
