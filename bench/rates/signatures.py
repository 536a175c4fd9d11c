"""Rules 17, 18 and 31 on simulated curves: training losses that rise, errors with the period of an epoch, gradients
that are clipped, and data that are waited for.

Rules 18 and 31 hold an estimate against a limit, so they are a coin's toss at the limit. The third signature of rule
17, uneven gaps between evaluations, and rule 33's repeated steps are counted from all reports: no chance is in that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy
from scipy import stats
from study_operator.findings.signatures import find
from study_operator.results.trial import Curve
from study_operator.space import Hyperparameter, Range, Role

from bench.rates.curves import (
    METRIC,
    NOISES,
    NULL_NOISES,
    Bench,
    Floats,
    Noise,
    Shape,
    curve,
    decay,
    flat,
    overfit,
    study_of,
)
from bench.rates.pictures import BLUE, GREY, figure, save
from bench.rates.rate import Hypothesis, Rate, count

EVALUATIONS = (40, 100, 400)
WAVES: dict[str, Callable[[Floats], Floats]] = {
    "wave": lambda phase: numpy.sin(2 * numpy.pi * phase) / 2,
    "saw": lambda phase: phase - 0.5,
    "spike": lambda phase: (phase < 0.01).astype(float),
}
"""By the phase in [0, 1), one from top to bottom."""
CLIPPED = {
    0.17: Hypothesis.NULL,
    0.25: Hypothesis.EDGE,
    0.33: Hypothesis.EDGE,
    0.5: Hypothesis.EDGE,
    0.67: Hypothesis.ALTERNATIVE,
    0.9: Hypothesis.ALTERNATIVE,
}
"""The share of the updates that are clipped. The rule's limit is half; a third of it is the null, as in rule 14."""
WAITED = {
    0.03: Hypothesis.NULL,
    0.08: Hypothesis.NULL,
    0.1: Hypothesis.EDGE,
    0.12: Hypothesis.ALTERNATIVE,
    0.2: Hypothesis.ALTERNATIVE,
}
"""The share of a step that is waited; the rule's limit is a tenth."""
REPORTS = (20, 40, 100)
THRESHOLD = Hyperparameter("gradient_clipping", Role.NUISANCE, Range(0.5, 1.5))
"""Whose middle, where the simulated trials are, is 1."""


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """The best three trials of one arm."""
    rising = Bench("training-loss-rising", find, 3, count(effort, 600), rng)
    both = (METRIC, "train_loss")
    falling = {"decay": decay(12), "slow decay": decay(2.5, 60)}
    yield from rising.rates(Hypothesis.NULL, falling, NULL_NOISES, metrics=both)
    yield from rising.rates(Hypothesis.ALTERNATIVE, {"rise by 10 noises": overfit(10)}, NOISES, metrics=both)
    periodic = replace(rising, rule="epoch-period")
    settled = {"flat": flat, "decay": decay(12)}
    yield from periodic.rates(Hypothesis.NULL, settled, NULL_NOISES, evaluations=EVALUATIONS)
    few = replace(periodic, runs=count(effort, 300))
    for name, wave in WAVES.items():
        for length in (4, 10):
            for n in EVALUATIONS:
                if n >= 10 * length:
                    shapes = {f"{name} of 4 noises every {length} evaluations": with_period(wave, length, n)}
                    yield from few.rates(Hypothesis.ALTERNATIVE, shapes, NOISES, evaluations=(n,))
    yield from _clipping(effort, rng)
    yield from _waiting(effort, rng)


def _clipping(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """Norms are lognormal around the curve of a training, as heavy-tailed as they are; 1 is the threshold."""
    runs = count(effort, 600)
    bench = Bench("gradient-clipping", find, 3, runs, rng)
    for share, hypothesis in CLIPPED.items():
        for noise in (Noise(), Noise(0.8)):
            for n in REPORTS:
                level = stats.norm.ppf(share)
                arms = (
                    [
                        {METRIC: curve(flat, n, Noise(), rng), "gradient_norm": lognormal(level, n, noise, rng)}
                        for _ in range(bench.trials)
                    ]
                    for _ in range(runs)
                )
                studies = (study_of([arm], nuisances=(THRESHOLD,)) for arm in arms)
                setting = f"{share:.0%} of the updates are clipped, {noise}"
                yield bench.rate(hypothesis, setting, studies, f"n={n}")


def _waiting(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """The share of the waiting varies by half from report to report."""
    runs = count(effort, 600)
    bench = Bench("input-bound", find, 8, runs, rng)
    for share, hypothesis in WAITED.items():
        for n in REPORTS:
            level = math.log(share)
            arms = (
                [
                    {
                        METRIC: curve(flat, n, Noise(), rng),
                        "data_wait_fraction": lognormal(level, n, Noise(0.5), rng, 0.5),
                    }
                    for _ in range(bench.trials)
                ]
                for _ in range(runs)
            )
            setting = f"the trainer waits for {share:.0%} of a step, 8 trials"
            yield bench.rate(hypothesis, setting, (study_of([arm]) for arm in arms), f"n={n}")


def lognormal(level: float, evaluations: int, noise: Noise, rng: numpy.random.Generator, spread: float = 1.0) -> Curve:
    """A curve of positive values with the median ``exp(level)``."""
    exponents = curve(flat, evaluations, noise, rng)
    return Curve(exponents.steps, tuple(numpy.exp(level + spread * numpy.array(exponents.values)).tolist()))


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
