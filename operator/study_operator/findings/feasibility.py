"""Infeasible trials (rule 8).

An infeasible trial is a result: it says where training does not work. If most of a space is infeasible the budget went
into nothing, so the space wants another shape. Where one hyperparameter tells the failures from the rest, its range is
to be trimmed; where none does, the space is not to blame and a bug is likely.

What predicts failure is measured by the area under the ROC curve, which knows no scale and no threshold. Among a few
failures something always looks like a cause, so a trim needs a Mann-Whitney test as well, with Holm's correction over
all the hyperparameters of all the arms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR

import numpy
import scipy

from study_operator.findings.evidence import ArmEvidence, Axis, Evidence, Flags
from study_operator.findings.finding import Finding, Number, Severity, Subject
from study_operator.findings.instability import walls_of
from study_operator.findings.multiplicity import holm
from study_operator.findings.words import distinct, percent
from study_operator.results.taxonomy import DIVERGED
from study_operator.results.trial import TrialState
from study_operator.scalar import Scalar, identity
from study_operator.space import Choices, Range, parameter_text

MOST = 0.5
"""Infeasible share that a space should stay below (rules.md, rule 8)."""
WORTH_TRIMMING = 0.1
"""Infeasible share from which trimming a range saves something."""
UNPREDICTABLE, PREDICTABLE = 0.65, 0.9
"""AUC below which a hyperparameter does not predict failure, and above which it does (rules.md, rule 8)."""
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Separation:
    """How well a hyperparameter tells infeasible trials from feasible ones.

    ``auc`` >= 0.5; ``p`` of the two-sided test; ``side`` is the end of the range at which trials fail (``min`` or
    ``max``), or empty where it is the ``choice``.
    """

    axis: Axis
    auc: float
    p: float
    side: str
    choice: Scalar | None = None


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rule 8. A learning rate that rule 10 is about is not trimmed: its wall can be moved."""
    limited = {(arm.arm.index, wall.axis.name) for arm, wall in walls_of(evidence)}
    separations = [(arm, separation) for arm in evidence.arms for separation in separations_of(arm)]
    corrected = holm([separation.p for _, separation in separations])
    for arm in evidence.arms:
        own = [separation for other, separation in separations if other is arm]
        yield from _reshape(arm, own)
    for (arm, separation), p in zip(separations, corrected, strict=True):
        if (arm.arm.index, separation.axis.name) not in limited:
            yield from _trim(arm, separation, p)


def separations_of(arm: ArmEvidence) -> list[Separation]:
    """The separation by each hyperparameter, of those that have infeasible and feasible trials."""
    separations = []
    for axis in arm.axes:
        infeasible = arm.infeasible[axis.rows]
        if infeasible.any() and not infeasible.all():
            by = _by_choice if isinstance(axis.domain, Choices) else _by_place
            separations.append(by(axis, infeasible))
    return separations


def infeasible_share(arm: ArmEvidence) -> tuple[float, float]:
    """The 95% Wilson interval of the infeasible share; (0, 1) without trials."""
    if not arm.trials:
        return 0.0, 1.0
    count = int(numpy.count_nonzero(arm.infeasible))
    interval = scipy.stats.binomtest(count, len(arm.trials)).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _by_place(axis: Axis, infeasible: Flags) -> Separation:
    bad, good = axis.coordinates[infeasible], axis.coordinates[~infeasible]
    test = scipy.stats.mannwhitneyu(bad, good, alternative="two-sided")
    auc = float(test.statistic) / (len(bad) * len(good))
    return Separation(axis, max(auc, 1 - auc), float(test.pvalue), "max" if auc >= 0.5 else "min")


def _by_choice(axis: Axis, infeasible: Flags) -> Separation:
    """The choice that stands out most, against all others; the test is corrected for the choice among choices."""
    assert isinstance(axis.domain, Choices)
    places = numpy.floor(axis.coordinates * len(axis.domain.values)).astype(int)
    counts = [numpy.bincount(places[rows], minlength=len(axis.domain.values)) for rows in (infeasible, ~infeasible)]
    bad, good = (count / count.sum() for count in counts)
    worst = int(numpy.argmax(bad - good))
    table = numpy.array([[count[worst], count.sum() - count[worst]] for count in counts])
    p = float(scipy.stats.fisher_exact(table, alternative="greater").pvalue) * len(bad)
    auc = 0.5 + float(bad[worst] - good[worst]) / 2
    return Separation(axis, auc, min(p, 1.0), "", axis.domain.values[worst])


def _reshape(arm: ArmEvidence, separations: Sequence[Separation]) -> Iterator[Finding]:
    low, _ = infeasible_share(arm)
    if low <= MOST:
        return
    count, n = int(numpy.count_nonzero(arm.infeasible)), len(arm.trials)
    best = max(separations, key=lambda separation: separation.auc, default=None)
    numbers: dict[str, Number] = {"infeasible": count, "n": n, "lower_bound": low, "threshold": MOST}
    numbers |= _reasons(arm)
    if best is None:
        advice = (
            "Not one trial worked: look for a bug, or begin from a configuration that is known to train, and draw the "
            "ranges around it."
        )
    else:
        numbers |= {"auc": best.auc, "hyperparameter": best.axis.name}
        advice = _cause(best)
    yield Finding(
        "infeasible-trials",
        Severity.WARNING,
        Subject(arm=arm.label),
        f"{count} of {n} trials are infeasible; with 95% confidence more than {percent(low)} of the search space is.",
        advice,
        numbers,
    )


def _reasons(arm: ArmEvidence) -> Counter[str]:
    """How many of the infeasible trials failed for which reason; what no trainer called so counts as diverged."""
    return Counter(
        trial.status.reason if trial.status.state is TrialState.INFEASIBLE and trial.status.reason else DIVERGED
        for trial, infeasible in zip(arm.trials, arm.infeasible, strict=True)
        if infeasible
    )


def _cause(best: Separation) -> str:
    if best.auc < UNPREDICTABLE:
        return (
            "No hyperparameter predicts which trials fail: suspect a bug or a limit that has nothing to do with the "
            "space. Read the logs of a few of them before you change the ranges."
        )
    if best.auc > PREDICTABLE:
        return f"Reshape the space: {best.axis.name} tells the trials that fail from the others."
    return (
        f"Reshape the space: {best.axis.name} predicts failure best (AUC {best.auc:.2f}), though not alone; look at "
        "the axis plots with the infeasible trials marked."
    )


def _trim(arm: ArmEvidence, separation: Separation, p: float) -> Iterator[Finding]:
    low, _ = infeasible_share(arm)
    infeasible = arm.infeasible[separation.axis.rows]
    share = float(numpy.mean(infeasible))
    if separation.auc <= PREDICTABLE or p >= SIGNIFICANCE or share < WORTH_TRIMMING:
        return
    severity = Severity.WARNING if low > MOST else Severity.INFO
    name = separation.axis.name
    subject = Subject(arm=arm.label, hyperparameter=name)
    numbers: dict[str, Number] = {
        "auc": separation.auc,
        "p": p,
        "infeasible": int(infeasible.sum()),
        "n": len(infeasible),
    }
    if separation.choice is not None:
        best = arm.best_of(separation.axis.rows)
        assert best is not None, "a separation has feasible trials"
        if identity(arm.trials[best].spec.parameters[name]) == identity(separation.choice):
            return
        choice = parameter_text(separation.choice)
        message = f"Trials with {name}={choice} are the infeasible ones (AUC {separation.auc:.2f})."
        advice = f"Leave {choice} out of the choices of {name}."
        yield Finding("infeasible-trials", severity, subject, message, advice, {**numbers, "choice": choice})
        return
    domain = separation.axis.domain
    assert isinstance(domain, Range)
    bound = trimmed(arm, separation)
    if bound is None:
        return
    end = "above" if separation.side == "max" else "below"
    old = domain.maximum if separation.side == "max" else domain.minimum
    bounds = distinct(domain, old, bound)
    yield Finding(
        "infeasible-trials",
        severity,
        subject,
        f"{percent(share)} of the trials are infeasible, nearly all of them {end} {name} = {bounds[1]} "
        f"(AUC {separation.auc:.2f}).",
        f"Trim the range of {name}: {separation.side} from {' to '.join(bounds)}.",
        {**numbers, "side": separation.side, "from": old, "to": bound},
    )


def trimmed(arm: ArmEvidence, separation: Separation) -> float | int | None:
    """Where a range is to end so that it leaves most infeasible trials out.

    It is the cut with the largest difference between the shares of infeasible and feasible trials beyond it (Youden's
    J), but never one that loses the best trial; None where that leaves nothing to trim. It is rounded away from the
    best trial, to two significant digits or to as many as still move the bound.
    """
    axis = separation.axis
    upper = separation.side == "max"
    places = axis.coordinates if upper else 1 - axis.coordinates
    order = numpy.argsort(places, kind="stable")
    sorted_places, infeasible = places[order], arm.infeasible[axis.rows][order]
    beyond_bad = numpy.cumsum(infeasible[::-1])[::-1] / infeasible.sum()
    beyond_good = numpy.cumsum(~infeasible[::-1])[::-1] / (~infeasible).sum()
    youden = numpy.where(infeasible, beyond_bad - beyond_good, -1.0)
    best = arm.best_of(axis.rows)
    assert best is not None, "a separation has feasible trials"
    youden[sorted_places <= places[numpy.searchsorted(axis.rows, best)]] = -1.0
    first = int(numpy.argmax(youden))
    if youden[first] <= 0:
        return None
    cut = float(sorted_places[first] + sorted_places[first - 1]) / 2
    domain = axis.domain
    assert isinstance(domain, Range)
    value, rounding = domain.value(cut if upper else 1 - cut), ROUND_CEILING if upper else ROUND_FLOOR
    bounds = (domain.rounded(value, digits, rounding) for digits in range(2, 18))
    return next((bound for bound in bounds if domain.minimum < bound < domain.maximum), None)
