"""Rule 14 on simulated curves: noise of known size, against a known gap between two arms or a known trial variance.

The rule compares an estimate with a limit, so it is a coin's toss where both are equal: noise of a third of the limit
is the null, of twice the limit the alternative, and between them the rates show how steep the rule is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
from study_operator.findings.noise import find
from study_operator.results.trial import Curve

from bench.rates.curves import EVALUATIONS, METRIC, Bench, Noise, curve, decay, fall, study_of
from bench.rates.pictures import BLUE, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count

RATIOS = {
    0.33: Hypothesis.NULL,
    0.5: Hypothesis.EDGE,
    0.8: Hypothesis.EDGE,
    1.25: Hypothesis.EDGE,
    2.0: Hypothesis.ALTERNATIVE,
    3.0: Hypothesis.ALTERNATIVE,
}
TRIALS = 5
"""An arm's; their plateaus lie evenly between its best and two noises above it."""


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """A hit is a finding for any of the arms."""
    bench = Bench("late-variance", find, TRIALS, count(effort, 600), rng)
    for ratio, hypothesis in RATIOS.items():
        for noise in (Noise(), Noise(0.5), Noise(0.8), Noise(heavy=True)):
            for n in EVALUATIONS[1:]:
                arms = ([_arm(place * 2 / ratio, n, noise, rng) for place in range(2)] for _ in range(bench.runs))
                setting = f"noise {ratio:g} of half the gap between two arms, {noise}"
                yield bench.rate(hypothesis, setting, map(study_of, arms), f"n={n}", arms=2)
                alone = (study_of([_arm(0, n, noise, rng)], trial_variance=1 / ratio) for _ in range(bench.runs))
                yield bench.rate(hypothesis, f"noise {ratio:g} of the trial variance, {noise}", alone, f"n={n}")


def draw(folder: Path) -> None:
    """The best curves of two arms, with the same gap, and little noise or much."""
    rng = numpy.random.default_rng(4)
    drawing, panels = figure(2)
    for axes, scale, title in zip(panels, (0.3, 2.0), ("quiet", "noisy"), strict=True):
        for colour, level in ((BLUE, 0.0), (ORANGE, 1.5)):
            points = curve(decay(12), 60, Noise(), rng)
            shown = decay(12)(numpy.array(points.steps) / points.steps[-1])
            axes.plot(points.steps, level + shown + scale * (points.values - shown), color=colour, linewidth=1)
        axes.set(title=title, xlabel="step", ylabel="error", ylim=(-5, 15))
    save(drawing, folder / "late-variance.svg")


def _arm(best: float, evaluations: int, noise: Noise, rng: numpy.random.Generator) -> list[dict[str, Curve]]:
    plateaus = best + numpy.linspace(0, 2, TRIALS)
    shapes = (lambda t, level=level: level + fall(0, 0.3, 30)(t) for level in plateaus)
    return [{METRIC: curve(shape, evaluations, noise, rng)} for shape in shapes]
