"""The decision (rules 23 and 24): is the winner of the reruns better than its rival, by more than the margin?

The scores that selected a configuration flatter it (by up to 1.9 s_r at twenty trials), so they have no part in here:
all values come from reruns on fresh seeds. Welch's test compares the winner with its rival, because a configuration
close to divergence varies more than a tame one.

With a baseline, the winner is the configuration with the best mean of its reruns, and the baseline its rival. The
reruns choose the winner, then, and a choice among k flatters too: the p-value is multiplied by k (Bonferroni), so that
Adopt is wrong in at most 10% whatever k is. To hold the search's first choice against the baseline without that price
would gain little, as the search's order among its best is mostly luck.

Without a baseline, the arms are compared: each by its best trial of the search, the better mean against the next one.
Which way round the test goes is again chosen by the reruns, hence the p-value is doubled; that suffices for any number
of arms (Gutmann and Maymin, Is the selected population the best?, Annals of Statistics 15, 1987).

With the defaults, a difference of 2 s_r is adopted in more than 80% (bench/rates/decision.py has the power curve).

Reject needs no such correction: that the winner is not better by the margin says it of the others all the more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import scipy

from study_operator.conclusions.conclusion import Interval, Verdict

ALPHA = 0.10
"""One-sided, of Adopt and of Reject each."""


@dataclass(frozen=True, slots=True)
class Reruns:
    """One configuration on fresh seeds. ``values`` are minimised; ``unstable`` counts the reruns that diverged or did
    not fit, ``lost`` those that failed for another reason.
    """

    name: str
    arm: int
    values: tuple[float, ...]
    unstable: int = 0
    lost: int = 0

    @property
    def mean(self) -> float:
        """Of the values."""
        return math.fsum(self.values) / len(self.values)

    @property
    def variance(self) -> float:
        """Of the values, unbiased, and exactly zero where they are one value. Needs two."""
        return float(numpy.var(self.values, ddof=1)) if len(set(self.values)) > 1 else 0.0

    @property
    def comparable(self) -> bool:
        """Whether there is a mean and a spread."""
        return len(self.values) >= 2


@dataclass(frozen=True, slots=True)
class Decision:
    """What the reruns say.

    ``effect`` is by how much the mean of ``winner`` is better than that of ``rival``, ``interval`` its 95% interval;
    ``p_adopt`` is corrected for the ``choices`` that the reruns had.
    """

    verdict: Verdict
    winner: Reruns
    rival: Reruns
    effect: float
    interval: Interval
    p_adopt: float
    p_reject: float
    choices: int


def decide(confirmed: Sequence[Reruns], baseline: Reruns | None, margin: float) -> Decision | None:
    """The decision on the ``confirmed`` configurations, in the order of the search; None where nothing can be compared.

    A configuration that failed on any fresh seed is not adopted, however good its other reruns are.
    """
    stable = [reruns for reruns in confirmed if reruns.comparable and not reruns.unstable]
    contenders = stable if baseline is not None else _first_of_each_arm(stable)
    if not contenders:
        return None
    winner = min(contenders, key=lambda reruns: reruns.mean)
    others = [reruns for reruns in contenders if reruns is not winner] if baseline is None else [baseline]
    rivals = [reruns for reruns in others if reruns.comparable]
    if not rivals:
        return None
    rival = min(rivals, key=lambda reruns: reruns.mean)
    choices = 2 if baseline is None else len(contenders)
    effect = rival.mean - winner.mean
    error, freedom = _standard_error(winner, rival, [*stable, rival])
    p_better = _tail(effect - margin, error, freedom)
    p_adopt, p_reject = min(1.0, choices * p_better), 1.0 - p_better
    reach = float(scipy.stats.t.ppf(0.975, freedom)) * error if error > 0 else 0.0
    verdict = Verdict.ADOPT if p_adopt <= ALPHA else Verdict.REJECT if p_reject <= ALPHA else Verdict.INCONCLUSIVE
    interval = Interval(effect - reach, effect + reach)
    return Decision(verdict, winner, rival, effect, interval, p_adopt, p_reject, choices)


def trial_variance(configurations: Sequence[Reruns]) -> float | None:
    """s_r: the standard deviation between reruns of one configuration, pooled over all that have two values."""
    known = [reruns for reruns in configurations if reruns.comparable]
    freedom = sum(len(reruns.values) - 1 for reruns in known)
    if not freedom:
        return None
    return math.sqrt(math.fsum((len(reruns.values) - 1) * reruns.variance for reruns in known) / freedom)


def power(difference: float, reruns: int, choices: int) -> float:
    """The chance that Adopt is found for a true ``difference``, in units of s_r, beyond the margin."""
    freedom = 2 * reruns - 2
    critical = scipy.stats.t.ppf(1 - ALPHA / choices, freedom)
    return float(scipy.stats.nct.sf(critical, freedom, difference * math.sqrt(reruns / 2)))


def reruns_needed(difference: float, choices: int, most: int = 50) -> int | None:
    """The fewest reruns of each that find a true ``difference``, in units of s_r, in 80%; None beyond ``most``."""
    if difference <= 0:
        return None
    return next((reruns for reruns in range(2, most + 1) if power(difference, reruns, choices) >= 0.8), None)


def beats(values: Sequence[float], chance: float) -> bool:
    """Whether the 95% interval of the mean of ``values``, minimised as ``chance`` is, lies wholly below it (rule 7)."""
    mean, deviation, n = float(numpy.mean(values)), float(numpy.std(values, ddof=1)), len(values)
    return mean + float(scipy.stats.t.ppf(0.975, n - 1)) * deviation / math.sqrt(n) < chance


def _first_of_each_arm(reruns: Sequence[Reruns]) -> list[Reruns]:
    first: dict[int, Reruns] = {}
    for configuration in reruns:
        first.setdefault(configuration.arm, configuration)
    return list(first.values())


def _standard_error(winner: Reruns, rival: Reruns, everyone: Sequence[Reruns]) -> tuple[float, float]:
    """The standard error of the difference of the means and its degrees of freedom, after Welch and Satterthwaite.

    Reruns that all gave the same value need not be free of variance where the objective is coarse: then the variance
    of all configurations together stands in for theirs.
    """
    parts = [reruns.variance / len(reruns.values) for reruns in (winner, rival)]
    total = sum(parts)
    if total > 0:
        shares = [(part / total) ** 2 / (len(of.values) - 1) for part, of in zip(parts, (winner, rival), strict=True)]
        return math.sqrt(total), 1 / sum(shares)
    pooled = trial_variance(everyone) or 0.0
    freedom = sum(len(reruns.values) - 1 for reruns in everyone)
    return pooled * math.sqrt(sum(1 / len(reruns.values) for reruns in (winner, rival))), float(freedom)


def _tail(excess: float, error: float, freedom: float) -> float:
    """The one-sided p-value of an effect that exceeds the margin by ``excess``."""
    if error > 0:
        return float(scipy.stats.t.sf(excess / error, freedom))
    return 0.0 if excess > 0 else 0.5 if excess == 0 else 1.0
