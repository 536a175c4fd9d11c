"""Rules 23 and 24 in simulated reruns, in units of s_r, the standard deviation between reruns.

Where all are equally good, Adopt is a false alarm, and so is Reject where the candidate is better by just the margin.
Welch's test takes reruns for normal; what comes of some that are not is shown besides. bench/rates/whole_study.py has
the same decision at the end of whole studies. Rule 23 is about why reruns are needed: what the scores that selected a
configuration would decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy
from numpy.typing import NDArray
from scipy import stats
from study_operator.conclusions import Decision, Reruns, Verdict, decide
from study_operator.conclusions.decision import Contest, beats
from study_operator.conclusions.power import ENOUGH, power

from bench.rates.pictures import BLUE, GREEN, GREY, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count

Floats = NDArray[numpy.float64]
Shape = tuple[int, int]
Draw = Callable[[numpy.random.Generator, Shape], Floats]
DECISION, VARIANCE, BASELINE = "decision", "trial-variance", "reasonable-baseline"
REPEATS = (3, 5, 10)
LEADS = (0.5, 1.0, 1.5, 2.0, 3.0)
LIMIT = 0.10
"""Of false Adopts, and of false Rejects."""
NULL, ALTERNATIVE = Hypothesis.NULL, Hypothesis.ALTERNATIVE
BLOCK = 2000


def normal(deviation: float = 1.0) -> Draw:
    """Reruns around zero with this deviation."""
    return lambda rng, shape: rng.normal(0.0, deviation, shape)


def skewed(rng: numpy.random.Generator, shape: Shape) -> Floats:
    """Reruns most of which are alike, and some much worse; mean 0, deviation 1."""
    values: Floats = rng.exponential(1.0, shape) - 1.0
    return values


def coarse(rng: numpy.random.Generator, shape: Shape) -> Floats:
    """Reruns that are counted in steps of one deviation, as errors on few examples are."""
    values: Floats = rng.normal(0.0, 1.0, shape).round()
    return values


@dataclass(frozen=True)
class Case:
    """Contenders with these true ``means``, against a baseline of mean 0 or each other; the last draw is its own."""

    words: str
    means: Sequence[float]
    baseline: bool
    draws: Sequence[Draw] = field(default_factory=tuple)
    margin: float = 0.0

    def decisions(self, reruns: int, runs: int, rng: numpy.random.Generator) -> Iterator[Decision | None]:
        """Of so many independent studies."""
        draws = self.draws or [normal()] * (len(self.means) + 1)
        for begin in range(0, runs, BLOCK):
            shape = min(BLOCK, runs - begin), reruns
            means = (*self.means, 0.0) if self.baseline else self.means
            columns = [mean + draw(rng, shape) for mean, draw in zip(means, draws, strict=False)]
            for values in zip(*(column.tolist() for column in columns), strict=True):
                named = [Reruns(str(place), place, tuple(own)) for place, own in enumerate(values)]
                yield decide(named[:-1], named[-1], self.margin) if self.baseline else decide(named, None, self.margin)

    def rate(self, hypothesis: Hypothesis, reruns: int, runs: int, rng: numpy.random.Generator) -> Rate:
        """How often Adopt is found; with a difference, of the better one."""
        better = {str(place) for place, mean in enumerate(self.means) if mean < 0 or hypothesis != ALTERNATIVE}
        hits = sum(
            found is not None and found.verdict is Verdict.ADOPT and found.winner.name in better
            for found in self.decisions(reruns, runs, rng)
        )
        return self.told("Adopt", hypothesis, hits, reruns, runs)

    def told(self, what: str, hypothesis: Hypothesis, hits: int, reruns: int, runs: int) -> Rate:
        """The rate of ``what``."""
        return Rate(DECISION, hypothesis, f"{what}: {self.words}", hits, runs, DECISION, LIMIT, f"{reruns} reruns")


EQUAL = (
    Case("1 equal to the baseline", [0.0], True),
    Case("1 like the baseline, which varies a fifth as much", [0.0], True, [normal(), normal(1 / 5)]),
    Case("3 equal to the baseline", [0.0] * 3, True),
    Case("3 like the baseline, which varies 3 times as much", [0.0] * 3, True, [normal()] * 3 + [normal(3.0)]),
    Case("3 like the baseline, which varies a third as much", [0.0] * 3, True, [normal()] * 3 + [normal(1 / 3)]),
    Case("3 like the baseline, which varies a fifth as much", [0.0] * 3, True, [normal()] * 3 + [normal(1 / 5)]),
    Case(
        "3 like the baseline, deviations 0.3, 1, 3 of its own",
        [0.0] * 3,
        True,
        [normal(0.3), normal(), normal(3.0), normal()],
    ),
    Case("3 like the baseline, skewed reruns", [0.0] * 3, True, [skewed] * 4),
    Case("3 like the baseline, coarse objective", [0.0] * 3, True, [coarse] * 4),
    Case("10 equal to the baseline", [0.0] * 10, True),
    Case("10 like the baseline, which varies a third as much", [0.0] * 10, True, [normal()] * 10 + [normal(1 / 3)]),
    Case("2 equal arms", [0.0] * 2, False),
    Case("2 equal arms, one varies 3 times as much", [0.0] * 2, False, [normal(), normal(3.0)]),
    Case("2 equal arms, one varies 5 times as much", [0.0] * 2, False, [normal(), normal(5.0)]),
    Case("2 equal arms, skewed reruns", [0.0] * 2, False, [skewed] * 2),
    Case("3 equal arms", [0.0] * 3, False),
    Case("4 equal arms", [0.0] * 4, False),
    Case("2 equal arms, 2 worse by 2 s_r", [0.0, 0.0, 2.0, 2.0], False),
    Case("2 equal arms, 2 worse by 20 s_r", [0.0, 0.0, 20.0, 20.0], False),
)
NOT_NORMAL = (
    Case("not normal: 1 skewed, and a normal baseline as good", [0.0], True, [skewed, normal()]),
    Case("not normal: 1 skewed, and a baseline that varies a third as much", [0.0], True, [skewed, normal(1 / 3)]),
    Case("not normal: 2 equal arms, one skewed", [0.0] * 2, False, [skewed, normal()]),
)
AT_THE_MARGIN = Case("better by just the margin", [-1.0], True, margin=1.0)


def better_by(lead: float) -> Iterator[Case]:
    """One is better than everything else by ``lead``, or all are better than the baseline."""
    yield Case(f"1 better than the baseline by {lead} s_r", [-lead], True)
    yield Case(f"1 of 3 better than the baseline by {lead} s_r", [-lead, 0.0, 0.0], True)
    yield Case(f"3 better than the baseline by {lead} s_r", [-lead] * 3, True)
    for arms in (2, 3, 4):
        yield Case(f"1 of {arms} arms better by {lead} s_r", [-lead] + [0.0] * (arms - 1), False)


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings. The level is to be told from 10% surely, hence so many simulations."""
    for reruns in REPEATS:
        for case in EQUAL:
            yield case.rate(NULL, reruns, count(effort, 100_000), rng)
        for case in NOT_NORMAL:
            yield case.rate(Hypothesis.EDGE, reruns, count(effort, 20_000), rng)
        runs = count(effort, 100_000)
        decisions = AT_THE_MARGIN.decisions(reruns, runs, rng)
        hits = sum(found is not None and found.verdict is Verdict.REJECT for found in decisions)
        yield AT_THE_MARGIN.told("Reject", NULL, hits, reruns, runs)
        for lead in LEADS:
            for case in better_by(lead):
                yield case.rate(ALTERNATIVE, reruns, count(effort, 10_000), rng)
    for n in (20, 50, 100):
        yield _by_selection(n, count(effort, 10_000), rng)
    for reruns in REPEATS:
        for lead in (0.0, 1.0, 2.0, 5.0):
            yield _beats_chance(lead, reruns, count(effort, 10_000), rng)


def _by_selection(n: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """What this rule is for: the score that selected is held against five reruns of the baseline, as if it were one run
    like any other, at the same level.
    """
    lead = rng.standard_normal((runs, 5)).mean(axis=1) - rng.standard_normal((runs, n)).min(axis=1)
    hits = int(numpy.count_nonzero(lead > stats.norm.ppf(1 - LIMIT) * math.sqrt(1 + 1 / 5)))
    setting = f"not what is done: the best score of {n} against a baseline that is as good"
    return Rate(VARIANCE, Hypothesis.EDGE, setting, hits, runs, DECISION)


def _beats_chance(lead: float, reruns: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """How often a baseline that is better than guessing by ``lead`` passes for one that learned something (rule 7)."""
    hits = sum(beats(values, lead) for values in rng.standard_normal((runs, reruns)).tolist())
    setting = f"passes: better than chance by {lead:g} s_r" if lead else "passes: no better than chance"
    return Rate(BASELINE, ALTERNATIVE if lead else NULL, setting, hits, runs, "study", column=f"{reruns} reruns")


def draw(folder: Path) -> None:
    """The power curve; and by how much a selecting score flatters."""
    drawing, panels = figure(2)
    leads = numpy.linspace(0.0, 3.5, 36)
    for reruns, colour in zip(REPEATS, (ORANGE, BLUE, GREEN), strict=True):
        told = [power(lead, reruns, Contest(3, baseline=True)) for lead in leads]
        panels[0].plot(leads, told, color=colour, label=f"{reruns} reruns")
    panels[0].set_title("3 configurations and a baseline", fontsize=9)
    for arms, colour in zip((2, 4, 8), (ORANGE, BLUE, GREEN), strict=True):
        told = [power(lead, 5, Contest(arms, baseline=False)) for lead in leads]
        panels[1].plot(leads, told, color=colour, label=f"{arms} arms")
    panels[1].set_title("arms, 5 reruns", fontsize=9)
    for panel in panels:
        panel.axhline(ENOUGH, color=GREY, lw=1, ls="--")
        panel.axvline(2.0, color=GREY, lw=1, ls="--")
        panel.set(xlabel="true difference, in s_r", ylabel="chance of Adopt", ylim=(0, 1.02))
        panel.legend()
    save(drawing, folder / f"{DECISION}.svg")
    drawing, axes = figure(1)
    rng = numpy.random.default_rng(3)
    for place, mean in enumerate((0.2, 0.8, 0.9)):
        values = mean + 0.03 * rng.standard_normal(5)
        reach = stats.t.ppf(0.975, 4) * values.std(ddof=1) / math.sqrt(5)
        colour = BLUE if beats(list(values), 0.9) else ORANGE
        axes[0].errorbar([place], [values.mean()], yerr=reach, fmt="o", color=colour, capsize=4)
        axes[0].scatter([place + 0.15] * 5, values, s=8, color=GREY)
    axes[0].axhline(0.9, color=GREY, lw=1, ls="--")
    axes[0].annotate("chance", (1.3, 0.91), color=GREY)
    axes[0].set(xticks=[0, 1, 2], xticklabels=["passes", "passes", "does not"], ylabel="error", ylim=(0, 1))
    save(drawing, folder / f"{BASELINE}.svg")
    drawing, axes = figure(1)
    counts = (5, 10, 20, 50, 100)
    optimism = [-rng.standard_normal((4000, n)).min(axis=1).mean() for n in counts]
    axes[0].plot(counts, optimism, "o-", color=ORANGE, label="the score that selected")
    fresh = [-rng.standard_normal((4000, 5)).mean() for _ in counts]
    axes[0].plot(counts, fresh, "o-", color=BLUE, label="reruns on fresh seeds")
    axes[0].set(xlabel="trials that it is the best of", ylabel="flattery, in s_r", xscale="log")
    axes[0].legend()
    save(drawing, folder / f"{VARIANCE}.svg")
