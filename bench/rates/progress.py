"""Rules 15 and 16 on simulated curves; falls are in units of the noise.

What falls by no more than two noises after half of the training may be called done or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy
from study_operator.findings.progress import find

from bench.rates.curves import (
    EVALUATIONS,
    NOISES,
    NULL_NOISES,
    SETTLED,
    Bench,
    Noise,
    Shape,
    curve,
    decay,
    fall,
    flat,
    steps,
)
from bench.rates.pictures import BLUE, GREY, figure, save
from bench.rates.rate import Hypothesis, Rate, count

IMPROVING: Mapping[str, Shape] = {
    "fall by 4 noises in the last quarter": fall(0.75, 1, 4),
    "fall by 8 in the last quarter": fall(0.75, 1, 8),
    "linear fall by 20 over all": fall(0, 1, 20),
    "slow decay": decay(2.5, 60),
}
LATE: Mapping[str, Shape] = {**IMPROVING, "settled at 70%": fall(0, 0.7, 20), "two drops": steps}
LITTLE_LEFT: Mapping[str, Shape] = {
    "fall by 2 noises in the last quarter": fall(0.75, 1, 2),
    "linear fall by 4 over all": fall(0, 1, 4),
}
SATURATED: Mapping[str, Shape] = {
    "flat": flat,
    "decay, settled at 20%": decay(20),
    "decay, settled at 35%": decay(12),
}


SHORTEST = 14
"""Evaluations that rule 15 needs."""


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """The best three trials of an arm for rule 15, five for rule 16."""
    every = (SHORTEST, *EVALUATIONS)
    settled = Bench("still-improving", find, 3, count(effort, 600), rng)
    yield from settled.rates(Hypothesis.NULL, SETTLED, NULL_NOISES, evaluations=every)
    four = replace(settled, runs=count(effort, 200))
    noises = (Noise(), Noise(0.5), Noise(0.8))
    yield from four.rates(Hypothesis.NULL, {"any of four arms": decay(12)}, noises, arms=4, evaluations=every)
    improving = replace(settled, runs=count(effort, 200))
    yield from improving.rates(Hypothesis.ALTERNATIVE, IMPROVING, NOISES, evaluations=every)
    enough = EVALUATIONS[1:]
    needed = Bench("early-saturation", find, 5, count(effort, 200), rng)
    yield from needed.rates(Hypothesis.NULL, LATE, NULL_NOISES, evaluations=enough)
    saturated = replace(needed, runs=count(effort, 120))
    yield from saturated.rates(Hypothesis.EDGE, LITTLE_LEFT, NOISES, evaluations=enough)
    yield from saturated.rates(Hypothesis.ALTERNATIVE, SATURATED, NOISES, evaluations=enough)


def draw(folder: Path) -> None:
    """The last quarter of a curve that still improves and of one that does not; a curve that is done early."""
    rng = numpy.random.default_rng(4)
    drawing, panels = figure(2)
    cases = {"still improves": decay(2.5, 60), "does not": decay(9, 60)}
    for axes, (title, shape) in zip(panels, cases.items(), strict=True):
        points = curve(shape, 60, Noise(), rng)
        axes.plot(points.steps, points.values, color=BLUE, linewidth=1)
        axes.axvspan(points.steps[-1] * 0.75, points.steps[-1], color=GREY, alpha=0.15, linewidth=0)
        axes.set(title=title, xlabel="step", ylabel="error, in noises")
    save(drawing, folder / "still-improving.svg")
    drawing, panels = figure(2)
    for axes, title, rate in zip(panels, ("saturated", "needed its steps"), (20, 4), strict=True):
        points = curve(decay(rate), 60, Noise(), rng)
        level = numpy.quantile(points.values[45:], 0.1) + 1
        settled = points.steps[int(numpy.argmax(numpy.array(points.values) <= level))]
        axes.plot(points.steps, points.values, color=BLUE, linewidth=1)
        axes.axhline(level, color=GREY, linewidth=0.8, linestyle=":")
        axes.axvline(settled, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(title=title, xlabel="step", ylabel="error, in noises")
    save(drawing, folder / "early-saturation.svg")
