"""What metrics are, by the names that training code commonly gives them."""

from __future__ import annotations

import re

from study_operator.results.objective import Direction
from study_operator.results.trial import CurveDiagnostics, Trial

GRADIENT_NORM = ("gradient_norm", "grad_norm", "global_gradient_norm", "global_grad_norm", "gradient_global_norm")
"""The global norm of the gradient before it is clipped."""

WAIT_SHARE = ("data_wait_fraction", "input_wait_fraction", "data_wait_share")
WAIT_SECONDS = ("data_wait_seconds", "input_wait_seconds", "data_seconds")
STEP_SECONDS = ("step_seconds", "step_time_seconds", "seconds_per_step")
EPOCH = ("epoch", "epochs")

_SMALLER = frozenset(("loss", "error", "perplexity", "mse", "rmse", "mae", "nll", "cost", "wer", "cer", "bpc"))
_LARGER = frozenset(("accuracy", "acc", "auc", "f1", "bleu", "rouge", "precision", "recall", "map", "ndcg", "iou"))
_NEVER_NEGATIVE = frozenset(("error", "perplexity", "mse", "rmse", "mae", "wer", "cer"))
_AT_MOST_ONE = _LARGER - {"bleu", "rouge"}


def better(metric: str) -> Direction | None:
    """In which direction the metric gets better; None where its name does not tell."""
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    if bool(words & _SMALLER) == bool(words & _LARGER):
        return None
    return Direction.MINIMIZE if words & _SMALLER else Direction.MAXIMIZE


def best_possible(metric: str, direction: Direction) -> float | None:
    """What the metric cannot be better than, by its name: 0 for an error, 1 for an accuracy; None for most."""
    words = set(re.split(r"[^a-z0-9]+", metric.lower()))
    if better(metric) is not direction:
        return None
    return 0.0 if words & _NEVER_NEGATIVE else 1.0 if words & _AT_MOST_ONE else None


def first_known(trial: Trial, names: tuple[str, ...]) -> CurveDiagnostics | None:
    """The diagnostics of the first of the metrics ``names`` that the trial has."""
    diagnostics = trial.status.diagnostics
    return next((diagnostics[name] for name in names if name in diagnostics), None)


def wait_share(trial: Trial) -> float | None:
    """The share of a step that the trainer waits for its data; None where it does not tell."""
    share = first_known(trial, WAIT_SHARE)
    if share is not None:
        return share.median
    waiting, step = first_known(trial, WAIT_SECONDS), first_known(trial, STEP_SECONDS)
    return waiting.median / step.median if waiting is not None and step is not None and step.median > 0 else None


def epoch_length(trial: Trial) -> float | None:
    """Steps in an epoch, of a trial that reports the epoch beside the step."""
    for name in EPOCH:
        summary = trial.status.metrics.get(name)
        if summary is None or summary.minimum is None or summary.maximum is None:
            continue
        first, last = summary.minimum, summary.maximum
        if first.step is not None and last.step is not None and last.value > first.value:
            return (last.step - first.step) / (last.value - first.value)
    return None
