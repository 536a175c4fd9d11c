"""Corrections for looking at many hyperparameters at once.

A study of two arms with eight hyperparameters asks each question sixteen times. At 5% a question, most studies would
have something false to tell, and people would stop to read the findings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given.

    Rejecting those below a level makes at least one false claim with at most that probability, however the tests depend
    on each other (S. Holm, 1979).
    """
    p = numpy.asarray(p_values, dtype=float)
    order = numpy.argsort(p, kind="stable")
    stepped = numpy.maximum.accumulate(p[order] * numpy.arange(len(p), 0, -1))
    adjusted = numpy.empty_like(p)
    adjusted[order] = numpy.minimum(stepped, 1.0)
    values: list[float] = adjusted.tolist()
    return values
