"""The comparison of arms (rules 21 and 22): what each is expected to reach, and how sure that is.

The best trial of an arm depends on luck and on how many trials the arm had. Compared is therefore the expected best of
m trials, at one m for all arms, in which every trial counts: one that diverged used up its share of the budget, never
wins, and where a search would have found nothing else, stands for the worst objective that any arm had.

The points are shared by the arms, so they are resampled together: what a lucky point gave to all arms is in no
difference. The bootstrap of the best of all n trials is inconsistent, since most resamples repeat the very best one; at
m = n/4 it is not far from right, though a tenth too narrow where noise is all there is. What is left is mended by
Student's t with n/m - 1 degrees of freedom, as n trials hold n/m separate draws of m; in a difference, in which the
skewness of two bests cancels out, (n - 1)/m do. Measured with Sobol points on surfaces of one and three dimensions,
noise of 0.03 to 1 times their range and 4 to 64 trials an arm, both kinds of 95% intervals miss the truth in at most 5%
(bench/rates/comparison.py); the plain percentile interval at m = n/2, in 10-30%.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy
import scipy
from numpy.typing import NDArray

from study_operator.conclusions.conclusion import Interval
from study_operator.findings.evidence import Evidence
from study_operator.findings.metric_names import best_possible
from study_operator.findings.order_statistics import chance_of_none, expected_best, expected_best_of_resamples
from study_operator.results.period import Floats
from study_operator.scalar import Identity, identity
from study_operator.space import parameter_text

RESAMPLES = 1000
FEWEST_RESAMPLES = 200
SHARE = 4
"""The expected best is compared at this part of the trials of the smallest arm."""

COVERAGE = 0.955
"""Of the intervals that are told as 95%, a hair above: that of single trials would miss in just 5%, but that the
resamples have noise of their own.
"""

NEGLIGIBLE = 30.0
"""exp(-NEGLIGIBLE) bounds the weight of the order statistics that the resamples leave out."""


@dataclass(frozen=True)
class Group:
    """Trials that are compared with others: an arm's, or those of all arms that share a scientific value.

    ``points`` has the index of each trial's point, shape (n,), which trials of different groups share; ``values`` their
    objectives, minimised, +inf where infeasible; ``floor`` is what no objective can be better than, as an error not
    better than zero.
    """

    label: str
    points: NDArray[numpy.intp]
    values: Floats
    floor: float = -math.inf

    @property
    def infeasible(self) -> int:
        """How many trials diverged or did not fit."""
        return int(numpy.count_nonzero(numpy.isinf(self.values)))

    @property
    def feasible(self) -> bool:
        """Whether anything was reached at all."""
        return self.infeasible < len(self.values)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a group is expected to reach, minimised: the best of ``m`` trials, with its 95% interval.

    ``best`` is what its n trials did reach. ``barren`` is the chance that m trials are all infeasible. The interval is
    None where there are too few trials to tell.
    """

    label: str
    trials: int
    infeasible: int
    best: float
    m: int
    expected: float
    interval: Interval | None
    barren: float


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much ``leader`` is expected to be better than ``other``, with its 95% interval."""

    leader: str
    other: str
    effect: float
    interval: Interval | None

    @property
    def clear(self) -> bool:
        """Whether the interval is on one side of zero."""
        return self.interval is not None and self.interval.low > 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Groups at a common ``m``, the best expectation first, and the leader's lead over each of the others."""

    m: int
    estimates: tuple[Estimate, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The expected best of ``m`` trials; with an interval as far as it can be trusted."""

    m: int
    expected: float
    interval: Interval | None


def arms(evidence: Evidence) -> tuple[Group, ...]:
    """The arms of a study as groups, in their order."""
    return tuple(_group(evidence, arm.label, [index]) for index, arm in enumerate(evidence.space.arms))


def isolation(evidence: Evidence) -> dict[str, dict[Identity, Group]]:
    """For each scientific choice, the trials by its value, with everything else optimised away."""
    isolated: dict[str, dict[Identity, list[int]]] = {}
    for index, arm in enumerate(evidence.space.arms):
        for name, value in arm.parameters.items():
            isolated.setdefault(name, {}).setdefault(identity(value), []).append(index)
    return {
        name: {of: _group(evidence, f"{name}={parameter_text(of[1])}", members) for of, members in values.items()}
        for name, values in isolated.items()
    }


def compare(groups: Iterable[Group], rng: numpy.random.Generator) -> Comparison:
    """Groups that have a feasible trial, at a quarter of the trials of the smallest one."""
    found = [group for group in groups if group.feasible]
    if not found:
        return Comparison(0, (), ())
    n = min(len(group.values) for group in found)
    m = max(1, n // SHARE)
    penalised = _penalised(found)
    expected = [expected_best(values, m) for values in penalised]
    deviations = _resampled(found, penalised, [m], rng, RESAMPLES)[:, :, 0]
    order = sorted(range(len(found)), key=lambda index: (expected[index], index))
    estimates = tuple(
        Estimate(
            found[index].label,
            len(found[index].values),
            found[index].infeasible,
            float(found[index].values.min()),
            m,
            expected[index],
            _possible(found[index], _interval(expected[index], deviations[index], n, n / m - 1)),
            chance_of_none(found[index].infeasible, len(found[index].values), m),
        )
        for index in order
    )
    first, *others = order
    differences = tuple(
        Difference(found[first].label, found[other].label, lead, _interval(lead, spread, n, (n - 1) / m))
        for other in others
        for lead, spread in [(expected[other] - expected[first], deviations[other] - deviations[first])]
    )
    return Comparison(m, estimates, differences)


def best_of_m_curves(groups: Sequence[Group], rng: numpy.random.Generator) -> dict[str, tuple[CurvePoint, ...]]:
    """For each feasible group, by its label, the expected best at some forty m from 1 to all of its trials."""
    found = [group for group in groups if group.feasible]
    if not found:
        return {}
    penalised = _penalised(found)
    curves = {}
    for group, values in zip(found, penalised, strict=True):
        n = len(values)
        grid = [int(m) for m in numpy.unique(numpy.geomspace(1, n, 40).round())]
        sure = [m for m in grid if m <= max(1, n // SHARE)]
        resamples = max(FEWEST_RESAMPLES, min(RESAMPLES, 500 * RESAMPLES // n))
        deviations = _resampled([group], [values], sure, rng, resamples)[0].T
        expected = {m: expected_best(values, m) for m in grid}
        intervals = {
            m: _possible(group, _interval(expected[m], spread, n, n / m - 1))
            for m, spread in zip(sure, deviations, strict=True)
        }
        curves[group.label] = tuple(CurvePoint(m, expected[m], intervals.get(m)) for m in grid)
    return curves


def _group(evidence: Evidence, label: str, members: Sequence[int]) -> Group:
    """The trials of some arms. Trial i has point i // K, the same in all K arms."""
    found = [evidence.arms[member] for member in members]
    indices = [trial.spec.index for arm in found for trial in arm.trials]
    points: NDArray[numpy.intp] = numpy.array(indices, dtype=numpy.intp) // len(evidence.arms)
    direction = evidence.objective.direction
    possible = best_possible(evidence.objective.metric, direction)
    floor = -math.inf if possible is None else direction.minimised(possible)
    return Group(label, points, numpy.concatenate([arm.ranked for arm in found]), floor)


def _penalised(groups: Sequence[Group]) -> list[Floats]:
    """The values with the worst feasible one of all groups in place of what is infeasible."""
    worst = max((group.values[numpy.isfinite(group.values)].max() for group in groups), default=0.0)
    return [numpy.where(numpy.isinf(group.values), worst, group.values) for group in groups]


def _resampled(
    groups: Sequence[Group], values: Sequence[Floats], grid: Sequence[int], rng: numpy.random.Generator, resamples: int
) -> Floats:
    """The expected best of every group, in resamples of the points, at every m of ``grid``; shape (groups, resamples,
    grid).

    Only the smallest values of a group decide, so that a large study costs no more than a small one: the points of the
    others are drawn together, by the groups that have them.
    """
    points = numpy.unique(numpy.concatenate([group.points for group in groups]))
    orders = [numpy.argsort(of, kind="stable") for of in values]
    tops = [order[: _deciding(len(order), min(grid))] for order in orders]
    places = [numpy.searchsorted(points, group.points) for group in groups]
    held = numpy.stack([numpy.bincount(place, minlength=len(points)) for place in places], axis=1)
    own = numpy.unique(numpy.concatenate([place[top] for place, top in zip(places, tops, strict=True)]))
    rest = numpy.setdiff1d(numpy.arange(len(points)), own)
    patterns, sizes = numpy.unique(held[rest], axis=0, return_counts=True)
    weights = numpy.concatenate([numpy.ones(len(own)), sizes]) / len(points)
    drawn = rng.multinomial(len(points), weights / weights.sum(), size=resamples)
    holding = numpy.concatenate([held[own], patterns])
    found = numpy.empty((len(groups), resamples, len(grid)))
    for index, (of, top, place) in enumerate(zip(values, tops, places, strict=True)):
        totals = drawn @ holding[:, index]
        counts = drawn[:, numpy.searchsorted(own, place[top])]
        for column, m in enumerate(grid):
            deciding = _deciding(len(of), m)
            found[index, :, column] = expected_best_of_resamples(of[top][:deciding], counts[:, :deciding], totals, m)
    return found


def _deciding(n: int, m: int) -> int:
    """How many of n values, the smallest, have a part in the best of m."""
    return int(NEGLIGIBLE * n / m) + 1


def _interval(center: float, resampled: Floats, n: int, freedom: float) -> Interval | None:
    """Student's interval with so many degrees of freedom; None where n is 1, or too few resamples have m trials.

    With m = 1 it is that of a mean, since a resample's variance is short of the unbiased one by (n - 1)/n.
    """
    known = resampled[numpy.isfinite(resampled)]
    if n < 2 or 2 * len(known) < len(resampled):
        return None
    quantile = float(scipy.special.stdtrit(freedom, (1 + COVERAGE) / 2))
    reach = quantile * float(known.std()) * math.sqrt(n / (n - 1))
    return Interval(center - reach, center + reach)


def _possible(group: Group, interval: Interval | None) -> Interval | None:
    """The part of the interval that is not better than the floor, unless a trial was: then it is none."""
    if interval is None or group.values.min() < group.floor:
        return interval
    return Interval(max(interval.low, group.floor), interval.high)
