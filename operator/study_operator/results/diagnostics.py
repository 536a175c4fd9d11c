"""Diagnostics: what a whole training curve says, in a few numbers that stay with the trial.

Monitoring forgets its samples after some days, and a curve thinned for plotting has lost its noise. So the statistics
are taken once, when the trial ends and the curve is there in full, and the rules only compare them. They know no
direction: what follows the minimum is told beside what follows the maximum, because the objective may be changed later.

Evaluation noise is seldom independent from one evaluation to the next, and wandering noise looks like a trend: by the
plain Kendall test a flat curve with a lag-1 autocorrelation of .8 is "still improving" in a fifth of the cases. So the
autocorrelation is estimated, from the residuals of the very points tested, and widens both the test's variance and the
noise. The measured rates are in docs/rules.md.

Pairwise statistics see at most ``PAIRED_POINTS`` points, evenly chosen: the cost is bounded for a million points, and a
change that matters is beyond doubt long before. Noise, median and period are of neighbouring points, never thinned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from study_operator.results.period import Floats, dominant_period
from study_operator.results.trial import Curve, CurveDiagnostics, Period, Trend

FEWEST_POINTS = 5
"""Of a trend: four points in order are no surprise (1 in 24)."""

LATE_SHARE = 0.25
LATE_POINTS = 8
LATE_REACH = 0.4
"""Late is the last quarter of the steps, or as many evaluations if those are more: but not beyond this share of them,
if that leaves the fewest, and never more than half. What fell at 60% of the training, as where a learning rate drops,
is settled: with eight of sixteen evaluations 6% to 8% of such curves would seem to improve at the end.
"""

FEWEST_LATE_POINTS = 7
"""Of fewer no autocorrelation is estimated, and the late part has no noise and no trend: with five points noise is
underestimated by a quarter, and the false alarms of rule 15 double.
"""

PAIRED_POINTS = 256

MAD_TO_SD = 1.4826
"""From the median absolute deviation of a normal distribution to its standard deviation."""

HIGHEST_AUTOCORRELATION = 0.95
"""Beyond, a curve of any practical length is all trend."""

LARGEST = 1e300
DIGITS = 4
LEVEL_DIGITS = 7
"""Significant digits kept, so that a diagnosis in memory and one read back from a record are the same. Levels have
more: what matters is how far they are from each other.
"""


def diagnose(curve: Curve, *, whole: bool = False) -> CurveDiagnostics | None:
    """The diagnostics of the curve's finite points, each step once, its last report counting; None without any.

    ``whole`` says that these are all the points that the trainer reported: only then the gaps between them are the
    trainer's own and not the monitoring's, and tell of its evaluations.
    """
    reported = numpy.array(curve.values, dtype=float)
    places = _distinct_steps(curve, numpy.isfinite(reported))
    if not len(places):
        return None
    steps = tuple(curve.steps[place] for place in places.tolist())
    values = reported[places]
    scale = float(numpy.abs(values).max()) or 1.0
    return _Diagnosis(steps, values / scale, scale).told(repeats=_repeats(curve) if whole else 0, whole=whole)


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """``values`` are finite, at most 1 in size, so that no sum overflows; ``scale`` brings them back."""

    steps: tuple[int, ...]
    values: Floats
    scale: float

    def told(self, *, repeats: int, whole: bool) -> CurveDiagnostics:
        positions = numpy.array(self.steps, dtype=float)
        begin = _late(positions)
        noise = None if begin is None else _noise(self.values[begin:], positions[begin:])
        gaps = numpy.diff(positions)
        spread = _spread(gaps) if whole else 0.0
        return CurveDiagnostics(
            evaluations=len(self.steps),
            median=self._value(float(numpy.median(self.values)), LEVEL_DIGITS),
            p90=self._value(float(numpy.quantile(self.values, 0.9)), LEVEL_DIGITS),
            noise=None if noise is None else self._value(noise),
            late=None if begin is None else self._trend(begin, positions),
            after_minimum=self._trend(int(self.values.argmin()) + 1, positions),
            after_maximum=self._trend(int(self.values.argmax()) + 1, positions),
            settled_at_minimum=None if noise is None else self._settled(self.values, noise, begin),
            settled_at_maximum=None if noise is None else self._settled(-self.values, noise, begin),
            period=self._period(gaps) if whole and not spread and not repeats else None,
            gap_spread=_rounded(spread),
            repeated_steps=repeats,
        )

    def _trend(self, begin: int, positions: Floats) -> Trend | None:
        """The trend from place ``begin`` to the end; None of too few points."""
        count = len(self.values) - begin
        if count < FEWEST_POINTS:
            return None
        places = begin + _evenly(count)
        z, change = trend(positions[places], self.values[places])
        return Trend(_rounded(z), self._value(change), self.steps[begin])

    def _settled(self, values: Floats, noise: float, late: int | None) -> int:
        """The first step within the noise of the best tenth of the late values.

        Within the noise of the very best is what rules.md says; but the lowest of many noisy points is far below where
        the curve settled, and to come so low again takes luck and time. Of arms that settle in the first third, rule 16
        finds 31% to 77% in that way, and 84% to 98% in this one (from 20 evaluations on).
        """
        level = float(numpy.quantile(values[late:], 0.1)) + noise
        return self.steps[int((values <= level).argmax())]

    def _period(self, gaps: Floats) -> Period | None:
        found = dominant_period(self.values)
        if found is None:
            return None
        return Period(round(found.length * float(numpy.median(gaps))), _rounded(found.p), _rounded(found.share))

    def _value(self, value: float, digits: int = DIGITS) -> float:
        return _rounded(value * self.scale, digits)


def trend(positions: Floats, values: Floats) -> tuple[float, float]:
    """Whether ``values`` rise, as a standard normal z (positive: rising), and Theil and Sen's change over the length.

    z is the clearer of two tests. Kendall's sees a trend in noise. Smooth curves, as training losses on many examples
    are, have their own shape for residuals, which looks like autocorrelation close to one, and nothing is certain then;
    but they rise from point to point, and the sign test of the differences holds for a random walk even.
    """
    before, after = numpy.triu_indices(len(values), 1)
    rises = values[after] - values[before]
    slope = float(numpy.median(rises / (positions[after] - positions[before])))
    ordered = _kendall(rises, len(values), _autocorrelation(positions, values, slope))
    stepwise = _signs(numpy.diff(values))
    return max(ordered, stepwise, key=abs), slope * float(positions[-1] - positions[0])


def _kendall(rises: Floats, count: int, autocorrelation: float) -> float:
    """Mann and Kendall's z of all pairs' ``rises`` with its continuity correction, on the safe side of the exact test.

    Its variance is multiplied by n/n*, as Yue and Wang (2004, Water Resources Management 18) do for a lag-1
    autocorrelation.
    """
    score = float(numpy.sign(rises).sum())
    variance = _inflation(autocorrelation, count) * count * (count - 1) * (2 * count + 5) / 18
    return math.copysign((abs(score) - 1) / math.sqrt(variance), score) if score else 0.0


def _signs(differences: Floats) -> float:
    """The sign test's z with its continuity correction."""
    signs = numpy.sign(differences)
    score, count = float(signs.sum()), int(numpy.count_nonzero(signs))
    return math.copysign((abs(score) - 1) / math.sqrt(count), score) if score else 0.0


def _noise(values: Floats, positions: Floats) -> float:
    """The standard deviation of the evaluations around the curve.

    From the differences of neighbours, in which a trend is a constant; with autocorrelation r they have 2 (1 - r) of
    the variance. Where most differences are equal, as with a metric that takes few values, their standard deviation.
    """
    differences = numpy.diff(values)
    spread = MAD_TO_SD * float(numpy.median(numpy.abs(differences - numpy.median(differences))))
    places = _evenly(len(values), neighbours=True)
    _, change = trend(positions[places], values[places])
    slope = change / float(positions[places][-1] - positions[places][0])
    autocorrelation = _autocorrelation(positions[places], values[places], slope)
    return (spread or float(differences.std())) / math.sqrt(2 * (1 - autocorrelation))


def _autocorrelation(positions: Floats, values: Floats, slope: float) -> float:
    """Of neighbouring residuals around a line of this ``slope``, 0 if negative.

    The estimate from n residuals of a fitted line is too low by about (2 + 4 r) / n (Marriott and Pope 1954,
    Biometrika 41); that is made good.
    """
    count = len(values)
    if count < FEWEST_LATE_POINTS:
        return 0.0
    residuals = values - slope * positions
    residuals = residuals - residuals.mean()
    power = float(residuals @ residuals)
    if not power:
        return 0.0
    estimate = (count * float(residuals[1:] @ residuals[:-1]) / power + 2) / (count - 4)
    return min(max(estimate, 0.0), HIGHEST_AUTOCORRELATION)


def _inflation(autocorrelation: float, count: int) -> float:
    """How much larger the variance of a sum over ``count`` points is for their autocorrelation at lag 1."""
    lags = numpy.arange(1, count)
    return 1 + 2 * float(((1 - lags / count) * autocorrelation**lags).sum())


def _late(positions: Floats) -> int | None:
    """Where the late part begins; None where there are too few points for one."""
    count = len(positions)
    quarter = int(numpy.searchsorted(positions, positions[-1] - LATE_SHARE * (positions[-1] - positions[0])))
    reach = min(LATE_POINTS, max(FEWEST_LATE_POINTS, int(LATE_REACH * count)), count // 2)
    begin = min(quarter, count - reach)
    return begin if count - begin >= FEWEST_LATE_POINTS else None


def _evenly(count: int, *, neighbours: bool = False) -> NDArray[numpy.intp]:
    """At most PAIRED_POINTS of ``count`` places: an even choice, or the last ones where neighbours are needed."""
    if count <= PAIRED_POINTS:
        return numpy.arange(count)
    if neighbours:
        return numpy.arange(count - PAIRED_POINTS, count)
    return numpy.linspace(0, count - 1, PAIRED_POINTS).round().astype(numpy.intp)


def _distinct_steps(curve: Curve, finite: NDArray[numpy.bool_]) -> NDArray[numpy.intp]:
    """The places of the finite points by step, the last report of each step."""
    places = numpy.flatnonzero(finite)
    steps = numpy.array(curve.steps)[places]
    if not (steps[1:] > steps[:-1]).all():
        _, last = numpy.unique(steps[::-1], return_index=True)
        places = places[len(places) - 1 - last]
    return places


def _repeats(curve: Curve) -> int:
    """Points whose step is not beyond that of the point before."""
    steps = numpy.array(curve.steps)
    return int(numpy.count_nonzero(steps[1:] <= steps[:-1]))


def _spread(gaps: Floats) -> float:
    """The distance between the outer tenths of the gaps, in median gaps: 0 where all but a few are equal.

    The last gap is left out: it ends with the training, wherever that falls, and is a tenth of few evaluations' gaps.
    """
    if len(gaps) < 2:
        return 0.0
    low, middle, high = numpy.quantile(gaps[:-1], [0.1, 0.5, 0.9]).tolist()
    return float((high - low) / middle)


def _rounded(value: float, digits: int = DIGITS) -> float:
    return min(max(float(f"{value:.{digits}g}"), -LARGEST), LARGEST)
