"""The picture of rule 12, which makes no claim and so has no rates."""

from __future__ import annotations

from pathlib import Path

import numpy
from study_operator.findings.plots import axis_plots, isolation_plots
from study_operator.space import Choices, Hyperparameter, Role, Space

from bench.rates.landscapes import points
from bench.rates.pictures import BLUE, GREEN, ORANGE, figure, save
from tests.findings.evidence_samples import LEARNING_RATE, study


def draw(folder: Path) -> None:
    """The learning rates of one arm, and the best of two arms."""
    rng = numpy.random.default_rng(9)
    space = Space.build([Hyperparameter("optimizer", Role.SCIENTIFIC, Choices(("nesterov", "adam"))), LEARNING_RATE])
    rows = points(32, 1, rng)
    losses = {arm: 0.1 + (rows[:, 0] - place) ** 2 + 0.03 * rng.random(32) for arm, place in ((0, 0.55), (1, 0.45))}
    losses[0] = numpy.where(rows[:, 0] > 0.85, numpy.nan, losses[0]) + 0.05
    evidence = study(space, rows, losses)
    plot = axis_plots(evidence)[0]
    drawing, axes = figure(2)
    for marker, colour, chosen in (
        (
            "o",
            BLUE,
            [(point.value, point.objective) for point in plot.points if not point.infeasible and not point.rank],
        ),
        ("*", GREEN, [(point.value, point.objective) for point in plot.points if point.rank]),
        ("x", ORANGE, [(point.value, 0.5) for point in plot.points if point.infeasible]),
    ):
        axes[0].scatter(*zip(*chosen, strict=True), s=20, marker=marker, color=colour)
    axes[0].set_title("axis plot: best three, infeasible", fontsize=9)
    axes[0].set(xscale="log", xlabel="learning rate", ylabel="validation error")
    arms = isolation_plots(evidence)[0].points
    axes[1].scatter([point.value for point in arms], [point.objective for point in arms], color=BLUE)
    axes[1].set_title("isolation plot: best of each arm", fontsize=9)
    axes[1].set(ylabel="validation error", xlim=(-0.5, 1.5), ylim=(0, 0.2))
    save(drawing, folder / "axis-plots.svg")
