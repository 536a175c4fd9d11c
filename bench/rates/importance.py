"""Rule 25 in simulated studies: what matters, what interacts, and what does not matter.

The loss is quadratic; of d hyperparameters the last matters, or the last two with a third of the weight on the second.
Claims about those that do not are false. "Hardly matters" is false for a hyperparameter that explains a tenth of the
variance of the normal scores, which is what its weight is set to. Interactions are false where the loss, or its
logarithm, is a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
from study_operator.findings import Evidence, Finding
from study_operator.findings.importance import importances
from study_operator.findings.insight import SMALL, find

from bench.rates.landscapes import Array, points
from bench.rates.pictures import BLUE, GREY, figure, save
from bench.rates.rate import Hypothesis, Rate, count
from tests.findings.evidence_samples import study, unit_space

COUNTS = (16, 32, 64, 128)
NULL, ALTERNATIVE = Hypothesis.NULL, Hypothesis.ALTERNATIVE
Loss = Callable[[Array], Array]


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    yield from _matters(effort, rng)
    yield from _insensitive(effort, rng)
    yield from _interacts(effort, rng)


def parabola(u: Array, optimum: float = 0.6) -> Array:
    """A loss of one hyperparameter with its optimum inside; SD 0.1 or so over the range."""
    return (u - optimum) ** 2


def _matters(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    rule, runs = "hyperparameter-importance", count(effort, 1000)
    for arms in (1, 2):
        for dimensions in (1, 4, 8):
            for noise in (0.03, 0.3) if dimensions > 1 else (0.3,):
                for n in COUNTS:
                    loss = _of_last(dimensions)
                    irrelevant = {f"x{index}" for index in range(dimensions - (dimensions > 1))}
                    hits = sum(
                        any(
                            _named(rule, irrelevant)(finding)
                            for finding in find(_simulate(n, dimensions, loss, noise, rng, arms))
                        )
                        for _ in range(runs)
                    )
                    setting = f"irrelevant hyperparameters, d={dimensions}, {arms} arm{'s' * (arms > 1)}, noise {noise}"
                    yield Rate(rule, NULL, setting, hits, runs, column=f"n={n}")
    for dimensions in (1, 4, 8):
        for share in (0.5, 0.2):
            noise = _noise_for(share)
            for n in COUNTS:
                hits = sum(
                    any(
                        _named(rule, {f"x{dimensions - 1}"})(finding)
                        for finding in find(_simulate(n, dimensions, lambda rows: parabola(rows[:, -1]), noise, rng))
                    )
                    for _ in range(runs // 2)
                )
                setting = f"explains about {share:.0%}, d={dimensions}"
                yield Rate(rule, ALTERNATIVE, setting, hits, runs // 2, "hyperparameter", column=f"n={n}")


def _insensitive(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    rule, runs = "insensitive-nuisance", count(effort, 500)
    noise = _noise_for(SMALL)
    for dimensions in (2, 4, 8):
        for n in (*COUNTS, 256):
            hits = sum(
                any(
                    _named(rule, {f"x{dimensions - 1}"})(finding)
                    for finding in find(_simulate(n, dimensions, lambda rows: parabola(rows[:, -1]), noise, rng))
                )
                for _ in range(runs)
            )
            yield Rate(
                rule, NULL, f"explains about {SMALL:.0%}, d={dimensions}", hits, runs, "hyperparameter", column=f"n={n}"
            )
    for dimensions in (2, 4, 8):
        for n in (*COUNTS, 256):
            hits = sum(
                any(
                    _named(rule, {"x0"})(finding)
                    for finding in find(_simulate(n, dimensions, _of_last(dimensions), 0.03, rng))
                )
                for _ in range(runs)
            )
            setting = f"irrelevant, d={dimensions}, the last explains most"
            yield Rate(rule, ALTERNATIVE, setting, hits, runs, "hyperparameter", column=f"n={n}")


def _interacts(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    rule, runs = "hyperparameter-interaction", count(effort, 500)
    sums: dict[str, Loss] = {
        "the loss is a sum": lambda rows: parabola(rows[:, -1], 0.8) + 0.5 * parabola(rows[:, -2], 0.2),
        "its logarithm is a sum": lambda rows: (
            numpy.exp(6 * parabola(rows[:, -1], 0.8) + 3 * parabola(rows[:, -2], 0.2)) / 10
        ),
        "nothing matters": lambda rows: numpy.zeros(len(rows)),
    }
    for name, loss in sums.items():
        for dimensions in (2, 4, 8):
            for noise in (0.01, 0.1):
                for n in COUNTS:
                    hits = sum(
                        any(finding.rule == rule for finding in find(_simulate(n, dimensions, loss, noise, rng)))
                        for _ in range(runs)
                    )
                    yield Rate(rule, NULL, f"{name}, d={dimensions}, noise {noise}", hits, runs, column=f"n={n}")
    for dimensions in (2, 4, 8):
        for noise in (0.01, 0.1):
            for n in COUNTS:
                both = {f"x{dimensions - 2}, x{dimensions - 1}"}
                hits = sum(
                    any(_named(rule, both)(finding) for finding in find(_simulate(n, dimensions, _valley, noise, rng)))
                    for _ in range(runs)
                )
                yield Rate(
                    rule, ALTERNATIVE, f"a diagonal valley, d={dimensions}, noise {noise}", hits, runs, column=f"n={n}"
                )


def _valley(rows: Array) -> Array:
    """The best value of the last hyperparameter is one minus that of the one before."""
    return (rows[:, -1] + rows[:, -2] - 1) ** 2


def _of_last(dimensions: int) -> Loss:
    """What the last hyperparameter matters; nothing where it is the only one."""
    return lambda rows: (dimensions > 1) * parabola(rows[:, -1])


def _noise_for(share: float) -> float:
    """The noise beside which the parabola explains a share of the variance: Var parabola = 0.00889 at 0.6."""
    variance = float(numpy.var(parabola((numpy.arange(10_000) + 0.5) / 10_000)))
    return float(numpy.sqrt(variance * (1 - share) / share))


def _simulate(
    n: int, dimensions: int, loss: Loss, noise: float, rng: numpy.random.Generator, arms: int = 1
) -> Evidence:
    rows = points(n, dimensions, rng)
    values = loss(rows)[None, :] + noise * rng.standard_normal((arms, n)) + 1.0
    return study(unit_space(dimensions, arms), rows, dict(enumerate(values)))


def _named(rule: str, hyperparameters: set[str]) -> Callable[[Finding], bool]:
    return lambda finding: finding.rule == rule and finding.subject.hyperparameter in hyperparameters


def draw(folder: Path) -> None:
    """The importance of four hyperparameters with 32 and with 128 trials."""
    drawing, axes = figure(2)
    for panel, n in zip(axes, (32, 128), strict=True):
        rng = numpy.random.default_rng(8)
        evidence = _simulate(
            n, 4, lambda rows: 4 * parabola(rows[:, 0]) + 1.5 * parabola(rows[:, 1], 1.0) + 0.3 * rows[:, 2], 0.15, rng
        )
        known = importances(evidence.arms[0])
        for place, importance in enumerate(known):
            panel.plot([importance.low, importance.high], [place, place], color=BLUE, lw=2)
            panel.plot(importance.share, place, "o", color=BLUE, ms=5)
        panel.axvline(SMALL, color=GREY, lw=0.5, ls=":")
        panel.set_yticks(range(len(known)), [importance.axis.name for importance in known])
        panel.invert_yaxis()
        panel.set_title(f"{n} trials", fontsize=9)
        panel.set(xlabel="share of the variance, 90% interval", xlim=(0, 1))
    save(drawing, folder / "hyperparameter-importance.svg")
