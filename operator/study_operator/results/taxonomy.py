"""What came of a trial: the failure taxonomy of the tuning playbook.

Three kinds of bad ends are told apart, because they mean different things. An infeasible trial (the training diverged,
or did not fit into memory) is a result about its parameters. An infrastructure failure says nothing of them: the same
point runs again. Any other failure is the trainer's. The exit code alone is never believed: handlers of SIGTERM exit
with 0, so success needs an objective.
"""

from __future__ import annotations

import difflib
import math
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from study_operator.results.objective import Objective, objective_of
from study_operator.results.sentences import sentence
from study_operator.results.trial import Checkpoint, MetricSummary, Sample, TrialState, TrialStatus

EXIT_DIVERGED = 65
"""The trainer's exit code for a training that diverged."""
EXIT_OUT_OF_MEMORY = 66
"""The trainer's exit code for parameters that need more accelerator or host memory than there is."""

COMPLETED = "Completed"
NO_RESULT = "NoResult"
DIVERGED = "Diverged"
CONSTRAINT = "Constraint"
INFRASTRUCTURE = "Infrastructure"
ERROR = "Error"
DEADLINE_EXCEEDED = "DeadlineExceeded"
OUT_OF_MEMORY = "OutOfMemory"


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, in its backend's words.

    ``exit_code`` is None where no process was seen to end. ``disrupted``: the cluster ended it (evicted, preempted,
    node lost, vanished). ``out_of_memory``: the kernel killed it for its memory.
    """

    exit_code: int | None
    reason: str = ""
    message: str = ""
    disrupted: bool = False
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class RecordedMetric:
    """A metric as the trainer's record has it.

    ``final_only``: written by hand as a bare number, so nothing is known of its curve.
    """

    summary: MetricSummary
    sha256: str | None = None
    final_only: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The trainer's termination record.

    ``state`` is Succeeded, Infeasible, Failed, or None where it is left out; checkpoints best first.
    """

    state: TrialState | None = None
    reason: str = ""
    message: str = ""
    step: int | None = None
    metrics: Mapping[str, RecordedMetric] = field(default_factory=dict)
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A final state, its CamelCase reason, and a sentence for people."""

    state: TrialState
    reason: str
    message: str


def classify(end: RunEnd, record: Record | None, metrics: Mapping[str, MetricSummary], objective: Objective) -> Verdict:
    """What came of a run. ``metrics`` is everything known of its series.

    A run that was disrupted after it had exited with 0 and recorded its success has succeeded. The reason
    ``Infrastructure`` leaves it to the caller to run the trial again.
    """
    succeeded = end.exit_code == 0 and (record is None or record.state in (None, TrialState.SUCCEEDED))
    if end.disrupted and not (succeeded and record is not None):
        message = f"The cluster ended the run{_because(end.message or end.reason)}"
        return Verdict(TrialState.FAILED, INFRASTRUCTURE, sentence(message))
    if _ran_out_of_memory(end, record):
        message = f"The trial ran out of memory{_because(_words(end, record))}"
        return Verdict(TrialState.INFEASIBLE, CONSTRAINT, sentence(message))
    if end.exit_code == EXIT_DIVERGED or _recorded(record, DIVERGED):
        return Verdict(
            TrialState.INFEASIBLE, DIVERGED, sentence(f"The training diverged{_because(_words(end, record))}")
        )
    if record is not None and record.state is TrialState.INFEASIBLE:
        message = f"The trainer found its parameters infeasible{_because(_words(end, record) or record.reason)}"
        return Verdict(TrialState.INFEASIBLE, CONSTRAINT, sentence(message))
    verdict = _judge(metrics, objective)
    if succeeded:
        return verdict
    if verdict.reason == DIVERGED:
        return replace(verdict, message=sentence(f"{verdict.message} {_failure(end, record)}"))
    reason = DEADLINE_EXCEEDED if end.reason == DEADLINE_EXCEEDED else ERROR
    return Verdict(TrialState.FAILED, reason, sentence(_failure(end, record)))


def reclassify(status: TrialStatus, objective: Objective) -> TrialStatus:
    """The status under another objective.

    Only a run that ended well is judged anew: what it reported alone decides about it.
    """
    return judged(status, objective) if _judged_by_metrics(status) else status


def judged(status: TrialStatus, objective: Objective) -> TrialStatus:
    """The status that its metrics alone give a trial, as if its run had ended well."""
    verdict = _judge(status.metrics, objective)
    return replace(
        status,
        state=verdict.state,
        reason=verdict.reason,
        message=verdict.message,
        objective=objective_of(status.metrics, objective) if verdict.state is TrialState.SUCCEEDED else None,
    )


def _judge(metrics: Mapping[str, MetricSummary], objective: Objective) -> Verdict:
    """The verdict on a run that ended well: it follows from what the trainer reported."""
    summary = metrics.get(objective.metric)
    if summary is None:
        return Verdict(TrialState.FAILED, NO_RESULT, sentence(_no_result(metrics, objective.metric)))
    if not math.isfinite(summary.final.value):
        return Verdict(TrialState.INFEASIBLE, DIVERGED, _diverged(objective.metric, summary.final))
    reached = objective_of(metrics, objective)
    assert reached is not None, "a curve that ends finite has a finite best"
    selected = f"The {objective.selection.lower()} {objective.metric} is {reached.value!r}"
    return Verdict(TrialState.SUCCEEDED, COMPLETED, sentence(selected + _at(reached)))


def _judged_by_metrics(status: TrialStatus) -> bool:
    """Whether the run ended well, so that its state followed from its metrics.

    A divergence that the trainer declared stays one under every objective; that it was the metrics which told is known
    by the message.
    """
    if status.reason in (COMPLETED, NO_RESULT):
        return True
    told = (_diverged(metric, summary.final) for metric, summary in status.metrics.items())
    return status.reason == DIVERGED and status.message in told


def _diverged(metric: str, final: Sample) -> str:
    return sentence(f"The training diverged: the last {metric} is {final.value!r}{_at(final)}")


def _no_result(metrics: Mapping[str, MetricSummary], metric: str) -> str:
    missing = f"The trainer exited with code 0 and never reported the objective {metric}"
    if not metrics:
        return (
            f"{missing}, nor any other metric: report it with the SDK, expose it as a gauge on the metrics port, "
            "or write it into the termination record"
        )
    seen = ", ".join(sorted(metrics))
    match difflib.get_close_matches(metric, metrics, n=1):
        case [near]:
            hint = f"did you mean {near}? Correct spec.objective.metric or the trainer"
        case _:
            hint = "set spec.objective.metric to one of these, or let the trainer report it"
    return f"{missing}; it reported {seen}: {hint}"


def _failure(end: RunEnd, record: Record | None) -> str:
    because = _because(_words(end, record))
    match end.exit_code:
        case None:
            return f"The run failed before its trainer ended{because or _because(end.reason)}"
        case 0:
            return f"The trainer recorded a failure{because}"
        case code if record is not None and record.state is TrialState.SUCCEEDED:
            return f"The trainer recorded its success, and then exited with code {code}{_because(end.message)}"
        case code:
            return f"The trainer exited with code {code}{_signal(code)}{because}"


def _signal(exit_code: int) -> str:
    """The signal behind a shell's exit code of 128 + signal."""
    try:
        return f" ({signal.Signals(exit_code - 128).name})"
    except ValueError:
        return ""


def _ran_out_of_memory(end: RunEnd, record: Record | None) -> bool:
    return (
        end.exit_code == EXIT_OUT_OF_MEMORY
        or end.out_of_memory
        or end.reason == "OOMKilled"
        or _recorded(record, OUT_OF_MEMORY)
    )


def _recorded(record: Record | None, reason: str) -> bool:
    return record is not None and record.state is not TrialState.SUCCEEDED and record.reason == reason


def _words(end: RunEnd, record: Record | None) -> str:
    """What the trainer said of its end, else what its backend said."""
    return (record.message if record is not None else "") or end.message


def _because(words: str) -> str:
    return f": {words}" if words.strip() else ""


def _at(sample: Sample) -> str:
    return "" if sample.step is None else f" at step {sample.step}"
