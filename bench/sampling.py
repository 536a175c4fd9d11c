"""What the sampler of exploration is worth, by simulation: how even its points are, and how often the better arm wins.

Evenness is the centred discrepancy in relation to that of as many random points.

The better arm is looked for in studies of two arms and 32 trials in all. The loss is quadratic around an optimum,
`sum(w (x - optimum)^2)`, in three dimensions of which some hardly matter (w is lognormal with SD 2). The optimum is
uniform in [0.1, 0.9]^3, the second arm is worse by a gap of 0.033, and a rerun differs by a quarter of the gap (SD);
the arm with the best trial is picked. "Shifted" moves the second arm's optimum by an SD of 0.1 in each dimension.
Under this setting all the figures that the design was chosen by (rules of the search, `CLAIMED`) come out within
0.025. Without the noise, shared points never pick the wrong arm while the optimum is shared.

Run it with `python bench/sampling.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy
from numpy.typing import NDArray
from scipy.stats import qmc
from study_operator.samplers.sobol import sobol_points

Array = NDArray[numpy.float64]
Generator = numpy.random.Generator

DIMENSIONS, TRIALS = 3, 32
GAP, RERUN_SD, SHIFT_SD, MARGIN, LOG_WEIGHT_SD = 0.033, 0.033 / 4, 0.1, 0.1, 2.0


def sobol(dimensions: int, count: int, rng: Generator) -> Array:
    """The product's points for a random seed; shape (count, dimensions)."""
    return sobol_points(dimensions, int(rng.integers(2**31)), 1 << (count - 1).bit_length())[:count]


POINTS: dict[str, Callable[[int, int, Generator], Array]] = {
    "random": lambda dimensions, count, rng: rng.random((count, dimensions)),
    "Latin hypercube": lambda dimensions, count, rng: qmc.LatinHypercube(dimensions, rng=rng).random(count),
    "Halton": lambda dimensions, count, rng: qmc.Halton(dimensions, rng=rng).random(count),
    "Sobol": sobol,
}


def discrepancy_ratio(points: str, dimensions: int, count: int, lists: int, seed: int = 0) -> float:
    """The mean centred discrepancy of `lists` lists of points, over that of random points."""
    rng = numpy.random.default_rng(seed)
    return mean_discrepancy(points, dimensions, count, lists, rng) / mean_discrepancy(
        "random", dimensions, count, lists, rng
    )


def mean_discrepancy(points: str, dimensions: int, count: int, lists: int, rng: Generator) -> float:
    return float(
        numpy.mean([qmc.discrepancy(POINTS[points](dimensions, count, rng), method="CD") ** 0.5 for _ in range(lists)])
    )


def alternating(points: Array) -> tuple[Array, NDArray[numpy.int_]]:
    return points, numpy.arange(len(points)) % 2


def by_last_coordinate(points: Array) -> tuple[Array, NDArray[numpy.int_]]:
    return points[:, :-1], (2 * points[:, -1]).astype(int)


SCHEMES: dict[str, Callable[[Generator], tuple[Array, NDArray[numpy.int_]]]] = {
    "random over the joint space": lambda rng: by_last_coordinate(rng.random((TRIALS, DIMENSIONS + 1))),
    "the arm as a dimension of the sequence": lambda rng: by_last_coordinate(sobol(DIMENSIONS + 1, TRIALS, rng)),
    "an independent sequence for each arm": lambda rng: alternating(
        numpy.stack([sobol(DIMENSIONS, TRIALS // 2, rng) for _ in range(2)], axis=1).reshape(TRIALS, DIMENSIONS)
    ),
    "one sequence dealt out in turns": lambda rng: alternating(sobol(DIMENSIONS, TRIALS, rng)),
    "shared points": lambda rng: alternating(numpy.repeat(sobol(DIMENSIONS, TRIALS // 2, rng), 2, axis=0)),
}
"""How trials are laid out: the unit points, shape (TRIALS, DIMENSIONS), and the arm of each, 0 or 1."""

CLAIMED = {
    "random over the joint space": (0.71, 0.72),
    "the arm as a dimension of the sequence": (0.74, 0.75),
    "an independent sequence for each arm": (0.78, 0.78),
    "one sequence dealt out in turns": (0.62, 0.63),
    "shared points": (0.997, 0.81),
}
"""P(the better arm is picked) that the design was chosen by: the optimum shared by the arms, and shifted between them.
"""


def better_arm_picked(scheme: str, studies: int, shift_sd: float = 0.0, seed: int = 0) -> float:
    """The share of simulated studies in which the better arm has the best trial."""
    rng = numpy.random.default_rng(seed)
    return float(numpy.mean([_study(scheme, shift_sd, rng) for _ in range(studies)]))


def _study(scheme: str, shift_sd: float, rng: Generator) -> bool:
    points, arms = SCHEMES[scheme](rng)
    optimum = rng.uniform(MARGIN, 1 - MARGIN, DIMENSIONS)
    shifted = numpy.clip(optimum + shift_sd * rng.standard_normal(DIMENSIONS), 0.0, 1.0)
    weights = numpy.exp(LOG_WEIGHT_SD * rng.standard_normal(DIMENSIONS))
    distances = points - numpy.where(arms[:, None] == 0, optimum, shifted)
    losses = (weights * distances**2).sum(axis=1) + GAP * arms + RERUN_SD * rng.standard_normal(TRIALS)
    return bool(arms[losses.argmin()] == 0)


def report(studies: int = 5000, lists: int = 200) -> Iterator[str]:
    """The tables, line by line."""
    yield "Centred discrepancy, as a ratio to random points"
    sizes = [(4, 32), (4, 64), (8, 100), (20, 64)]
    yield f"{'':42}" + "".join(f"{f'd={dimensions} n={count}':>12}" for dimensions, count in sizes)
    for points in POINTS:
        ratios = [discrepancy_ratio(points, dimensions, count, lists) for dimensions, count in sizes]
        yield f"{points:42}" + "".join(f"{ratio:12.2f}" for ratio in ratios)
    yield ""
    yield (
        f"The better of 2 arms is picked, d={DIMENSIONS}, {TRIALS} trials, {studies} studies: "
        "share, ratio to random, claimed share"
    )
    yield f"{'':42}{'optimum shared':>24}{'optimum shifted':>24}"
    found = {scheme: [better_arm_picked(scheme, studies, shift) for shift in (0.0, SHIFT_SD)] for scheme in SCHEMES}
    reference = found["random over the joint space"]
    for scheme, shares in found.items():
        cells = zip(shares, reference, CLAIMED[scheme], strict=True)
        yield f"{scheme:42}" + "".join(f"{share:10.3f}{share / of:7.2f}{claimed:7.3f}" for share, of, claimed in cells)


if __name__ == "__main__":
    for line in report():
        print(line)
