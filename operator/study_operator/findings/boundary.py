"""Is the search space large enough? (rule 9)

The best trial near the end of a range may mean that better values lie outside. It may mean nothing as well: it happens
to a fifth of the hyperparameters that do not matter at all. So three things must agree. The best trial is in the outer
tenth of the range. The objective gets better towards that end over the whole range (Kendall's tau, one-sided,
infeasible trials ranked worst, after what stronger hyperparameters explain has been taken out). And it still does so
at that end, by the slope of a parabola fitted to normal scores: this costs no power, and without it an optimum well
inside, at 0.7 of the range, was taken for one outside in up to 12% of the studies, because the trend over the whole
range is real there. Without the adjustment one study in five of 16 trials in eight dimensions raised a false alarm
(design.py says why).

The significance is shared out among the ranges of all the arms (Bonferroni), so that a study with many hyperparameters
is not bound to be told of one: with eight of which one matters, false alarms per study fell from 5-20% to below 5%. The
power hardly changes, since it is the place of the best trial that limits it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy
import scipy

from study_operator.findings.design import basis_of, blocks_of, confounders, residual_of
from study_operator.findings.evidence import ArmEvidence, Axis, Evidence
from study_operator.findings.finding import Finding, Number, Severity, Subject
from study_operator.findings.instability import walls_of
from study_operator.findings.scores import normal_scores
from study_operator.findings.words import distinct
from study_operator.results.period import Floats
from study_operator.space import Hyperparameter, Kind, Range, ScaleName

OUTER = 0.1
"""The part of the unit interval at each end that is called the boundary (rules.md, rule 9)."""
SIGNIFICANCE = 0.03
"""Of the trend, before it is shared out. At 0.05 an optimum at 0.7 raised false alarms in up to 7%."""
CLEARLY = 0.5
"""Standard errors by which the slope at the end must be downwards: it costs no power, and halves the false alarms for
an optimum at 0.7."""
FEWEST = 8
"""Trials below which nothing is said of a range."""
_BELOW_ONE = (Kind.MOMENTUM, Kind.BETA1, Kind.BETA2, Kind.DROPOUT, Kind.LABEL_SMOOTHING)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 9, but for learning rates that rule 10 says are limited by instability."""
    limited = {(arm.arm.index, wall.axis.name) for arm, wall in walls_of(evidence)}
    ranges = [(arm, axis) for arm in evidence.arms for axis in arm.axes if isinstance(axis.domain, Range)]
    for arm, axis in ranges:
        side = side_of_best(arm, axis)
        if side is None or (side == "max" and (arm.arm.index, axis.name) in limited):
            continue
        scores = adjusted_scores(arm, axis)
        tau, p = trend(axis, scores, side)
        level = SIGNIFICANCE / len(ranges) / (2 if _coarse(axis) else 1)
        if p < level and _improves_at_the_end(axis, scores, side):
            yield _finding(arm, axis, side, {"tau": tau, "p": p, "level": level, "n": len(axis.rows)})


def side_of_best(arm: ArmEvidence, axis: Axis) -> str | None:
    """``min`` or ``max`` if the best trial is at that end of the range, in its outer tenth or at its last integer."""
    best = arm.best_of(axis.rows)
    if len(axis.rows) < FEWEST or best is None:
        return None
    place = axis.coordinate(best)
    lowest, highest = _ends(axis)
    if place <= max(OUTER, lowest):
        return "min"
    return "max" if place >= min(1 - OUTER, highest) else None


def trend(axis: Axis, scores: Floats, side: str) -> tuple[float, float]:
    """Kendall's tau between the way to ``side`` and getting better, and its one-sided p; ``scores`` are minimised."""
    test = scipy.stats.kendalltau(_towards(axis, side), -scores, alternative="greater")
    tau, p = float(test.statistic), float(test.pvalue)
    return (tau, p) if math.isfinite(tau) else (0.0, 1.0)


def adjusted_scores(arm: ArmEvidence, axis: Axis) -> Floats:
    """The normal scores of the trials to which the axis applies, without what stronger hyperparameters explain."""
    scores = normal_scores(arm.ranked[axis.rows])
    blocks = blocks_of(arm, axis.rows)
    own = next((block for block in blocks if block.axis is axis), None)
    if own is None:
        return scores
    return residual_of(basis_of(confounders(own, blocks, scores, aliased=1.0)), scores)


def expanded(hyperparameter: Hyperparameter, side: str) -> float | int | None:
    """The next bound of its range at ``side``: a decade further (log scales), or half the width (linear).

    A decade of a reverse-log range is one of the distance to one. Zero and one are not passed by what has them as
    natural bounds: a range that does not reach below zero stays there, a momentum stays below one. Integers are rounded
    outwards, so that two of them next to each other get a third. None where the range ends at such a bound already.
    """
    domain = hyperparameter.domain
    assert isinstance(domain, Range)
    bound = _further(domain, side)
    if side == "min" and domain.minimum >= 0:
        bound = max(bound, 1 if domain.integer and domain.minimum >= 1 else 0)
    below_one = domain.scale is not ScaleName.REVERSE_LOG and hyperparameter.kind in _BELOW_ONE
    if side == "max" and below_one and domain.maximum <= 1:
        bound = min(bound, (1 + domain.maximum) / 2)
    new = domain.rounded(bound, 6, ROUND_FLOOR if side == "min" else ROUND_CEILING)
    return None if new == (domain.minimum if side == "min" else domain.maximum) else new


def _further(domain: Range, side: str) -> float:
    """In decimals, as the bounds are written: in binary, 0.2 less half of what 0.6 is above it is not zero."""
    low, high = (Decimal(repr(float(bound))) for bound in (domain.minimum, domain.maximum))
    match domain.scale:
        case ScaleName.LOG:
            further = low / 10 if side == "min" else high * 10
        case ScaleName.REVERSE_LOG:
            further = 1 - (1 - low) * 10 if side == "min" else 1 - (1 - high) / 10
        case ScaleName.LINEAR:
            half = (high - low) / 2
            further = low - half if side == "min" else high + half
    return float(further)


def _improves_at_the_end(axis: Axis, scores: Floats, side: str) -> bool:
    """Whether the parabola through the scores still falls at the end of the range, beyond doubt of its slope."""
    towards = _towards(axis, side)
    if len(numpy.unique(towards)) < 3:
        return True
    coefficients, covariance = numpy.polyfit(towards, scores, 2, cov=True)
    slope = numpy.array([2.0, 1.0, 0.0])
    return bool(slope @ coefficients < -CLEARLY * math.sqrt(slope @ covariance @ slope))


def _towards(axis: Axis, side: str) -> Floats:
    return axis.coordinates if side == "max" else 1 - axis.coordinates


def _ends(axis: Axis) -> tuple[float, float]:
    """The coordinates of the first and the last value of an integer range; 0 and 1 of a continuous one."""
    domain = axis.domain
    assert isinstance(domain, Range)
    return (
        (domain.coordinate(int(domain.minimum)), domain.coordinate(int(domain.maximum))) if domain.integer else (0, 1)
    )


def _coarse(axis: Axis) -> bool:
    """Whether a last integer has more than the outer tenth, so that the best trial is there more often by chance."""
    lowest, highest = _ends(axis)
    return lowest > OUTER / 2 or highest < 1 - OUTER / 2


def _finding(arm: ArmEvidence, axis: Axis, side: str, numbers: dict[str, Number]) -> Finding:
    domain = axis.domain
    assert isinstance(domain, Range)
    name, old, new = axis.name, domain.minimum if side == "min" else domain.maximum, expanded(axis.hyperparameter, side)
    bounds = distinct(domain, old, *([] if new is None else [new]))
    end = "lower" if side == "min" else "upper"
    message = (
        f"The best trial is at the {end} end of {name} ({bounds[0]}), and the objective gets better towards it "
        f"(tau {numbers['tau']:.2f} over {numbers['n']} trials, p = {numbers['p']:.2g})"
    )
    subject = Subject(arm=arm.label, hyperparameter=name)
    numbers |= {"side": side, "from": old}
    if new is None:
        advice = f"Nothing lies beyond {bounds[0]}: consider to fix {name} there, and to leave out what it controls."
        return Finding("search-space-boundary", Severity.INFO, subject, f"{message}.", advice, numbers)
    return Finding(
        "search-space-boundary",
        Severity.WARNING,
        subject,
        f"{message}: better values may lie outside.",
        f"Expand the range of {name}: {side} from {' to '.join(bounds)}.",
        {**numbers, "to": new},
    )
