"""The decision (rules 23 and 24): is the winner of the reruns better than its rival, by more than the margin?

The scores that selected a configuration flatter it (by up to 1.9 s_r at twenty trials), so they have no part in here:
all values come from reruns on fresh seeds. Welch's test compares the winner with its rival, because a configuration
close to divergence varies more than a tame one. Pooled or moderated variances would find more, and where deviations
differ between the arms adopt 15-38% of what is no better.

With a baseline, the winner is the configuration with the best mean of its reruns, and the baseline its rival. The
reruns choose the winner, then, and a choice among k flatters too: the p-value is multiplied by k (Bonferroni), so that
Adopt is wrong in at most 10% whatever k is. To hold the search's first choice against the baseline without that price
would gain little, as the search's order among its best is mostly luck.

Without a baseline, the arms are compared: each by its best trial of the search, the better mean against the next one.
Which way round the test goes is again chosen by the reruns, hence the p-value is doubled; that suffices for any number
of arms (Gutmann and Maymin, Is the selected population the best?, Annals of Statistics 15, 1987), and where two are
equal and the others far behind, nothing less does.

A difference of 2 s_r is adopted in more than 80% at five reruns by up to three arms, or three configurations and a
baseline; power.py has the power for any number, and bench/rates/decision.py measures both errors.

Reject needs no such correction: that the winner is not better by the margin says it of the others all the more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import scipy

from study_operator.conclusions.conclusion import Interval, Verdict
from study_operator.conclusions.reruns import Reruns, trial_variance
from study_operator.results.period import Floats

ALPHA = 0.097
"""One-sided, of Adopt and of Reject each: a hair below the 10% that are promised, for what Welch's test is not exact by
(:func:`degrees_of_freedom`).
"""


@dataclass(frozen=True, slots=True)
class Contest:
    """So many ``contenders``, against a baseline or, without one, against each other."""

    contenders: int
    baseline: bool

    @property
    def choices(self) -> int:
        """By what the p-value is multiplied, for what the reruns chose: which contender, or which way round."""
        return self.contenders if self.baseline else 2


@dataclass(frozen=True, slots=True)
class Decision:
    """What the reruns say.

    ``effect`` is by how much the mean of ``winner`` is better than that of ``rival``, ``interval`` its 95% interval;
    ``p_adopt`` is corrected for the choice that the reruns had in the ``contest``.
    """

    verdict: Verdict
    winner: Reruns
    rival: Reruns
    effect: float
    interval: Interval
    p_adopt: float
    p_reject: float
    contest: Contest


def decide(confirmed: Sequence[Reruns], baseline: Reruns | None, margin: float) -> Decision | None:
    """The decision on ``confirmed`` configurations, best of the search first; None where nothing can be compared."""
    adoptable = [reruns for reruns in confirmed if reruns.adoptable]
    contenders = adoptable if baseline is not None else _first_of_each_arm(adoptable)
    if not contenders:
        return None
    winner = min(contenders, key=lambda reruns: reruns.mean)
    others = [reruns for reruns in contenders if reruns is not winner] if baseline is None else [baseline]
    rivals = [reruns for reruns in others if reruns.comparable]
    if not rivals:
        return None
    rival = min(rivals, key=lambda reruns: reruns.mean)
    contest = Contest(len(contenders), baseline is not None)
    effect = rival.mean - winner.mean
    everyone = adoptable if baseline is None else [*adoptable, baseline]
    error, freedom = _standard_error(winner, rival, everyone)
    p_better = _tail(effect - margin, error, freedom)
    p_adopt, p_reject = min(1.0, contest.choices * p_better), 1.0 - p_better
    reach = float(scipy.special.stdtrit(freedom, 0.975)) * error if error > 0 else 0.0
    verdict = Verdict.ADOPT if p_adopt <= ALPHA else Verdict.REJECT if p_reject <= ALPHA else Verdict.INCONCLUSIVE
    interval = Interval(effect - reach, effect + reach)
    return Decision(verdict, winner, rival, effect, interval, p_adopt, p_reject, contest)


def degrees_of_freedom(share: Floats | float, counts: tuple[int, int]) -> Floats:
    """Of Welch's test, where the first of two means has this ``share`` of the variance of their difference.

    Satterthwaite's estimate lies between the freedom of the smaller sample and that of both. Near the lower end, where
    one configuration varies much more than the other, it tends to be too high: at three reruns the test then lets
    through up to 1.07 times its level of 5%, and up to 1.4 times one of 1%. Bent downwards by this exponent it keeps
    within 1.01 (1.25), at equal deviations it loses a tenth of what is left of the level anyway, and with many reruns
    it is Satterthwaite's (simulated; bench/rates/decision.py measures what comes of it).
    """
    least, spare = min(counts) - 1, max(counts) - 1
    satterthwaite = 1 / (share**2 / (counts[0] - 1) + (1 - share) ** 2 / (counts[1] - 1))
    found: Floats = least + spare * numpy.maximum((satterthwaite - least) / spare, 0.0) ** (1 + 1 / least)
    return found


def beats(values: Sequence[float], chance: float) -> bool:
    """Whether the 95% interval of the mean of ``values``, minimised as ``chance`` is, lies wholly below it (rule 7)."""
    mean, deviation, n = float(numpy.mean(values)), float(numpy.std(values, ddof=1)), len(values)
    return mean + float(scipy.special.stdtrit(n - 1, 0.975)) * deviation / math.sqrt(n) < chance


def _first_of_each_arm(reruns: Sequence[Reruns]) -> list[Reruns]:
    first: dict[int, Reruns] = {}
    for configuration in reruns:
        first.setdefault(configuration.arm, configuration)
    return list(first.values())


def _standard_error(winner: Reruns, rival: Reruns, everyone: Sequence[Reruns]) -> tuple[float, float]:
    """The standard error of the difference of the means and its degrees of freedom, after Welch.

    Reruns that all gave the same value need not be free of variance where the objective is coarse: then the variance
    of all configurations together stands in for theirs.
    """
    parts = [reruns.variance / len(reruns.values) for reruns in (winner, rival)]
    total = sum(parts)
    if total > 0:
        counts = len(winner.values), len(rival.values)
        return math.sqrt(total), float(degrees_of_freedom(parts[0] / total, counts))
    pooled = trial_variance(everyone) or 0.0
    freedom = sum(len(reruns.values) - 1 for reruns in everyone)
    return pooled * math.sqrt(sum(1 / len(reruns.values) for reruns in (winner, rival))), float(freedom)


def _tail(excess: float, error: float, freedom: float) -> float:
    """The one-sided p-value of an effect that exceeds the margin by ``excess``."""
    if error > 0:
        return float(scipy.special.stdtr(freedom, -excess / error))
    return 0.0 if excess > 0 else 0.5 if excess == 0 else 1.0
