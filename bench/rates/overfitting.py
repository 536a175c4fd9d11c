"""Rule 13 on simulated curves; rises are in units of the noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy
from study_operator.findings.overfitting import find

from bench.rates.curves import NOISES, NULL_NOISES, SETTLED, Bench, Noise, Shape, curve, decay, overfit
from bench.rates.pictures import BLUE, GREY, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count

OVERFIT: Mapping[str, Shape] = {
    "rise by 5 noises from 40% on": overfit(5),
    "rise by 10 from 40% on": overfit(10),
    "rise by 20 from 70% on": overfit(20, 0.7),
    "rise by 10 from 30% on, saturating": overfit(10, 0.3, 5),
}


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """The best three trials of an arm, and a study of four arms any of which may be blamed."""
    bench = Bench("overfitting", find, 3, count(effort, 300), rng)
    yield from bench.rates(Hypothesis.NULL, SETTLED, NULL_NOISES)
    four = replace(bench, runs=count(effort, 600))
    yield from four.rates(Hypothesis.NULL, {"any of four arms": decay(12)}, (Noise(), Noise(0.5), Noise(0.8)), arms=4)
    yield from bench.rates(Hypothesis.ALTERNATIVE, OVERFIT, NOISES)


def draw(folder: Path) -> None:
    """A curve that overfits beside one whose lowest point came early by luck."""
    rng = numpy.random.default_rng(4)
    drawing, panels = figure(2)
    for axes, shape, title in zip(panels, (overfit(10), decay(12)), ("overfits", "does not"), strict=True):
        points = curve(shape, 60, Noise(), rng)
        lowest = int(numpy.argmin(points.values))
        axes.plot(points.steps, points.values, color=BLUE, linewidth=1)
        axes.axvline(points.steps[lowest], color=GREY, linewidth=0.8, linestyle=":")
        axes.plot(points.steps[lowest], points.values[lowest], "o", color=ORANGE, markersize=5)
        axes.set(title=title, xlabel="step", ylabel="error, in noises", ylim=(-4, 16))
    save(drawing, folder / "overfitting.svg")
