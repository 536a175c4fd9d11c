"""The dominant period of a curve.

A validation error that comes and goes with the epoch betrays data that is not shuffled, or an evaluation that depends
on where in the epoch it falls. The length of the epoch is not known here, and the shape may be a wave, a saw or a
spike, so each period is tried by folding: the points are sorted by phase, and the analysis of variance tells whether
the phases differ (Leahy et al. 1983, Astrophysical Journal 266). A spectrum's highest peak would miss spikes, whose
power is spread over all harmonics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.polynomial import polynomial
from numpy.typing import NDArray
from scipy.special import fdtrc

Floats = NDArray[numpy.float64]

FEWEST_POINTS = 16
MOST_POINTS = 1024
FEWEST_CYCLES = 4
LONGEST_PERIOD = 128
OUTLIER = 7.4
"""Residuals are cut off at so many median absolute deviations, 5 standard deviations of a normal distribution."""

WORTH_KEEPING = 0.05


@dataclass(frozen=True, slots=True)
class Fold:
    """A period of ``length`` evaluations: ``p`` of all the periods tried, and the ``share`` of the variance that the
    phase explains.
    """

    length: int
    p: float
    share: float


def dominant_period(values: Floats) -> Fold | None:
    """The period that explains most for its phases, in the second half of the curve; None where p is above 0.05.

    The points must be evenly spaced. At least four cycles must fit, and at most 1,024 points are looked at. A slow
    trend is taken out, and then the autocorrelation at lag 1, which folding would take for a long period.
    """
    late = values[-min(max(len(values) // 2, min(len(values), FEWEST_POINTS)), MOST_POINTS) :]
    if len(late) < FEWEST_POINTS:
        return None
    noise = _whitened(_detrended(late))
    total = float(noise @ noise)
    lengths = range(2, min(len(noise) // FEWEST_CYCLES, LONGEST_PERIOD) + 1)
    if not total or not lengths:
        return None
    folds = [_fold(noise, total, length) for length in lengths]
    best = min(folds, key=lambda fold: fold.p)
    p = min(best.p * len(folds), 1.0)
    return Fold(best.length, p, best.share) if p <= WORTH_KEEPING else None


def _fold(noise: Floats, total: float, length: int) -> Fold:
    phases = numpy.arange(len(noise)) % length
    sums = numpy.bincount(phases, noise)
    between = float((sums**2 / numpy.bincount(phases)).sum())
    within = max(total - between, 1e-12 * total)
    freedom = len(noise) - length
    ratio = (between / (length - 1)) / (within / freedom)
    return Fold(length, float(fdtrc(length - 1, freedom, ratio)), between / total)


def _detrended(values: Floats) -> Floats:
    """The residuals of a parabola, outliers cut off."""
    positions = numpy.linspace(-1.0, 1.0, len(values))
    residuals: Floats = values - polynomial.polyval(positions, polynomial.polyfit(positions, values, 2))
    limit = OUTLIER * float(numpy.median(numpy.abs(residuals))) or numpy.inf
    within: Floats = numpy.clip(residuals, -limit, limit)
    return within


def _whitened(residuals: Floats) -> Floats:
    """The residuals less what each inherits from the one before, around 0."""
    power = float(residuals @ residuals)
    inherited = max(float(residuals[1:] @ residuals[:-1]) / power, 0.0) if power else 0.0
    innovations: Floats = residuals[1:] - inherited * residuals[:-1]
    centred: Floats = innovations - innovations.mean()
    return centred
