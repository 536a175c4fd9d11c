"""What a study concludes: a verdict with everything that it rests on and everything that limits it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from study_operator.results.objective import Direction


class Verdict(StrEnum):
    """Whether the change that was asked about is worth making."""

    ADOPT = "Adopt"
    INCONCLUSIVE = "Inconclusive"
    REJECT = "Reject"


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval in units of the objective; its ends may be infinite."""

    low: float
    high: float

    def turned(self, direction: Direction) -> Interval:
        """A minimised interval in the objective's own direction, or the other way round."""
        low, high = sorted((direction.minimised(self.low), direction.minimised(self.high)))
        return Interval(low, high)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer to a study's question, as far as it can be given.

    - ``statement``: the answer in words, with the numbers that it rests on and, where it is open, what would close it.
    - ``effect``: by how much the winner is better, in units of the objective and positive where better; ``interval``
      is its 95% interval. None where nothing was compared on fresh seeds.
    - ``trial_variance``: s_r, the standard deviation between reruns of one configuration.
    - ``caveats``: what limits the answer, the gravest first.
    """

    verdict: Verdict
    statement: str
    effect: float | None = None
    interval: Interval | None = None
    trial_variance: float | None = None
    caveats: tuple[str, ...] = ()
