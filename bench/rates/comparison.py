"""Rules 21 and 22 in simulated studies.

The loss of an arm is ``(u_1 - c)^2 + 0.3 (u_2 - c)^2 + 0.1 (u_3 - c)^2`` on the product's own points, plus ``noise``
from rerun to rerun. Rule 21 speaks where the interval of the lead is on one side of zero; in arms that are equal but
for the noise, that is a false alarm. Rule 22 is wrong where an arm's interval does not hold its expected best of m, and
knows something where it does not hold one that is better by a tenth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy
from numpy.typing import NDArray
from study_operator.conclusions import Estimate, Group, best_of_m_curves, compare
from study_operator.findings.order_statistics import expected_best_of_resamples

from bench.rates.landscapes import points
from bench.rates.pictures import BLUE, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count

Floats = NDArray[numpy.float64]
ARMS, STUDY = "arm-comparison", "study-variance"
WEIGHTS = numpy.array([1.0, 0.3, 0.1])
COUNTS = (4, 8, 16, 32, 64)
NOISES = (0.03, 0.1, 1.0)
OFF = 0.1
"""By how much the value is wrong that an interval should leave out; the losses range over about one."""


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings; with few trials the level is just kept, so that it takes many simulations to tell."""

    def runs(n: int) -> int:
        return count(effort, 6000 if n == 4 else 1500)

    null, alternative = Hypothesis.NULL, Hypothesis.ALTERNATIVE
    for dimensions in (1, 3):
        for noise in NOISES:
            for n in COUNTS:
                setting = f"d={dimensions}, noise {noise}"
                yield _clear(null, f"2 equal arms, {setting}", dimensions, n, noise, runs(n), rng)
                yield from _missed(dimensions, n, noise, runs(n), rng)
    for n in COUNTS:
        yield _clear(null, "4 equal arms, d=3, noise 0.1", 3, n, 0.1, runs(n), rng, arms=4)
        yield _clear(null, "2 equal arms, 4 times the trials in one", 3, n, 0.1, runs(n), rng, times=4)
        yield _clear(null, "2 equal arms, 40% infeasible in each", 3, n, 0.1, runs(n), rng, infeasible=0.4)
        for lead in (0.05, 0.1, 0.2):
            setting = f"one arm better by {lead}, d=3, noise 0.03"
            yield _clear(alternative, setting, 3, n, 0.03, count(effort, 500), rng, lead=lead)


def _clear(
    hypothesis: Hypothesis,
    setting: str,
    dimensions: int,
    n: int,
    noise: float,
    runs: int,
    rng: numpy.random.Generator,
    *,
    arms: int = 2,
    times: int = 1,
    infeasible: float = 0.0,
    lead: float = 0.0,
) -> Rate:
    """How often the leader's lead over the next arm is clear; ``lead`` is the first arm's."""
    hits = 0
    for _ in range(runs):
        rows = points(times * n, dimensions, rng)
        groups = []
        for arm in range(arms):
            own = len(rows) if arm == 0 else n
            values = loss(rows[:own], 0.4, noise, rng) - (lead if arm == 0 else 0.0)
            values[rng.random(own) < infeasible] = math.inf
            groups.append(Group(str(arm), numpy.arange(own), values))
        differences = compare(groups, rng).differences
        hits += (
            bool(differences)
            and differences[0].clear
            and (hypothesis == Hypothesis.NULL or differences[0].leader == "0")
        )
    return Rate(ARMS, hypothesis, setting, hits, runs, column=f"n={n}")


def _missed(dimensions: int, n: int, noise: float, runs: int, rng: numpy.random.Generator) -> Iterator[Rate]:
    """How often the interval misses the mean of the estimates, which is the truth since they have no bias; and how
    often what is better by a tenth.
    """
    found: list[Estimate] = []
    for _ in range(runs):
        group = Group("arm", numpy.arange(n), loss(points(n, dimensions, rng), 0.4, noise, rng))
        found += compare([group], rng).estimates
    truth = math.fsum(estimate.expected for estimate in found) / runs
    setting = f"E[best of n/4], d={dimensions}, noise {noise}"
    for hypothesis, words, value in (
        (Hypothesis.NULL, "interval misses", truth),
        (Hypothesis.ALTERNATIVE, f"interval leaves out what is {OFF} better than", truth - OFF),
    ):
        hits = sum(
            estimate.interval is None or not estimate.interval.low <= value <= estimate.interval.high
            for estimate in found
        )
        yield Rate(STUDY, hypothesis, f"{words} {setting}", hits, runs, "arm", column=f"n={n}")


def loss(rows: Floats, place: float, noise: float, rng: numpy.random.Generator) -> Floats:
    """Of points of shape (n, d); the optimum is at ``place`` in every coordinate."""
    losses: Floats = (rows - place) ** 2 @ WEIGHTS[: rows.shape[1]] + noise * rng.standard_normal(len(rows))
    return losses


def draw(folder: Path) -> None:
    """Best-of-m curves of two arms, with their intervals; and why the interval ends at n/4."""
    rng = numpy.random.default_rng(5)
    rows = points(32, 3, rng)
    groups = [
        Group("adam", numpy.arange(32), 0.05 + loss(rows, 0.4, 0.03, rng)),
        Group("nesterov", numpy.arange(32), 0.12 + loss(rows, 0.5, 0.03, rng)),
    ]
    drawing, axes = figure(1)
    for (label, curve), colour in zip(best_of_m_curves(groups, rng).items(), (BLUE, ORANGE), strict=True):
        axes[0].plot([point.m for point in curve], [point.expected for point in curve], color=colour, label=label)
        sure = [(point.m, point.interval) for point in curve if point.interval is not None]
        axes[0].fill_between(
            [m for m, _ in sure], [i.low for _, i in sure], [i.high for _, i in sure], color=colour, alpha=0.2, lw=0
        )
    axes[0].set(xlabel="trials m", ylabel="expected best of m", xscale="log")
    axes[0].legend()
    save(drawing, folder / f"{ARMS}.svg")
    drawing, axes = figure(1)
    shares = (1, 2, 4, 8)
    for noise, colour in ((0.03, BLUE), (1.0, ORANGE)):
        held = [_held(32, 32 // share, noise, numpy.random.default_rng(9)) for share in shares]
        axes[0].plot(
            [f"n/{share}" if share > 1 else "n" for share in shares], held, "o-", color=colour, label=f"noise {noise}"
        )
    axes[0].axhline(0.95, color="#777777", lw=1, ls="--")
    axes[0].set(xlabel="m", ylabel="intervals that hold the truth", ylim=(0, 1.02))
    axes[0].legend()
    save(drawing, folder / f"{STUDY}.svg")


def _held(n: int, m: int, noise: float, rng: numpy.random.Generator, runs: int = 300) -> float:
    """How often the plain percentile interval of the resampled best of ``m`` holds the truth."""
    truth = numpy.mean([loss(points(n, 3, rng), 0.4, noise, rng)[:m].min() for _ in range(5000)])
    held = 0
    for _ in range(runs):
        ordered = numpy.sort(loss(points(n, 3, rng), 0.4, noise, rng))
        counts = rng.multinomial(n, numpy.full(n, 1 / n), size=300)
        found = expected_best_of_resamples(ordered, counts, counts.sum(axis=1), m)
        low, high = numpy.quantile(found, [0.025, 0.975])
        held += bool(low <= truth <= high)
    return held / runs
