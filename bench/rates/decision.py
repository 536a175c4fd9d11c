"""Rules 23 and 24 in simulated studies, in units of s_r, the standard deviation between reruns.

A study searches ``n`` configurations once each, takes the best three by these scores, and runs them and the baseline
again. Where all are equally good, Adopt is a false alarm, and so is Reject where the candidate is better by just the
margin. Rule 23 is about why reruns are needed: what the scores that selected a configuration would decide.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy
from numpy.typing import NDArray
from scipy import stats
from study_operator.conclusions import Reruns, Verdict, decide
from study_operator.conclusions.decision import ALPHA, beats, power

from bench.rates.pictures import BLUE, GREEN, GREY, ORANGE, figure, save
from bench.rates.rate import Hypothesis, Rate, count

Floats = NDArray[numpy.float64]
Draw = Callable[[numpy.random.Generator, int], Floats]
DECISION, VARIANCE, BASELINE = "decision", "trial-variance", "reasonable-baseline"
REPEATS = (3, 5, 10)


def normal(deviation: float = 1.0) -> Draw:
    """Reruns around zero with this deviation."""
    return lambda rng, size: rng.normal(0.0, deviation, size)


def skewed(rng: numpy.random.Generator, size: int) -> Floats:
    """Reruns most of which are alike, and some much worse; mean 0, deviation 1."""
    values: Floats = rng.exponential(1.0, size) - 1.0
    return values


def coarse(rng: numpy.random.Generator, size: int) -> Floats:
    """Reruns that are counted in steps of one deviation, as errors on few examples are."""
    values: Floats = rng.normal(0.0, 1.0, size).round()
    return values


def measure(effort: float, rng: numpy.random.Generator) -> Iterator[Rate]:
    """All settings."""
    runs = count(effort, 2000)
    for reruns in REPEATS:
        for n in (20, 50, 100):
            yield _after_a_search(n, reruns, runs, rng)
        for setting, means, baseline in (
            ("1 equal to the baseline", [0.0], 0.0),
            ("3 equal to the baseline", [0.0] * 3, 0.0),
            ("10 equal to the baseline", [0.0] * 10, 0.0),
            ("2 equal arms", [0.0] * 2, None),
            ("4 equal arms", [0.0] * 4, None),
            ("2 equal arms, 2 worse by 2 s_r", [0.0, 0.0, 2.0, 2.0], None),
        ):
            yield _rate(Hypothesis.NULL, setting, means, baseline, reruns, runs, rng)
        for setting, draws in (
            ("3 like the baseline, which varies 3 times as much", [normal()] * 3 + [normal(3.0)]),
            ("3 like the baseline, which varies a third as much", [normal()] * 3 + [normal(1 / 3)]),
            ("3 like the baseline, deviations 0.3, 1, 3 of its own", [normal(0.3), normal(), normal(3.0), normal()]),
            ("3 like the baseline, skewed reruns", [skewed] * 4),
            ("3 like the baseline, coarse objective", [coarse] * 4),
        ):
            yield _rate(Hypothesis.NULL, setting, [0.0] * 3, 0.0, reruns, runs, rng, draws)
        yield _rejected(reruns, runs, rng)
        for lead in (0.5, 1.0, 1.5, 2.0, 3.0):
            for setting, means, baseline in (
                (f"1 better than the baseline by {lead} s_r", [-lead], 0.0),
                (f"1 of 3 better than the baseline by {lead} s_r", [-lead, 0.0, 0.0], 0.0),
                (f"3 better than the baseline by {lead} s_r", [-lead] * 3, 0.0),
                (f"1 of 2 arms better by {lead} s_r", [-lead, 0.0], None),
                (f"1 of 4 arms better by {lead} s_r", [-lead, 0.0, 0.0, 0.0], None),
            ):
                yield _rate(Hypothesis.ALTERNATIVE, setting, means, baseline, reruns, runs, rng)
    for n in (20, 50, 100):
        yield _by_selection(n, runs, rng)
    for reruns in REPEATS:
        for lead in (0.0, 1.0, 2.0, 5.0):
            yield _beats_chance(lead, reruns, runs, rng)


def _rate(
    hypothesis: Hypothesis,
    setting: str,
    means: Sequence[float],
    baseline: float | None,
    reruns: int,
    runs: int,
    rng: numpy.random.Generator,
    draws: Sequence[Draw] | None = None,
) -> Rate:
    """How often Adopt is found; with a difference, of the better one."""
    drawn = draws or [normal()] * (len(means) + 1)
    hits = 0
    for _ in range(runs):
        confirmed = [
            Reruns(str(place), place, tuple(mean + drawn[place](rng, reruns))) for place, mean in enumerate(means)
        ]
        rival = None if baseline is None else Reruns("baseline", 0, tuple(baseline + drawn[-1](rng, reruns)))
        decision = decide(confirmed, rival, 0.0)
        adopted = decision is not None and decision.verdict is Verdict.ADOPT
        right = hypothesis == Hypothesis.NULL or (decision is not None and means[int(decision.winner.name)] < 0)
        hits += adopted and right
    return Rate(DECISION, hypothesis, f"Adopt: {setting}", hits, runs, DECISION, ALPHA, f"{reruns} reruns")


def _after_a_search(n: int, reruns: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """All ``n`` configurations are as good as the baseline; the luckiest three are confirmed."""
    hits = 0
    for _ in range(runs):
        best = numpy.argsort(rng.standard_normal(n))[:3]
        confirmed = [Reruns(str(index), 0, tuple(rng.standard_normal(reruns))) for index in best]
        decision = decide(confirmed, Reruns("baseline", 0, tuple(rng.standard_normal(reruns))), 0.0)
        hits += decision is not None and decision.verdict is Verdict.ADOPT
    setting = f"Adopt: the best 3 of {n} that equal the baseline"
    return Rate(DECISION, Hypothesis.NULL, setting, hits, runs, DECISION, ALPHA, f"{reruns} reruns")


def _rejected(reruns: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """How often a candidate that is better by just the margin is rejected."""
    hits = 0
    for _ in range(runs):
        candidate = Reruns("candidate", 0, tuple(rng.standard_normal(reruns) - 1.0))
        decision = decide([candidate], Reruns("baseline", 0, tuple(rng.standard_normal(reruns))), 1.0)
        hits += decision is not None and decision.verdict is Verdict.REJECT
    return Rate(
        DECISION, Hypothesis.NULL, "Reject: better by just the margin", hits, runs, DECISION, ALPHA, f"{reruns} reruns"
    )


def _by_selection(n: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """What this rule is for: the score that selected is held against five reruns of the baseline, as if it were one run
    like any other, at the same level.
    """
    hits = 0
    for _ in range(runs):
        lead = rng.standard_normal(5).mean() - rng.standard_normal(n).min()
        hits += bool(lead > stats.norm.ppf(1 - ALPHA) * math.sqrt(1 + 1 / 5))
    setting = f"not what is done: the best score of {n} against a baseline that is as good"
    return Rate(VARIANCE, Hypothesis.EDGE, setting, hits, runs, DECISION)


def _beats_chance(lead: float, reruns: int, runs: int, rng: numpy.random.Generator) -> Rate:
    """How often a baseline that is better than guessing by ``lead`` passes for one that learned something (rule 7)."""
    hits = sum(beats(list(rng.standard_normal(reruns)), lead) for _ in range(runs))
    hypothesis = Hypothesis.ALTERNATIVE if lead else Hypothesis.NULL
    setting = f"passes: better than chance by {lead:g} s_r" if lead else "passes: no better than chance"
    return Rate(BASELINE, hypothesis, setting, hits, runs, "study", column=f"{reruns} reruns")


def draw(folder: Path) -> None:
    """The power curve; and by how much a selecting score flatters."""
    drawing, axes = figure(1)
    leads = numpy.linspace(0.0, 3.5, 36)
    for reruns, colour in zip(REPEATS, (ORANGE, BLUE, GREEN), strict=True):
        axes[0].plot(leads, [power(lead, reruns, 3) for lead in leads], color=colour, label=f"{reruns} reruns")
    axes[0].axhline(0.8, color=GREY, lw=1, ls="--")
    axes[0].axvline(2.0, color=GREY, lw=1, ls="--")
    axes[0].set(xlabel="true difference, in s_r", ylabel="chance of Adopt", ylim=(0, 1.02))
    axes[0].legend()
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
