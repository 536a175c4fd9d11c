"""Rule 17 on simulated curves: training losses that rise, and errors with the period of an epoch.

Its third signature, uneven gaps between evaluations, is a matter of counting, as are rules 18, 31 and 33.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy
from study_operator.findings.signatures import find

from bench.rates.curves import METRIC, NOISES, NULL_NOISES, Bench, Floats, Noise, Shape, curve, decay, flat, overfit
from bench.rates.pictures import BLUE, GREY, figure, save
from bench.rates.rate import Hypothesis, Rate, count

EVALUATIONS = (40, 100, 400)
WAVES: dict[str, Callable[[Floats], Floats]] = {
    "wave": lambda phase: numpy.sin(2 * numpy.pi * phase) / 2,
    "saw": lambda phase: phase - 0.5,
    "spike": lambda phase: (phase < 0.01).astype(float),
}
"""By the phase in [0, 1), one from top to bottom."""


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """The best three trials of one arm."""
    rising = Bench("training-loss-rising", find, 3, count(effort, 150), rng)
    both = (METRIC, "train_loss")
    falling = {"decay": decay(12), "slow decay": decay(2.5, 60)}
    yield from rising.rates(Hypothesis.NULL, falling, NULL_NOISES, metrics=both)
    yield from rising.rates(Hypothesis.ALTERNATIVE, {"rise by 10 noises": overfit(10)}, NOISES, metrics=both)
    periodic = replace(rising, rule="epoch-period")
    settled = {"flat": flat, "decay": decay(12)}
    yield from periodic.rates(Hypothesis.NULL, settled, NULL_NOISES, evaluations=EVALUATIONS)
    few = replace(periodic, runs=count(effort, 60))
    for name, wave in WAVES.items():
        for length in (4, 10):
            for n in EVALUATIONS:
                if n >= 10 * length:
                    shapes = {f"{name} of 4 noises every {length} evaluations": with_period(wave, length, n)}
                    yield from few.rates(Hypothesis.ALTERNATIVE, shapes, NOISES, evaluations=(n,))


def with_period(wave: Callable[[Floats], Floats], length: int, evaluations: int, height: float = 4.0) -> Shape:
    """A decay with a wave whose period is ``length`` of the ``evaluations``."""
    return lambda t: decay(12)(t) + height * wave((t * evaluations).round() % length / length)


def draw(folder: Path) -> None:
    """The second half of a curve with a period, and the same by its phase."""
    points = curve(with_period(WAVES["saw"], 10, 120), 120, Noise(), numpy.random.default_rng(4))
    drawing, (along, folded) = figure(2)
    along.plot(points.steps[60:], points.values[60:], color=BLUE, linewidth=1)
    along.set(title="by step", xlabel="step", ylabel="error, in noises")
    phases = numpy.arange(61, 121) % 10
    folded.plot(phases, points.values[60:], "o", color=GREY, markersize=2.5)
    folded.plot(range(10), [numpy.mean(numpy.array(points.values[60:])[phases == at]) for at in range(10)], color=BLUE)
    folded.set(title="by phase", xlabel="evaluations since the period began")
    save(drawing, folder / "bug-signatures.svg")
