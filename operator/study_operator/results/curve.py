"""Training curves: their summary, their fingerprint, and their picture in a few points.

A summary keeps both extremes and the last point, which is what every direction and selection of an objective may ask
for later. The fingerprint is the trainer's own, so a curve that came through a monitoring system is proved to be the
one that was reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from study_operator.results.trial import Curve, MetricSummary, Sample

PLOTTED_POINTS = 48
"""Points of a curve that a trial's record keeps: enough for a plot, and 16 metrics of them stay below 32 kB."""


@dataclass(frozen=True, slots=True)
class CurveAnswer:
    """What a metrics source knows of one run.

    Without ``has_steps`` the curves' points are merely numbered from 1. ``final`` says that asking again will not bring
    more; ``problem`` is a sentence that tells why a curve is not there.
    """

    curves: Mapping[str, Curve]
    has_steps: bool
    final: bool = False
    problem: str = ""


def summarize(curve: Curve) -> MetricSummary:
    """The curve's summary. Raises ValueError for a curve without points."""
    if not curve.steps:
        raise ValueError("a curve without points has no summary")
    values = np.array(curve.values)
    finite = np.isfinite(values)
    lowest = highest = None
    if finite.any():
        lowest = _sample(curve, int(np.where(finite, values, np.inf).argmin()))
        highest = _sample(curve, int(np.where(finite, values, -np.inf).argmax()))
    return MetricSummary(len(curve), _sample(curve, -1), lowest, highest)


def fingerprint(curve: Curve) -> str:
    """Hex SHA-256 over the points in their order, each as the ASCII line ``{step} {value!r}``; the trainer computes the
    same.
    """
    lines = "".join(f"{step} {value!r}\n" for step, value in zip(curve.steps, curve.values, strict=True))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


def thin(curve: Curve, points: int = PLOTTED_POINTS) -> Curve:
    """At most ``points`` of the curve's finite points: the first, the last, both extremes, and an even choice between.

    ``points`` >= 4.
    """
    values = np.array(curve.values, dtype=float)
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) > points:
        even = np.linspace(0, len(finite) - 1, points - 2).round().astype(int)
        extremes = [values[finite].argmin(), values[finite].argmax()]
        finite = finite[np.union1d(even, extremes)]
    return Curve(tuple(curve.steps[i] for i in finite), tuple(curve.values[i] for i in finite))


def _sample(curve: Curve, position: int) -> Sample:
    return Sample(curve.steps[position], curve.values[position])
