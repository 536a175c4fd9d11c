"""A measured rate: in how many of how many simulated studies a rule spoke."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scipy import stats

DEFAULT_LIMIT = 0.05
CERTAIN = 1e-3
"""Chance of so many hits at the limit below which a rate counts as above it; there are hundreds of rates."""


class Hypothesis(StrEnum):
    """What is true in the simulated studies.

    NULL: what the rule warns of is not there, so that a hit is a false alarm. ALTERNATIVE: it is. EDGE: nearly so, and
    either answer would do; shown, and not held to a limit.
    """

    NULL = "null"
    ALTERNATIVE = "alternative"
    EDGE = "edge"


@dataclass(frozen=True, slots=True)
class Rate:
    """Of ``simulations`` with this ``setting``, the rule spoke in ``hits``.

    ``rule`` is the id of a rule; ``per`` what one simulation is (a study, an arm, a hyperparameter, a trial, a
    decision); ``limit`` bounds false alarms. Rates that differ in the number of trials only have one ``setting`` and
    that number as their ``column``: the page then shows them in one line.
    """

    rule: str
    hypothesis: Hypothesis | str
    setting: str
    hits: int
    simulations: int
    per: str = "study"
    limit: float = DEFAULT_LIMIT
    column: str = ""

    @property
    def share(self) -> float:
        """The rate."""
        return self.hits / self.simulations

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% Wilson interval of the rate."""
        low, high = stats.binomtest(self.hits, self.simulations).proportion_ci(0.95, method="wilson")
        return float(low), float(high)

    @property
    def too_high(self) -> bool:
        """Whether false alarms are certainly more frequent than the limit."""
        if self.hypothesis != Hypothesis.NULL:
            return False
        test = stats.binomtest(self.hits, self.simulations, self.limit, alternative="greater")
        return bool(test.pvalue < CERTAIN)


def count(effort: float, full: int) -> int:
    """How many simulations to make of a ``full`` number; never fewer than ten."""
    return max(10, round(effort * full))
