"""Scales: where in a range a unit coordinate lies.

The points of a study fill the unit cube evenly, so it is the scale that decides what "evenly" means for a value: equal
steps (Linear), equal ratios (Log), or equal ratios of what is missing to one (ReverseLog, for momentum and decay
rates). Integers are no scale of their own: they take a scale that reaches half a step beyond both ends and round, so
that the first and the last integer get a whole cell as the others do.

Floating point is kept from showing: the ends are exact, no value leaves its range by rounding, the order of coordinates
is the order of values, and bounds as far apart as floats go do not overflow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


class Scale(Protocol):
    """An increasing map from the unit interval onto a range, with its inverse."""

    def value(self, u: float) -> float:
        """The value at ``u``. Coordinates beyond the unit interval count as its ends."""
        ...

    def coordinate(self, value: float) -> float:
        """The ``u`` in [0, 1] of ``value``. Values beyond the range count as its ends."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """Equal steps. Needs minimum < maximum, both finite."""

    minimum: float
    maximum: float

    def value(self, u: float) -> float:
        """The value ``u`` of the way from the minimum to the maximum."""
        if u >= 1.0:
            return self.maximum
        unit = self._unit
        start = self.minimum / unit
        return _clamp((start + max(u, 0.0) * (self.maximum / unit - start)) * unit, self.minimum, self.maximum)

    def coordinate(self, value: float) -> float:
        """How far ``value`` is on the way from the minimum to the maximum."""
        if value <= self.minimum:
            return 0.0
        if value >= self.maximum:
            return 1.0
        unit = self._unit
        start = self.minimum / unit
        return (value / unit - start) / (self.maximum / unit - start)

    @property
    def _unit(self) -> float:
        """Two where the range is wider than the largest float, so that its half is computed with; one otherwise, which
        changes no bit.
        """
        return 2.0 if math.isinf(self.maximum - self.minimum) else 1.0


@dataclass(frozen=True, slots=True)
class Log:
    """Equal ratios. Needs 0 < minimum < maximum."""

    minimum: float
    maximum: float

    def value(self, u: float) -> float:
        """The value ``u`` of the way in the exponent."""
        if u <= 0.0:
            return self.minimum
        if u >= 1.0:
            return self.maximum
        return _clamp(math.exp(self._exponents.value(u)), self.minimum, self.maximum)

    def coordinate(self, value: float) -> float:
        """How far ``value`` is on the way in the exponent."""
        return self._exponents.coordinate(math.log(_clamp(value, self.minimum, self.maximum)))

    @property
    def _exponents(self) -> Linear:
        return Linear(math.log(self.minimum), math.log(self.maximum))


@dataclass(frozen=True, slots=True)
class ReverseLog:
    """Equal ratios of the distance to one: ``1 - exp(lerp(log(1 - minimum), log(1 - maximum)))``. Needs minimum <
    maximum < 1.

    ``log1p`` and ``expm1`` keep the digits of values near zero, which ``1 - x`` would round away.
    """

    minimum: float
    maximum: float

    def value(self, u: float) -> float:
        """The value ``u`` of the way in the exponent of the distance to one."""
        if u <= 0.0:
            return self.minimum
        if u >= 1.0:
            return self.maximum
        return _clamp(-math.expm1(-self._exponents.value(u)), self.minimum, self.maximum)

    def coordinate(self, value: float) -> float:
        """How far ``value`` is on the way in the exponent of the distance to one."""
        return self._exponents.coordinate(-math.log1p(-_clamp(value, self.minimum, self.maximum)))

    @property
    def _exponents(self) -> Linear:
        return Linear(-math.log1p(-self.minimum), -math.log1p(-self.maximum))


@dataclass(frozen=True, slots=True)
class Integers:
    """The whole numbers from ``minimum`` to ``maximum``, on a scale over [minimum - 1/2, maximum + 1/2].

    Each integer gets the part of the unit interval that its cell [k - 1/2, k + 1/2] has on that scale, the two ends
    included. Exact up to magnitudes of 2**51: from twice that on floats have no halves.
    """

    minimum: int
    maximum: int
    cells: Scale

    def value(self, u: float) -> int:
        """The integer whose cell ``u`` lies in."""
        return min(max(math.floor(self.cells.value(u) + 0.5), self.minimum), self.maximum)

    def coordinate(self, value: float) -> float:
        """Where ``value`` lies in its cell: inside, never on the edge to a neighbour."""
        return self.cells.coordinate(value)


def _clamp(value: float, minimum: float, maximum: float) -> float:
    return min(max(value, minimum), maximum)
