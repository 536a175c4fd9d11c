"""Losses with a known truth, on the product's own points."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray
from study_operator.findings import Evidence
from study_operator.samplers.sobol import sobol_points
from study_operator.space import Space

from tests.findings.evidence_samples import study

Array = NDArray[numpy.float64]


def points(n: int, dimensions: int, rng: numpy.random.Generator) -> Array:
    """The first ``n`` points of a random study; shape (n, dimensions)."""
    return sobol_points(dimensions, int(rng.integers(2**31)), 1 << (n - 1).bit_length())[:n]


def quadratic(
    space: Space, n: int, optimum: Array, weights: Array, noise: float, rng: numpy.random.Generator
) -> Evidence:
    """A study with the loss ``sum w_j (u_j - optimum_j)^2``, the same in each arm but for the noise (SD of a rerun)."""
    rows = points(n, len(space.dimensions), rng)
    loss = ((rows - optimum) ** 2 @ weights)[None, :] + noise * rng.standard_normal((len(space.arms), n))
    return study(space, rows, dict(enumerate(loss)), trial_variance=noise)
