"""Rule 25 in simulated studies: what matters, what interacts, and what does not matter.

The loss is a parabola in the last hyperparameter, or a sum of two. Claims about those that have no part in it are
false. "Hardly matters" is false for a hyperparameter that explains a tenth of the variance. Interactions are false
where the loss, or its logarithm above a floor, is a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy
from study_operator.findings import Evidence
from study_operator.findings.importance import importances
from study_operator.findings.insight import SMALL, find

from bench.rates.landscapes import Array, points
from bench.rates.pictures import BLUE, GREY, figure, save
from bench.rates.rate import Hypothesis, Rate, count
from tests.findings.evidence_samples import study, unit_space

COUNTS = (16, 32, 64, 128)
NULL, ALTERNATIVE = Hypothesis.NULL, Hypothesis.ALTERNATIVE
MATTERS, INTERACTS, INSENSITIVE = "hyperparameter-importance", "hyperparameter-interaction", "insensitive-nuisance"
Loss = Callable[[Array], Array]


@dataclass(frozen=True)
class Setting:
    """A loss, and the claim about ``subjects`` whose rate is wanted; a pair is known by its first."""

    rule: str
    hypothesis: Hypothesis
    words: str
    dimensions: int
    loss: Loss
    noise: float
    subjects: frozenset[str]
    arms: int = 1
    runs: int = 200

    def rate(self, n: int, effort: float, rng: numpy.random.Generator) -> Rate:
        """The rate with ``n`` trials an arm."""
        runs = count(effort, self.runs)
        hits = sum(self._claimed(self.simulate(n, rng)) for _ in range(runs))
        words = f"{self.words}, d={self.dimensions}" + f", {self.arms} arms" * (self.arms > 1)
        return Rate(self.rule, self.hypothesis, words, hits, runs, column=f"n={n}")

    def simulate(self, n: int, rng: numpy.random.Generator) -> Evidence:
        """One study."""
        rows = points(n, self.dimensions, rng)
        values = self.loss(rows)[None, :] + self.noise * rng.standard_normal((self.arms, n)) + 1.0
        return study(unit_space(self.dimensions, self.arms), rows, dict(enumerate(values)))

    def _claimed(self, evidence: Evidence) -> bool:
        return any(
            finding.rule == self.rule and finding.subject.hyperparameter in self.subjects for finding in find(evidence)
        )


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    for setting in (*_matters(), *_insensitive(), *_interacts()):
        for n in COUNTS:
            yield setting.rate(n, effort, rng)


def parabola(u: Array, optimum: float = 0.6) -> Array:
    """A loss of one hyperparameter with its optimum inside."""
    return (u - optimum) ** 2


def last(rows: Array) -> Array:
    """A loss of the last hyperparameter alone."""
    return parabola(rows[:, -1])


def nothing(rows: Array) -> Array:
    """No loss."""
    return numpy.zeros(len(rows))


def valley(rows: Array) -> Array:
    """The best value of the last hyperparameter is one minus that of the one before."""
    return (rows[:, -1] + rows[:, -2] - 1) ** 2


def total(rows: Array) -> Array:
    """A sum of two effects."""
    return parabola(rows[:, -1], 0.8) + 0.5 * parabola(rows[:, -2], 0.2)


def product(rows: Array) -> Array:
    """A product of two effects, which stands above the floor of one that every study has here."""
    return numpy.exp(6 * parabola(rows[:, -1], 0.8) + 3 * parabola(rows[:, -2], 0.2)) / 10


def names(*places: int) -> frozenset[str]:
    """The hyperparameters at ``places``."""
    return frozenset(f"x{place}" for place in places)


def _matters() -> Iterator[Setting]:
    yield Setting(MATTERS, NULL, "irrelevant, nothing matters", 1, nothing, 0.1, names(0), runs=1000)
    for dimensions, arms in ((4, 1), (8, 1), (8, 2)):
        for noise in (0.03, 0.1):
            words = f"irrelevant beside one that matters, noise {noise}"
            others = names(*range(dimensions - 1))
            yield Setting(MATTERS, NULL, words, dimensions, last, noise, others, arms, runs=1000)
    for dimensions in (1, 4, 8):
        for share in (0.5, 0.2):
            words = f"explains about {share:.0%}"
            yield Setting(MATTERS, ALTERNATIVE, words, dimensions, last, _noise_for(share), names(dimensions - 1))


def _insensitive() -> Iterator[Setting]:
    for dimensions in (2, 4, 8):
        words = f"explains about {SMALL:.0%}"
        subjects = names(dimensions - 1)
        yield Setting(INSENSITIVE, NULL, words, dimensions, last, _noise_for(SMALL), subjects, runs=1000)
    for dimensions in (2, 4, 8):
        words = "irrelevant beside one that explains most"
        yield Setting(INSENSITIVE, ALTERNATIVE, words, dimensions, last, 0.03, names(0))


def _interacts() -> Iterator[Setting]:
    for words, loss in (
        ("the loss is a sum", total),
        ("its logarithm above a floor is a sum", product),
        ("nothing matters", nothing),
    ):
        for dimensions in (2, 8):
            for noise in (0.01, 0.1):
                firsts = names(*range(dimensions - 1))
                yield Setting(INTERACTS, NULL, f"{words}, noise {noise}", dimensions, loss, noise, firsts)
    for dimensions in (2, 4, 8):
        for noise in (0.01, 0.1):
            first = names(dimensions - 2)
            yield Setting(INTERACTS, ALTERNATIVE, f"a diagonal valley, noise {noise}", dimensions, valley, noise, first)


def _noise_for(share: float) -> float:
    """The noise beside which the parabola explains the share of the variance."""
    variance = float(numpy.var(parabola((numpy.arange(10_000) + 0.5) / 10_000)))
    return float(numpy.sqrt(variance * (1 - share) / share))


def draw(folder: Path) -> None:
    """The importance of four hyperparameters with 32 and with 128 trials."""
    drawing, axes = figure(2)
    setting = Setting(
        MATTERS, NULL, "", 4, lambda rows: 4 * parabola(rows[:, 0]) + 1.5 * parabola(rows[:, 1], 1.0), 0.15, names()
    )
    for panel, n in zip(axes, (32, 128), strict=True):
        known = importances(setting.simulate(n, numpy.random.default_rng(8)).arms[0])
        for place, importance in enumerate(known):
            panel.plot([importance.low, importance.high], [place, place], color=BLUE, lw=2)
            panel.plot(importance.share, place, "o", color=BLUE, ms=5)
        panel.axvline(SMALL, color=GREY, lw=0.5, ls=":")
        panel.set_yticks(range(len(known)), [importance.axis.name for importance in known])
        panel.invert_yaxis()
        panel.set_title(f"{n} trials", fontsize=9)
        panel.set(xlabel="share of the variance, 90% interval", xlim=(0, 1))
    save(drawing, folder / "hyperparameter-importance.svg")
