"""How much each hyperparameter matters, and which pairs do together (rule 25).

The points are spread evenly, so an analysis of variance is the natural reading: the normal scores of the objective are
explained by a parabola in each range's coordinate (an optimum inside the range has no trend) and by the means of each
choice. A hyperparameter's share is what is lost without it, by the F test; the interval comes from the noncentral F
distribution (Steiger, 2004). Nothing is drawn at random, so the same trials give the same words. With too few trials to
fit all hyperparameters at once, each is fitted beside its confounders (design.py), and the others are noise.
The upper end of an interval is never below that of an F of one, which is what no effect gives on average: even points
make F smaller than that by design, which is no knowledge of the hyperparameter.

Why no forest and no permutation importance: at 16 to 64 trials these have no error rate that one could state.

Interactions depend on the scale: what adds up in the error does not in its logarithm. A pair is said to interact only
if the product of its terms matters under normal scores, in the objective itself, in its logarithm, and in those of its
distance to a floor a little below the best. That is the test of a union of null hypotheses, so its size is that of the
strictest; and a share of the variance is asked for on every scale, since none fits exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy
import scipy

from study_operator.findings.design import Block, basis_of, blocks_of, confounders, residual_of, together
from study_operator.findings.evidence import ArmEvidence, Axis
from study_operator.findings.scores import normal_scores
from study_operator.results.period import Floats

FEWEST = 12
"""Trials below which nothing is said."""
SPARE = 10
"""Degrees of freedom that the fit of all hyperparameters must leave, besides as many as it takes."""


LARGE_F = 500.0
ALMOST_NOTHING = 1e-12
"""Part of the variance below which a fit is exact: what is left is rounding."""


OFFSETS = (0.03, 0.3)
"""Distances of the floor below the best objective, in standard deviations, for the logarithms of interactions."""


@dataclass(frozen=True, slots=True)
class Importance:
    """The share of the variance of the normal scores that a hyperparameter explains.

    ``share`` has the bias of chance taken off (omega squared); ``low`` and ``high`` bound it with 95% confidence each
    way on its own, so 90% together. ``p`` is for a share of zero, uncorrected. ``joint``: beside all the others.
    """

    axis: Axis
    share: float
    low: float
    high: float
    p: float
    joint: bool


@dataclass(frozen=True, slots=True)
class Interaction:
    """How far two hyperparameters' effects do not add up, on the scale on which they nearly do.

    ``share`` is of the variance there; ``p`` is uncorrected.
    """

    first: Axis
    second: Axis
    share: float
    p: float


def importances(arm: ArmEvidence) -> tuple[Importance, ...]:
    """The importance of each of the arm's hyperparameters that took two values or more, in the manifest's order."""
    n = len(arm.trials)
    if n < FEWEST or arm.best is None:
        return ()
    scores = normal_scores(arm.ranked)
    if not scores.any():
        return ()
    blocks = blocks_of(arm, numpy.arange(n))
    joint = _fits(n, blocks)
    return tuple(
        _importance(block, _others(block, blocks) if joint else confounders(block, blocks, scores), scores, joint)
        for block in blocks
        if block.terms <= n // 4
    )


def interactions(arm: ArmEvidence) -> tuple[Interaction, ...]:
    """The interaction of each pair of hyperparameters, over the feasible trials; none where the trials are too few."""
    rows = numpy.sort(arm.order)
    blocks = blocks_of(arm, rows)
    if len(rows) < FEWEST or not _fits(len(rows), blocks) or not numpy.ptp(arm.objective[rows]) > 0:
        return ()
    basis = basis_of(together(len(rows), blocks))
    scales = _scales(arm.objective[rows])
    return tuple(_interaction(one, other, basis, scales) for one, other in combinations(blocks, 2))


def noncentrality(f: float, terms: int, freedom: int, level: float) -> float:
    """The noncentrality under which ``f`` is at the quantile ``level``, or zero where there is none.

    By the Severo-Zelen approximation (Abramowitz and Stegun 26.6.27) from ``LARGE_F`` on, where scipy's distribution
    has no digits left, and at the scattered arguments for which it returns NaN.
    """

    def excess(noncentral: float) -> float:
        below = float(scipy.special.ncfdtr(terms, freedom, noncentral, f)) if f < LARGE_F else math.nan
        return (_severo_zelen(f, terms, freedom, noncentral) if math.isnan(below) else below) - level

    if excess(0.0) <= 0:
        return 0.0
    upper = 10.0 * (terms * f + terms + 10.0)
    while excess(upper) > 0:
        upper *= 4
    return float(scipy.optimize.brentq(excess, 0.0, upper))


def _severo_zelen(f: float, terms: int, freedom: int, noncentral: float) -> float:
    spread = 2 * (terms + 2 * noncentral) / (9 * (terms + noncentral) ** 2)
    root, own = (f * terms / (terms + noncentral)) ** (1 / 3), 2 / (9 * freedom)
    return float(scipy.special.ndtr((root * (1 - own) - (1 - spread)) / math.sqrt(spread + own * root**2)))


def _others(block: Block, blocks: Sequence[Block]) -> Floats:
    return together(len(block.columns), [other for other in blocks if other is not block])


def _fits(n: int, blocks: Sequence[Block]) -> bool:
    """Whether the trials are enough to fit all the hyperparameters at once."""
    terms = sum(block.terms for block in blocks)
    return n - 1 - terms >= max(SPARE, terms)


def _importance(block: Block, others: Floats, scores: Floats, joint: bool) -> Importance:
    n, terms = len(scores), block.terms
    total = float(scores @ scores)
    without = residual_of(basis_of(others), scores)
    residual = residual_of(basis_of(numpy.concatenate([others, block.columns], axis=1)), scores)
    freedom = n - 1 - terms - others.shape[1]
    noise = max(float(residual @ residual) / freedom, ALMOST_NOTHING * total)
    explained = max(float(without @ without) - float(residual @ residual), 0.0)
    f = explained / terms / noise
    low = noncentrality(f, terms, freedom, 0.95) * noise / total
    high = noncentrality(max(f, 1.0), terms, freedom, 0.05) * noise / total
    share = (explained - terms * noise) / (total + noise)
    p = float(scipy.special.fdtrc(terms, freedom, f))
    return Importance(block.axis, min(max(share, 0.0), 1.0), min(low, 1.0), min(high, 1.0), p, joint)


def _interaction(one: Block, other: Block, basis: Floats, scales: Sequence[Floats]) -> Interaction:
    products = (one.first_order[:, :, None] * other.first_order[:, None, :]).reshape(len(basis), -1)
    terms = basis_of(residual_of(basis, products - products.mean(axis=0)))
    count = terms.shape[1]
    freedom = len(basis) - 1 - basis.shape[1] - count
    if count == 0 or freedom < SPARE // 2:
        return Interaction(one.axis, other.axis, 0.0, 1.0)
    shares, chances = [], []
    for scale in scales:
        total, residual = float(scale @ scale), residual_of(basis, scale)
        explained = float(numpy.sum((terms.T @ residual) ** 2))
        noise = max(float(residual @ residual) - explained, ALMOST_NOTHING * total) / freedom
        shares.append(explained / total)
        chances.append(float(scipy.special.fdtrc(count, freedom, explained / count / noise)))
    return Interaction(one.axis, other.axis, min(shares), max(chances))


def _scales(objective: Floats) -> list[Floats]:
    """The objective on the scales on which a pair must interact, each centred."""
    scales = [normal_scores(objective), objective - objective.mean()]
    spread = float(numpy.std(objective))
    logarithms = [numpy.log(objective - objective.min() + offset * spread) for offset in OFFSETS]
    if objective.min() > 0:
        logarithms.append(numpy.log(objective))
    return [*scales, *(logarithm - logarithm.mean() for logarithm in logarithms)]
