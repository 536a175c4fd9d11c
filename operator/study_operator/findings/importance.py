"""How much each hyperparameter matters, and which pairs do together (rule 25).

The points are spread evenly, so an analysis of variance is the natural reading: the normal scores of the objective are
explained by a parabola in each range's coordinate (an optimum inside the range has no trend) and by the means of each
choice. A hyperparameter's share is what is lost without it, by the F test; the interval comes from the noncentral F
distribution (Steiger, 2004). Nothing is drawn at random, so the same trials give the same words. With too few trials to
fit all hyperparameters at once each is fitted alone: the others are noise then, which the test allows for.

Why no forest and no permutation importance: at 16 to 64 trials these have no error rate that one could state.

Interactions depend on the scale: what adds up in the error does not in its logarithm. A pair is said to interact only
if the product of its terms matters under normal scores, in the objective itself and in its logarithm, which is the test
of a union of null hypotheses, so its size is that of the strictest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy
from scipy import optimize, special, stats

from study_operator.findings.evidence import ArmEvidence, Axis, Floats, Rows
from study_operator.findings.scores import normal_scores
from study_operator.space import Choices

FEWEST = 12
"""Trials below which nothing is said."""
SPARE = 10
"""Degrees of freedom that the fit of all hyperparameters must leave, besides as many as it takes."""


ALMOST_NOTHING = 1e-12
"""Part of the variance below which a fit is exact: what is left is rounding."""


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
    """Two hyperparameters whose effects do not add up on any of the three scales; ``p`` uncorrected.

    ``share`` is of the variance of the normal scores.
    """

    first: Axis
    second: Axis
    share: float
    p: float


@dataclass(frozen=True, eq=False)
class _Block:
    """The columns that describe an axis; shape (n, terms)."""

    axis: Axis
    columns: Floats

    @property
    def first_order(self) -> Floats:
        """What takes part in interactions: the linear term of a range, all of a choice."""
        return self.columns if isinstance(self.axis.domain, Choices) else self.columns[:, :1]


def importances(arm: ArmEvidence) -> tuple[Importance, ...]:
    """The importance of each of the arm's hyperparameters that took two values or more, in the manifest's order."""
    n = len(arm.trials)
    if n < FEWEST or arm.best is None:
        return ()
    scores = normal_scores(arm.ranked)
    blocks = _blocks(arm, numpy.arange(n))
    if not _fits(n, blocks):
        return tuple(_importance(block, (), scores) for block in blocks if block.columns.shape[1] <= n // 4)
    return tuple(_importance(block, [other for other in blocks if other is not block], scores) for block in blocks)


def interactions(arm: ArmEvidence) -> tuple[Interaction, ...]:
    """The interaction of each pair of hyperparameters, over the feasible trials; none where the trials are too few."""
    rows = numpy.sort(arm.order)
    blocks = _blocks(arm, rows)
    if len(rows) < FEWEST or not _fits(len(rows), blocks) or not numpy.ptp(arm.objective[rows]) > 0:
        return ()
    basis = _basis(_together(len(rows), blocks))
    scales = [_residual(basis, scale) for scale in _scales(arm.objective[rows])]
    total = float(numpy.sum(normal_scores(arm.objective[rows]) ** 2))
    return tuple(_interaction(one, other, basis, scales, total) for one, other in combinations(blocks, 2))


def noncentrality(f: float, terms: int, freedom: int, level: float) -> float:
    """The noncentrality under which ``f`` is at the quantile ``level``, or zero where there is none.

    By the Severo-Zelen approximation (Abramowitz and Stegun 26.6.27), since scipy's inverse ends at 10,000.
    """

    def excess(noncentral: float) -> float:
        spread = 2 * (terms + 2 * noncentral) / (9 * (terms + noncentral) ** 2)
        root, own = (f * terms / (terms + noncentral)) ** (1 / 3), 2 / (9 * freedom)
        return float(special.ndtr((root * (1 - own) - (1 - spread)) / math.sqrt(spread + own * root**2))) - level

    if excess(0.0) <= 0:
        return 0.0
    upper = 10.0 * (terms * f + terms + 10.0)
    while excess(upper) > 0:
        upper *= 4
    return float(optimize.brentq(excess, 0.0, upper))


def _importance(block: _Block, others: Sequence[_Block], scores: Floats) -> Importance:
    n, terms = block.columns.shape
    total = float(scores @ scores)
    without = _residual(_basis(_together(n, others)), scores)
    residual = _residual(_basis(_together(n, [*others, block])), scores)
    freedom = n - 1 - terms - sum(other.columns.shape[1] for other in others)
    noise = max(float(residual @ residual) / freedom, ALMOST_NOTHING * total)
    explained = max(float(without @ without) - float(residual @ residual), 0.0)
    f = explained / terms / noise
    low, high = (noncentrality(f, terms, freedom, level) * noise / total for level in (0.95, 0.05))
    share = (explained - terms * noise) / (total + noise)
    p = float(stats.f.sf(f, terms, freedom))
    return Importance(block.axis, min(max(share, 0.0), 1.0), min(low, 1.0), min(high, 1.0), p, joint=bool(others))


def _interaction(one: _Block, other: _Block, basis: Floats, scales: Sequence[Floats], total: float) -> Interaction:
    products = one.first_order[:, :, None] * other.first_order[:, None, :]
    products = products.reshape(len(basis), -1)
    terms = _basis(_residual(basis, products - products.mean(axis=0)))
    count = terms.shape[1]
    freedom = len(basis) - 1 - basis.shape[1] - count
    if count == 0 or freedom < SPARE // 2:
        return Interaction(one.axis, other.axis, 0.0, 1.0)
    explained = [float(numpy.sum((terms.T @ scale) ** 2)) for scale in scales]
    squares = [float(scale @ scale) for scale in scales]
    p = [
        float(stats.f.sf(part / count / (max(whole - part, ALMOST_NOTHING * whole) / freedom), count, freedom))
        for part, whole in zip(explained, squares, strict=True)
        if whole > 0
    ]
    return Interaction(one.axis, other.axis, explained[0] / total, max(p, default=1.0))


def _scales(objective: Floats) -> list[Floats]:
    """The objective on the scales on which a pair must interact, each centred."""
    scales = [normal_scores(objective), objective - objective.mean()]
    if objective.min() > 0:
        scales.append(numpy.log(objective) - numpy.log(objective).mean())
    return scales


def _blocks(arm: ArmEvidence, rows: Rows) -> list[_Block]:
    """The columns of the axes that took two values or more, for the arm's trials at ``rows``.

    They are centred over the trials to which the axis applies, and zero for the others, so that they have nothing to do
    with whether it applies.
    """
    blocks = []
    for axis in arm.axes:
        applies = numpy.isin(axis.rows, rows)
        terms = _terms(axis, axis.coordinates[applies])
        columns = numpy.zeros((len(rows), terms.shape[1]))
        columns[numpy.searchsorted(rows, axis.rows[applies])] = terms - terms.mean(axis=0) if len(terms) else terms
        if columns.shape[1]:
            blocks.append(_Block(axis, columns))
    return blocks


def _terms(axis: Axis, coordinates: Floats) -> Floats:
    places = numpy.unique(coordinates)
    if isinstance(axis.domain, Choices):
        return (coordinates[:, None] == places[None, 1:]).astype(float)
    x = 2 * coordinates - 1
    return numpy.stack([x, 1.5 * x**2 - 0.5], axis=1)[:, : max(min(2, len(places) - 1), 0)]


def _fits(n: int, blocks: Sequence[_Block]) -> bool:
    terms: int = sum(block.columns.shape[1] for block in blocks)
    return n - 1 - terms >= max(SPARE, terms)


def _together(n: int, blocks: Sequence[_Block]) -> Floats:
    return numpy.concatenate([numpy.empty((n, 0)), *(block.columns for block in blocks)], axis=1)


def _basis(columns: Floats) -> Floats:
    """An orthonormal basis of what the columns span."""
    directions, sizes, _ = numpy.linalg.svd(columns, full_matrices=False)
    basis: Floats = directions[:, sizes > 1e-9 * sizes.max(initial=1.0)]
    return basis


def _residual(basis: Floats, response: Floats) -> Floats:
    residual: Floats = response - basis @ (basis.T @ response)
    return residual
