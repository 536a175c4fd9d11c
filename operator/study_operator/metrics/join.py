"""Steps and values, joined by timestamp into a curve.

A trainer exposes the step as a series of its own, with the timestamps of the values. A label on each value would be
simpler to read, and would make each point a new series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from study_operator.results.trial import Curve

LARGEST_STEP = 2**53
"""Up to here a gauge, a 64-bit float, holds a step exactly."""

_PAIR = np.dtype([("time", np.int64), ("value", np.float64)])


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """A series: ``times`` in unix milliseconds and ``values``, of one length, in any order."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, float]]) -> Samples:
        """From (time, value) pairs."""
        table = np.fromiter(pairs, dtype=_PAIR, count=len(pairs))
        return cls(table["time"], table["value"])

    def __len__(self) -> int:
        return len(self.times)


def join(steps: Samples | Sequence[tuple[int, float]], values: Samples | Sequence[tuple[int, float]]) -> Curve:
    """The curve of ``values``, in the order of time.

    Of several samples of one time the first counts. A value whose time has no step takes the nearest earlier one, or
    else the first, so that no value is lost to a gap in the step series; fractional steps are rounded, and a step that
    is not finite or beyond 2**53 in size counts as missing. Without any step the points are numbered from 1.
    """
    points = _in_order(values if isinstance(values, Samples) else Samples.of(values))
    known = _in_order(_usable(steps if isinstance(steps, Samples) else Samples.of(steps)))
    if len(known):
        positions = np.searchsorted(known.times, points.times, side="right") - 1
        numbers = np.rint(known.values).astype(np.int64)[np.maximum(positions, 0)]
    else:
        numbers = np.arange(1, len(points) + 1)
    return Curve(tuple(numbers.tolist()), tuple(points.values.tolist()))


def _usable(steps: Samples) -> Samples:
    with np.errstate(invalid="ignore"):
        usable = np.abs(steps.values) <= LARGEST_STEP
    return Samples(steps.times[usable], steps.values[usable])


def _in_order(samples: Samples) -> Samples:
    """By time, each time once; ``unique`` gives the first of equals."""
    times, first = np.unique(samples.times, return_index=True)
    return Samples(times, samples.values[first])
