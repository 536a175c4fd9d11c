"""Rule 9 in simulated studies.

The loss is quadratic, ``sum w_j (u_j - optimum_j)^2``, on the product's own points; a rerun differs by ``noise``, in
units of the loss at a distance of one. An alarm is false where the hyperparameter does not matter, and where its
optimum is well inside its range. At 0.8 the outer tenth begins next to the optimum, and a hit does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
from scipy import stats
from study_operator.findings.boundary import find
from study_operator.space import Hyperparameter, Range, Role, Space

from bench.rates.landscapes import points, quadratic
from bench.rates.pictures import BLUE, GREY, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count
from tests.findings.evidence_samples import unit_space

RULE = "search-space-boundary"
COUNTS = (16, 32, 64, 128)
NOISES = (0.02, 0.1, 0.3)


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    for dimensions, arms in ((1, 1), (4, 1), (8, 1), (8, 2)):
        for n in COUNTS:
            for noise in NOISES:
                yield irrelevant(dimensions, arms, n, noise, count(effort, 500), rng)
    for n in COUNTS:
        yield _integers(n, count(effort, 1000), rng)
    for place, hypothesis in ((0.5, Hypothesis.NULL), (0.7, Hypothesis.NULL), (0.8, Hypothesis.EDGE)):
        for dimensions in (1, 4):
            for n in COUNTS:
                for noise in NOISES[1:2] if place == 0.5 else NOISES:
                    yield optimum_at(place, hypothesis, dimensions, n, noise, count(effort, 500), rng)
    for dimensions in (1, 4, 8):
        for n in COUNTS:
            for noise in NOISES[:2]:
                yield optimum_at(1.2, Hypothesis.ALTERNATIVE, dimensions, n, noise, count(effort, 500), rng)


def irrelevant(dimensions: int, arms: int, n: int, noise: float, runs: int, rng: numpy.random.Generator) -> Rate:
    """Only the last hyperparameter matters, with its optimum in the middle; with one, none does."""
    space = unit_space(dimensions, arms)
    weights = numpy.zeros(dimensions)
    weights[-1] = dimensions > 1
    hits = sum(any(find(quadratic(space, n, numpy.full(dimensions, 0.5), weights, noise, rng))) for _ in range(runs))
    setting = f"irrelevant hyperparameters, d={dimensions}, {arms} arm{'s' * (arms > 1)}, noise {noise}"
    return Rate(RULE, Hypothesis.NULL, setting, hits, runs, column=f"n={n}")


def _integers(n: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """Whole numbers from 1 to 4 that do not matter: the best is one of the ends half of the time."""
    space = Space.build([Hyperparameter("layers", Role.NUISANCE, Range(1, 4, integer=True))])
    flat = numpy.array([0.5]), numpy.array([0.0])
    hits = sum(any(find(quadratic(space, n, *flat, 1.0, rng))) for _ in range(runs))
    return Rate(RULE, Hypothesis.NULL, "irrelevant integers 1 to 4", hits, runs, column=f"n={n}")


def optimum_at(
    place: float, hypothesis: Hypothesis, dimensions: int, n: int, noise: float, runs: int, rng: numpy.random.Generator
) -> Rate:
    """The first hyperparameter's optimum is at ``place``; all matter alike, the others with theirs in the middle."""
    space = unit_space(dimensions)
    optimum = numpy.full(dimensions, 0.5)
    optimum[0] = place
    weights = numpy.ones(dimensions)
    hits = sum(
        any(
            finding.subject.hyperparameter == "x0"
            for finding in find(quadratic(space, n, optimum, weights, noise, rng))
        )
        for _ in range(runs)
    )
    setting = f"optimum at {place}, d={dimensions}, noise {noise}"
    return Rate(RULE, hypothesis, setting, hits, runs, "hyperparameter", column=f"n={n}")


def draw(folder: Path) -> None:
    """Two ranges of 32 trials each: one too small, one that does not matter though its best trial is at the end."""
    drawing, axes = figure(2)
    rng = numpy.random.default_rng(3)
    u = numpy.sort(points(32, 1, rng)[:, 0])
    irrelevant = 0.45 + 0.12 * rng.standard_normal(32)
    irrelevant[-2] = irrelevant.min() - 0.08
    for panel, loss, title in (
        (axes[0], (u - 1.2) ** 2 + 0.06 * rng.standard_normal(32), "too small: the trend goes on"),
        (axes[1], irrelevant, "no trend: chance"),
    ):
        best = int(numpy.argmin(loss))
        tau = stats.kendalltau(u, -loss, alternative="greater")
        panel.axvspan(0.9, 1.0, color=GREY, alpha=0.2, lw=0)
        panel.scatter(u, loss, s=12, color=BLUE)
        panel.scatter(u[best], loss[best], s=50, facecolor="none", edgecolor=ORANGE, linewidth=1.5)
        panel.set_title(f"{title}\n(tau {tau.statistic:.2f}, p = {tau.pvalue:.2g})", fontsize=9)
        panel.set(xlabel="place in the range", ylabel="objective", xlim=(-0.02, 1.02))
    save(drawing, folder / f"{RULE}.svg")
