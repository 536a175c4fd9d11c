"""What the best of m trials is expected to be, from n >= m that were made.

The best of a study depends on how many trials it took, so arms are compared at an m that all of them have. Every subset
of m trials is equally likely to have been drawn, hence the mean of their minima is an unbiased estimate; it is a
weighted sum of the order statistics and needs no enumeration.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray
from scipy.special import gammaln

from study_operator.results.period import Floats


def expected_best(values: Floats, m: int) -> float:
    """The unbiased estimate of E[minimum of m], from ``values`` of shape (n,), smaller better, 1 <= m <= n.

    The i-th smallest is the minimum of C(n - i, m - 1) of the C(n, m) subsets. An infinite value never wins, but where
    there are m of them, some subset has nothing else and the result is infinite.
    """
    ordered, n = numpy.sort(values), len(values)
    ranks = numpy.arange(1, n)
    ratios = numpy.maximum(n - ranks - m + 1, 0) / (n - ranks)
    weights = numpy.concatenate([[1.0], numpy.cumprod(ratios)]) * (m / n)
    wins = weights > 0
    return float(numpy.dot(weights[wins], ordered[wins]))


def chance_of_none(bad: int, n: int, m: int) -> float:
    """The share of the subsets of m out of n trials that have bad ones only, of which there are ``bad``."""
    all_bad, any_at_all = _log_subsets(numpy.array([bad, n]), m)
    return float(numpy.exp(all_bad - any_at_all))


def expected_best_of_resamples(
    ordered: Floats, counts: NDArray[numpy.int64], totals: NDArray[numpy.int64], m: int
) -> Floats:
    """:func:`expected_best` of many resamples at once; shape (b,).

    ``ordered``, shape (k,), has the k smallest values, ascending; ``counts``, shape (b, k), says how often each
    resample has each of them, and ``totals``, shape (b,), how many values it has in all. What is beyond the k smallest
    counts as the largest of these. NaN where a resample has fewer than m values.
    """
    above = totals[:, None] - numpy.cumsum(counts, axis=1)
    at_least = numpy.concatenate([totals[:, None], above[:, :-1]], axis=1)
    subsets = _log_subsets(numpy.arange(totals.max(initial=m) + 1), m)
    with numpy.errstate(invalid="ignore"):
        survival = numpy.exp(subsets[at_least] - subsets[totals][:, None])
    survival[totals < m] = numpy.nan
    steps = numpy.diff(ordered, prepend=0.0)
    found: Floats = survival @ steps
    return found


def _log_subsets(n: NDArray[numpy.int64], m: int) -> Floats:
    """log n! / (n - m)!, which is log C(n, m) but for a constant; -inf where n < m."""
    enough = n >= m
    safe = numpy.where(enough, n, m)
    logs: Floats = numpy.where(enough, gammaln(safe + 1.0) - gammaln(safe - m + 1.0), -numpy.inf)
    return logs
