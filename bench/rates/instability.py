"""Rule 10 in simulated studies: failures anywhere, a wall far from the optimum, a wall at the optimum.

The learning rate's range is four decades. The loss is quadratic in its logarithm; other hyperparameters do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
from study_operator.findings import Evidence
from study_operator.findings.instability import find
from study_operator.space import Hyperparameter, Range, Role, Space

from bench.rates.landscapes import points
from bench.rates.pictures import BLUE, GREY, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count
from tests.findings.evidence_samples import LEARNING_RATE, study

RULE = "learning-rate-edge"
COUNTS = (16, 32, 64, 128)
NOISE = 0.05
SPACE = Space.build([LEARNING_RATE, *(Hyperparameter(f"x{j}", Role.NUISANCE, Range(0.0, 1.0)) for j in range(3))])


def simulate(n: int, optimum: float, share: float, wall: float, rng: numpy.random.Generator) -> Evidence:
    """The ``share`` fails anywhere, and all that is beyond the ``wall``."""
    rows = points(n, len(SPACE.dimensions), rng)
    loss = (rows[:, 0] - optimum) ** 2 + NOISE * rng.standard_normal(n)
    loss[(rng.random(n) < share) | (rows[:, 0] > wall)] = numpy.nan
    return study(SPACE, rows, loss)


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    for hypothesis, setting, optimum, share, wall in (
        (Hypothesis.NULL, "10% fail anywhere, optimum at the upper end", 0.95, 0.1, 1.0),
        (Hypothesis.NULL, "50% fail anywhere, optimum at the upper end", 0.95, 0.5, 1.0),
        (Hypothesis.NULL, "80% fail anywhere, optimum at the upper end", 0.95, 0.8, 1.0),
        (Hypothesis.NULL, "a wall a decade above the optimum", 0.4, 0.02, 0.65),
        (Hypothesis.ALTERNATIVE, "a wall 0.2 decades above the optimum", 0.6, 0.02, 0.65),
        (Hypothesis.ALTERNATIVE, "the optimum behind a wall", 0.8, 0.02, 0.65),
    ):
        for n in COUNTS:
            runs = count(effort, 1000)
            hits = sum(any(find(simulate(n, optimum, share, wall, rng))) for _ in range(runs))
            yield Rate(RULE, hypothesis, setting, hits, runs, column=f"n={n}")


def draw(folder: Path) -> None:
    """A wall of divergence next to the best learning rate."""
    drawing, (panel,) = figure()
    rng = numpy.random.default_rng(5)
    u = points(32, 1, rng)[:, 0]
    loss = (u - 0.85) ** 2 + 0.03 * rng.random(32)
    bad = u > 0.65
    learning_rate = 1e-4 * 1e4**u
    panel.scatter(learning_rate[~bad], loss[~bad], s=12, color=BLUE)
    panel.scatter(learning_rate[bad], numpy.full(bad.sum(), 0.8), s=18, marker="x", color=ORANGE)
    threshold = learning_rate[bad].min()
    panel.axvspan(threshold / 10**0.5, threshold, color=GREY, alpha=0.2, lw=0)
    panel.set_title("the best within half a decade of the wall", fontsize=9)
    panel.set(xscale="log", xlabel="learning rate", ylabel="objective")
    save(drawing, folder / f"{RULE}.svg")
