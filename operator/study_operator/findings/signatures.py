"""Signatures of bugs and bottlenecks in what a trainer reports (rules 17, 18, 31 and 33).

They are those of the training program, not of a configuration: so most are told once a study, and of what most of the
trials show. Metrics that the study does not describe are known by the names that training code commonly gives them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from study_operator.findings.evidence import ArmEvidence, Evidence
from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.metric_names import GRADIENT_NORM, better, epoch_length, first_known, wait_share
from study_operator.findings.overfitting import SIGNIFICANCE, worsens
from study_operator.findings.training_curves import AGREEING, BEST, BestCurve, best_curves, names, shared, within
from study_operator.findings.words import percent, short
from study_operator.results.trial import Period, Trial, TrialState
from study_operator.scalar import is_number
from study_operator.space import Kind

PERIOD_SIGNIFICANCE = 0.01
PERIOD_SHARE = 0.2
"""Of the late variance, that the phase must explain: in a long curve the smallest period is significant."""
SAME_PERIOD = 0.1

UNEVEN = 0.1
"""Spread of the gaps, in medians. Evaluations every so many steps have none."""

CLIPPED = 0.5
WAITING = 0.1

REPEATED = 0.1
"""Share of the points that repeat a step."""


def find(evidence: Evidence) -> Iterator[Finding]:
    """Findings of rules 17, 18, 31 and 33."""
    significance = shared(SIGNIFICANCE, len(evidence.arms))
    for arm in evidence.arms:
        for metric in evidence.training_metrics:
            yield from _rising_training_loss(arm, metric, significance)
        yield from _clipping(arm)
    yield from _period(evidence)
    succeeded = [trial for arm in evidence.arms for trial in arm.trials if trial.status.state is TrialState.SUCCEEDED]
    yield from _uneven(evidence.objective.metric, succeeded)
    yield from _repeated(evidence.objective.metric, succeeded)
    yield from _waiting(succeeded)


def _rising_training_loss(arm: ArmEvidence, metric: str, significance: float) -> Iterator[Finding]:
    direction = better(metric)
    if direction is None:
        return
    curves = best_curves(arm, metric, direction)
    rising = [curve for curve in curves if worsens(curve, significance)]
    if len(rising) < AGREEING:
        return
    first = rising[0]
    after = first.after_best
    assert after is not None, "a curve that worsens has a trend"
    yield Finding(
        "training-loss-rising",
        Severity.WARNING,
        Subject(arm=arm.label, trial=first.name),
        f"{within(arm)} unlearn: {metric} of {names(rising)} gets worse in the course of the training, "
        f"by {short(abs(after.change))} in {first.name}.",
        "Suspect a bug before anything else: a learning rate that does not decay, data that change their order or kind "
        "on the way, an optimizer's state that is reset.",
        {"trials": len(curves), "rising": len(rising), "rise": abs(after.change)},
        step=None if first.best.step is None else first.step(first.best.step),
    )


def _period(evidence: Evidence) -> Iterator[Finding]:
    """The objective's and the validation metrics' period, where two of the study's best trials have the same."""
    metrics = dict.fromkeys((evidence.objective.metric, *evidence.validation_metrics))
    for metric in metrics:
        curves = [curve for arm in evidence.arms for curve in best_curves(arm, metric, evidence.objective.direction)]
        periodic = [(curve, period) for curve in curves if (period := _clear_period(curve)) is not None]
        for first, period in periodic:
            same = [curve for curve, other in periodic if _same(period.steps, other.steps)]
            if len(same) >= AGREEING and 2 * len(same) > len(curves):
                yield _period_finding(metric, first, period, same)
                return


def _period_finding(metric: str, first: BestCurve, period: Period, same: list[BestCurve]) -> Finding:
    epoch = epoch_length(first.trial)
    known = epoch is not None and _same(period.steps, epoch)
    unit = "steps" if first.step(period.steps) is not None else "evaluations"
    return Finding(
        "epoch-period",
        Severity.WARNING,
        Subject(trial=first.name),
        f"{metric} has a period of {period.steps} {unit}{', the length of an epoch,' if known else ''} in "
        f"{names(same)}: it explains {percent(period.share)} of the late variance.",
        "Shuffle the training examples anew in every epoch, and look at what happens at its end"
        f"{'' if known else ', if that is the length of an epoch'}: the last, smaller batch, a reset of the iterator.",
        {"period": period.steps, "p": period.p, "share": period.share, "trials": len(same)},
        step=None if first.late is None else first.step(first.late.step),
    )


def _clear_period(curve: BestCurve) -> Period | None:
    period = curve.diagnostics.period
    clear = period is not None and period.p < PERIOD_SIGNIFICANCE and period.share >= PERIOD_SHARE
    return period if clear else None


def _same(steps: float, others: float) -> bool:
    return abs(steps - others) <= SAME_PERIOD * max(steps, others)


def _uneven(metric: str, trials: list[Trial]) -> Iterator[Finding]:
    known = [trial for trial in trials if metric in trial.status.diagnostics]
    spreads = [trial.status.diagnostics[metric].gap_spread for trial in known]
    uneven = [spread for spread in spreads if spread > UNEVEN]
    if 2 * len(uneven) > len(known):
        yield Finding(
            "uneven-evaluations",
            Severity.INFO,
            Subject(),
            f"The steps between two evaluations of {metric} vary by {percent(statistics.median(uneven))} in "
            f"{len(uneven)} of {len(known)} trials.",
            "Evaluate every so many steps, not by the clock: otherwise a trial on a slow node has fewer chances of a "
            "good evaluation than the same on a fast one.",
            {"spread": statistics.median(uneven), "limit": UNEVEN, "trials": len(known), "uneven": len(uneven)},
        )


def _clipping(arm: ArmEvidence) -> Iterator[Finding]:
    clipped = []
    known = [arm.trials[row] for row in arm.order[:BEST].tolist()]
    for trial in known:
        found, threshold = first_known(trial, GRADIENT_NORM), clipping_threshold(arm, trial)
        if found is not None and threshold is not None and found.median > threshold:
            clipped.append((trial, threshold, found))
    if len(clipped) < AGREEING:
        return
    trial, threshold, norm = clipped[0]
    yield Finding(
        "gradient-clipping",
        Severity.WARNING,
        Subject(arm=arm.label, trial=trial.spec.name),
        f"{within(arm)} clip most of their updates: the gradient's norm has the median {short(norm.median)} in "
        f"{trial.spec.name}, and is clipped at {short(threshold)}.",
        "That is a smaller learning rate in disguise: lower the learning rate instead, and clip at the 90th percentile "
        f"of the norm, {short(norm.p90)}, which leaves ordinary updates alone.",
        {"median": norm.median, "p90": norm.p90, "threshold": threshold, "limit": CLIPPED, "trials": len(clipped)},
    )


def clipping_threshold(arm: ArmEvidence, trial: Trial) -> float | None:
    """The value of the trial's gradient clipping; None where it has none, or it is off (zero or less)."""
    for definition in arm.space.hyperparameters(arm.arm.index):
        value = trial.spec.parameters.get(definition.name)
        if definition.kind is Kind.GRADIENT_CLIPPING and is_number(value):
            return float(value) if value > 0 else None
    return None


def _waiting(trials: list[Trial]) -> Iterator[Finding]:
    shares = [share for trial in trials if (share := wait_share(trial)) is not None]
    if shares and (median := statistics.median(shares)) > WAITING:
        yield Finding(
            "input-bound",
            Severity.WARNING,
            Subject(),
            f"The trainer waits for its data during {percent(median)} of a step (median of {len(shares)} trials).",
            "Load and preprocess in parallel and ahead of need, cache what does not change, or decode once and for "
            "all: the accelerator idles as long.",
            {"waiting": median, "limit": WAITING, "trials": len(shares)},
        )


def _repeated(metric: str, trials: list[Trial]) -> Iterator[Finding]:
    known = [trial.status.diagnostics[metric] for trial in trials if metric in trial.status.diagnostics]
    repeating = [
        found for found in known if found.repeated_steps > REPEATED * (found.repeated_steps + found.evaluations)
    ]
    if 2 * len(repeating) > len(known):
        yield Finding(
            "batch-norm-hosts",
            Severity.WARNING,
            Subject(),
            f"In {len(repeating)} of {len(known)} trials {metric} was reported more than once for the same steps: more "
            "than one process seems to report.",
            "Let one rank report, on the whole validation set. And hold against each other: all ranks initialise from "
            "one seed, shuffle their data by different ones, and agree on the statistics of batch normalisation before "
            "they evaluate.",
            {"trials": len(known), "repeating": len(repeating)},
        )
