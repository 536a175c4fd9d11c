"""What reruns can find: the chance that a better configuration is adopted, known before any of them is made.

One contender is better than everything else by the difference; all others, the baseline included, are alike, and all
vary by s_r. It is adopted if it has the best mean and Welch's test holds it for better than its rival. Without a
baseline the rival is the luckiest of the others, so that many arms need more reruns than two; with one, the p-value is
multiplied by the number of contenders, which costs about as much.

A normal sample's variance is independent of its mean, the sum of two variances of their ratio, and the ratio alone
decides the degrees of freedom. So the chance is a threefold integral of smooth functions, by Gauss's rules.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

import numpy
import scipy

from study_operator.conclusions.decision import ALPHA, Contest, degrees_of_freedom
from study_operator.conclusions.question import Confirmation
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.results.period import Floats

ENOUGH = 0.8
"""Power that reruns should have."""
NODES = 24
"""Of each of Gauss's rules: the power is then exact to four digits."""

Rule = tuple[Floats, Floats]
"""Nodes and their weights, which sum to one."""


def power(difference: float, reruns: int, contest: Contest) -> float:
    """The chance that Adopt is found for a true ``difference``, in units of s_r, beyond the margin."""
    (deviates, normal), (sums, chi_square), (shares, beta) = _rules(reruns)
    freedom = degrees_of_freedom(shares, (reruns, reruns))
    critical = -scipy.special.stdtrit(freedom, ALPHA / contest.choices)
    threshold = critical[:, None, None] * numpy.sqrt(2 * sums / (reruns - 1))[None, :, None]
    mean = deviates[None, None, :] - difference * math.sqrt(reruns)
    adopted = scipy.special.ndtr(-(mean + threshold))
    others = contest.contenders - 1
    found = adopted * scipy.special.ndtr(-mean) ** others if contest.baseline else adopted**others
    return float(numpy.einsum("abc,a,b,c->", found, beta, chi_square, normal))


def reruns_needed(difference: float, contest: Contest, most: int = 50) -> int | None:
    """The fewest reruns of each that find a true ``difference``, in units of s_r, in 80%; None beyond ``most``."""
    if difference <= 0:
        return None
    counts = range(2, most + 1)
    place = bisect_left(counts, ENOUGH, key=lambda reruns: power(difference, reruns, contest))
    return counts[place] if place < len(counts) else None


def too_few_reruns(confirmation: Confirmation, arms: int) -> Iterator[Finding]:
    """What is told before the study starts where its reruns would miss a difference of 2 s_r too often (rule 24)."""
    baseline = confirmation.baseline is not None
    contest = Contest(confirmation.top if baseline else min(confirmation.top, arms), baseline)
    if not baseline and contest.contenders < 2:
        return
    chance, needed = power(2.0, confirmation.reruns, contest), reruns_needed(2.0, contest)
    if chance >= ENOUGH or needed is None:
        return
    better = f"one of {contest.contenders} configurations" if contest.contenders > 1 else "the configuration"
    others = "the baseline" if baseline else "the other" if contest.contenders == 2 else "all the others"
    yield Finding(
        "decision",
        Severity.INFO,
        Subject(field="spec.confirmation.reruns"),
        f"With {confirmation.reruns} reruns each, {better} that is better than {others} by twice the standard "
        f"deviation between reruns is adopted with a chance of {chance:.0%}.",
        f"Write `reruns: {needed}` for a chance of 80%, or compare fewer.",
        {"reruns": confirmation.reruns, "needed": needed, "power": chance, "contenders": contest.contenders},
    )


@cache
def _rules(reruns: int) -> tuple[Rule, Rule, Rule]:
    """For a mean's standard normal deviate, half a sum of squares (gamma), and the part of one of two variances (beta).

    The sum of two samples' squares is chi-square with 2 (reruns - 1) degrees of freedom, in units of s_r squared.
    """
    half = (reruns - 1) / 2
    ratio, beta = scipy.special.roots_jacobi(NODES, half - 1, half - 1)
    sums, gamma = scipy.special.roots_genlaguerre(NODES, 2 * half - 1)
    deviates, normal = scipy.special.roots_hermitenorm(2 * NODES)
    return (deviates, normal / normal.sum()), (sums, gamma / gamma.sum()), ((1 + ratio) / 2, beta / beta.sum())
