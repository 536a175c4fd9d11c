"""Rule 8 in simulated studies: how often it asks to reshape, to suspect a bug, or to trim, and should not.

Trials fail with the same probability everywhere, or beyond a place in the first hyperparameter's range, with the
probability 1 there and 0.02 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
from study_operator.findings import Evidence, Finding
from study_operator.findings.feasibility import find

from bench.rates.landscapes import Array, points
from bench.rates.pictures import BLUE, GREY, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count
from tests.findings.evidence_samples import study, unit_space

RULE = "infeasible-trials"
COUNTS = (16, 32, 64, 128)
STRAY = 0.02
Claim = Callable[[Finding], bool]


def reshapes(finding: Finding) -> bool:
    """Whether it is about the space as a whole."""
    return not finding.subject.hyperparameter


def suspects_a_bug(finding: Finding) -> bool:
    """Whether it says that nothing predicts the failures."""
    return reshapes(finding) and "suspect a bug" in finding.advice


def trims(finding: Finding) -> bool:
    """Whether it proposes another bound."""
    return "to" in finding.numbers


def anywhere(share: float) -> Callable[[Array], Array]:
    """Failure that has nothing to do with the hyperparameters."""
    return lambda rows: numpy.full(len(rows), share)


def beyond(place: float) -> Callable[[Array], Array]:
    """Failure beyond a place in the range of the first hyperparameter."""
    return lambda rows: numpy.where(rows[:, 0] > place, 1.0, STRAY)


def corner(place: float) -> Callable[[Array], Array]:
    """Failure where the sum of the first two hyperparameters is beyond a place: neither alone tells."""
    return lambda rows: numpy.where(rows[:, 0] + rows[:, 1] > place, 1.0, STRAY)


def simulate(n: int, dimensions: int, chance: Callable[[Array], Array], rng: numpy.random.Generator) -> Evidence:
    """A study whose trials fail with the ``chance`` at their points, and are alike otherwise."""
    rows = points(n, dimensions, rng)
    loss = rng.standard_normal(n)
    loss[rng.random(n) < chance(rows)] = numpy.nan
    return study(unit_space(dimensions), rows, loss)


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    null, alternative = Hypothesis.NULL, Hypothesis.ALTERNATIVE
    settings: list[tuple[Hypothesis, str, int, Callable[[Array], Array], Claim]] = [
        (null, "asks to reshape: 50% fail anywhere", 4, anywhere(0.5), reshapes),
        (null, "asks to reshape: 30% fail anywhere", 4, anywhere(0.3), reshapes),
        (alternative, "asks to reshape: 70% fail anywhere", 4, anywhere(0.7), reshapes),
        (alternative, "asks to reshape: 85% fail anywhere", 4, anywhere(0.85), reshapes),
        (null, "suspects a bug: one hyperparameter decides, 75% fail", 4, beyond(0.25), suspects_a_bug),
        (null, "suspects a bug: two decide together, 75% fail", 4, corner(0.7), suspects_a_bug),
        (alternative, "suspects a bug: 80% fail anywhere, d=2", 2, anywhere(0.8), suspects_a_bug),
        (alternative, "suspects a bug: 80% fail anywhere, d=8", 8, anywhere(0.8), suspects_a_bug),
        *(
            (null, f"trims: {share:.0%} fail anywhere, d={d}", d, anywhere(share), trims)
            for d in (1, 8)
            for share in (0.1, 0.5)
        ),
        *(
            (alternative, f"trims: fails above {place}, d={d}", d, beyond(place), trims)
            for d in (1, 8)
            for place in (0.5, 0.8)
        ),
    ]
    for hypothesis, setting, dimensions, chance, claim in settings:
        for n in COUNTS:
            runs = count(effort, 400)
            hits = sum(any(map(claim, find(simulate(n, dimensions, chance, rng)))) for _ in range(runs))
            yield Rate(RULE, hypothesis, setting, hits, runs, column=f"n={n}")


def draw(folder: Path) -> None:
    """32 trials of which the infeasible ones lie beyond a bound, or anywhere."""
    drawing, axes = figure(2)
    rng = numpy.random.default_rng(4)
    u = points(32, 1, rng)[:, 0]
    loss = (u - 0.4) ** 2 + 0.05 * rng.random(32)
    for panel, infeasible, title in (
        (axes[0], u > 0.62, "AUC 1: trim the range"),
        (axes[1], rng.permutation(u > 0.62), "AUC near 0.5: suspect a bug"),
    ):
        panel.scatter(u[~infeasible], loss[~infeasible], s=12, color=BLUE, label="feasible")
        panel.scatter(
            u[infeasible], numpy.full(infeasible.sum(), 0.45), s=18, marker="x", color=ORANGE, label="infeasible"
        )
        panel.axhline(0.42, color=GREY, lw=0.5, ls=":")
        panel.set_title(title, fontsize=9)
        panel.set(xlabel="place in the range", ylabel="objective")
    axes[1].legend(loc="center", bbox_to_anchor=(0.5, 0.75), fontsize=8)
    save(drawing, folder / f"{RULE}.svg")
