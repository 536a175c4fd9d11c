"""Quasi-random search: one scrambled Sobol sequence, shared by all the arms.

Exploration asks questions of the whole space after the fact, so its points are spread evenly and depend on nothing but
the space and the seed. Trial k of every arm gets the same point: arms are then compared under the same conditions, and
that, far more than the evenness, is what makes the better arm come out (bench/sampling.py; rules.md). A sequence dealt
out over the arms in turns would leave each with a poor part of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import scipy
from numpy.typing import NDArray

from study_operator.samplers.sampler import Suggestion, SuggestionRequest
from study_operator.samplers.seeds import trial_seed
from study_operator.space import Space

_FIRST_BLOCK = 64


def sobol_points(dimensions: int, seed: int, count: int) -> NDArray[numpy.float64]:
    """The first ``count`` points of the sequence, each row in [0, 1)^dimensions; ``count`` is a power of two.

    They are the beginning of every longer list of the same seed.
    """
    return scipy.stats.qmc.Sobol(dimensions, scramble=True, rng=numpy.random.default_rng(seed)).random(count)


class SobolSampler:
    """Suggests the points of the sequence in order, each to all the arms in turn."""

    adaptive = False

    def __init__(self, space: Space, seed: int) -> None:
        self._arms = len(space.arms)
        self._dimensions = len(space.dimensions)
        self._seed = seed
        self._points = sobol_points(self._dimensions, seed, _FIRST_BLOCK)

    def suggest(self, request: SuggestionRequest) -> Suggestion:
        """The next point of the sequence for the arm whose turn it is, whatever is known of other trials."""
        place, arm = divmod(request.index, self._arms)
        return Suggestion(
            index=request.index,
            arm=arm,
            point=self.point(place),
            seed=trial_seed(self._seed, request.index),
            reason=f"point {place} of the scrambled Sobol sequence of seed {self._seed}, which all arms share",
        )

    def point(self, place: int) -> tuple[float, ...]:
        """The point at ``place`` in the sequence, counted from zero.

        The list is drawn anew, twice as long or more, where it is too short: that costs no more than a constant factor,
        and two threads that do it at once cannot disturb each other as they would by sharing one generator.
        """
        points = self._points
        if place >= len(points):
            points = self._points = sobol_points(self._dimensions, self._seed, 1 << place.bit_length())
        row: Sequence[float] = points[place].tolist()
        return tuple(row)
