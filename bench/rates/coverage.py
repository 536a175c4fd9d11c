"""Rule 11 in simulated studies.

Nothing is to be gained where the loss is flat, or so easy that the best of n/2 is at the bottom; much is where the
dimensions are many and reruns hardly differ. The deviation between reruns is itself known from 15 reruns only, five of
each of the best three. The truth is E[best of n/2] - E[best of n] of the loss without noise, in deviations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy
from study_operator.findings import Severity
from study_operator.findings.coverage import find
from study_operator.findings.order_statistics import expected_best

from bench.rates.landscapes import points, quadratic
from bench.rates.pictures import BLUE, GREY, figure, save
from bench.rates.rate import Hypothesis, Rate, count
from tests.findings.evidence_samples import unit_space

RULE = "enough-points"
COUNTS = (16, 32, 64, 128)
FREEDOM = 12
"""Of the deviation between reruns: three configurations, five reruns each."""


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    for hypothesis, setting, dimensions, scale, noise in (
        (Hypothesis.NULL, "flat", 2, 0.0, 1.0),
        (Hypothesis.NULL, "d=1, noise 0.1", 1, 1.0, 0.1),
        (Hypothesis.NULL, "d=1, noise 0.3", 1, 1.0, 0.3),
        (Hypothesis.ALTERNATIVE, "d=8, noise 0.02", 8, 1.0, 0.02),
        (Hypothesis.ALTERNATIVE, "d=8, noise 0.05", 8, 1.0, 0.05),
    ):
        for n in COUNTS:
            runs = count(effort, 1000)
            hits = sum(warned(n, dimensions, scale, noise, rng) for _ in range(runs))
            yield Rate(RULE, hypothesis, setting, hits, runs, "arm", column=f"n={n}")


def warned(n: int, dimensions: int, scale: float, noise: float, rng: numpy.random.Generator) -> bool:
    space, optimum = unit_space(dimensions), numpy.full(dimensions, 0.4)
    evidence = quadratic(space, n, optimum, numpy.full(dimensions, scale), noise, rng)
    known = noise * float(numpy.sqrt(rng.chisquare(FREEDOM) / FREEDOM))
    return any(finding.severity is Severity.WARNING for finding in find(replace(evidence, trial_variance=known)))


def draw(folder: Path) -> None:
    """The expected best of m, and the bound of the better volume."""
    drawing, axes = figure(2)
    rng = numpy.random.default_rng(6)
    loss = ((points(64, 6, rng) - 0.4) ** 2).sum(axis=1)
    m = numpy.arange(1, 65)
    axes[0].plot(m, [expected_best(loss, int(k)) for k in m], color=BLUE)
    for k in (32, 64):
        axes[0].axvline(k, color=GREY, lw=0.5, ls=":")
    axes[0].set_title("the gain of the second half", fontsize=9)
    axes[0].set(xlabel="m of 64 points", ylabel="E[best of m]")
    axes[1].plot(m, 1 - 0.05 ** (1 / m), color=BLUE)
    axes[1].set_title("volume that may be better (95%)", fontsize=9)
    axes[1].set(xlabel="points", ylabel="share of the space", ylim=(0, 1))
    save(drawing, folder / f"{RULE}.svg")
