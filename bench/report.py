"""The figures as tables that can be pasted into the documentation."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bench.local_run import Overhead
from bench.measurement import JOB_LOOP, OPERATOR_RUN, POD_LOOP, SCRAPED, Cell, Measurement, Refill, quantile
from bench.plan import STOCK


def machine(description: Mapping[str, str]) -> Iterator[str]:
    yield "Measured on: " + "; ".join(f"{name} {value}" for name, value in description.items()) + "."


def first_job(seconds: Sequence[float]) -> Iterator[str]:
    yield (
        f"Study created -> its first Job created: p50 {statistics.median(seconds):.3f} s, "
        f"p95 {quantile(seconds, 0.95):.3f} s over {len(seconds)} studies."
    )


def rates(measured: Sequence[Measurement]) -> Iterator[str]:
    """Trials a second, and CPU time a trial, against the loop on Jobs."""
    rows = []
    for cell, runs in _cells(measured).items():
        loop = runs.get(JOB_LOOP) or runs[POD_LOOP]
        for name in (OPERATOR_RUN, SCRAPED):
            if name not in runs:
                continue
            run = runs[name]
            rows.append(
                (
                    *_cell(cell, name),
                    f"{loop.per_second:.1f}",
                    f"{run.per_second:.1f}",
                    f"{run.per_second / loop.per_second:.2f}",
                    f"{loop.cpu_per_trial * 1e3:.1f}",
                    f"{run.cpu_per_trial * 1e3:.1f}",
                    f"{run.cpu_per_trial / loop.cpu_per_trial:.2f}",
                    f"{run.writes_per_trial:.2f}",
                    f"{run.cost.resident_before / 2**20:.0f} -> {run.cost.resident_after / 2**20:.0f}",
                    f"{loop.load:.0f}, {run.load:.0f}",
                )
            )
    yield from table(
        (
            *_CELL,
            "loop, Jobs/s",
            "operator, trials/s",
            "ratio",
            "loop, CPU ms a Job",
            "operator, CPU ms a trial",
            "ratio",
            "operator, writes a trial",
            "operator, MiB resident",
            "load",
        ),
        rows,
    )


def refills(measured: Sequence[Measurement]) -> Iterator[str]:
    """From a trial's end to the next Job, by both ends that a trial has."""
    rows = []
    for cell, runs in _cells(measured).items():
        for name, run in runs.items():
            rows.append((*_cell(cell, ""), name, *_refill(run.after_pod), *_refill(run.after_job)))
    yield from table(
        (
            *_CELL,
            "who",
            "after the pod's end, p50 / p95 ms",
            "first tenth",
            "last tenth",
            "after the Job's Complete, p50 / p95 ms",
            "first tenth",
            "last tenth",
        ),
        rows,
    )


def writes(measured: Sequence[Measurement], released: Counter[str], released_trials: int) -> Iterator[str]:
    """The operator's writes by kind, of the largest run at full speed, with those that remove its Jobs later."""
    operators = [run for run in measured if run.contender == OPERATOR_RUN and run.cell.queries_per_second != STOCK]
    run = max(operators, key=lambda run: (run.cell.trials, -run.cell.parallelism))
    kinds = sorted(run.writes, key=lambda kind: -run.writes[kind]) + sorted(set(released) - set(run.writes))
    rows = [
        (kind, str(run.writes.get(kind, 0)), str(released[kind]), _per_trial(run, kind, released, released_trials))
        for kind in kinds
    ]
    total = run.writes_per_trial + released.total() / released_trials
    rows.append(
        ("**all**", str(sum(run.writes.values())), str(released.total()), f"**{total:.2f}**"),
    )
    header = (f"{run.cell.trials} trials, {run.cell.parallelism} at a time", "in the study")
    yield from table((*header, f"to remove {released_trials} Jobs, restart included", "a trial"), rows)


def overheads(found: Iterable[Overhead]) -> Iterator[str]:
    yield from table(
        (
            "`study run`",
            "trials",
            "at a time",
            "one trial, s",
            "bare pool, s",
            "study run, s",
            "of it before the first trial, s",
            "overhead",
            "overhead once started",
        ),
        [
            (
                f"{each.trainer} trainer",
                str(each.trials),
                str(each.parallelism),
                f"{each.trial_seconds:.2f}",
                f"{each.pool:.1f}",
                f"{each.engine:.1f}",
                f"{each.start:.1f}",
                f"{each.share:.1%}",
                f"{each.share_once_started:.1%}",
            )
            for each in found
        ],
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(header)} |"
    yield "|---" * len(header) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


_CELL = ("controller manager", "trials", "at a time")


def _cell(cell: Cell, name: str) -> tuple[str, str, str]:
    manager = "stock" if cell.queries_per_second == STOCK else f"QPS {cell.queries_per_second}"
    pods = f", pods of {cell.pod_seconds:g} s" if cell.pod_seconds else ""
    prometheus = ", with Prometheus" if name == SCRAPED else ""
    return manager + pods + prometheus, str(cell.trials), str(cell.parallelism)


def _cells(measured: Iterable[Measurement]) -> dict[Cell, dict[str, Measurement]]:
    cells: dict[Cell, dict[str, Measurement]] = {}
    for run in measured:
        cells.setdefault(run.cell, {})[run.contender] = run
    return cells


def _refill(refill: Refill) -> tuple[str, str, str]:
    pairs = (
        (refill.p50, refill.p95),
        (refill.first_tenth_p50, refill.first_tenth_p95),
        (refill.last_tenth_p50, refill.last_tenth_p95),
    )
    first, second, third = (f"{p50 * 1e3:.0f} / {p95 * 1e3:.0f}" for p50, p95 in pairs)
    return first, second, third


def _per_trial(run: Measurement, kind: str, released: Counter[str], released_trials: int) -> str:
    return f"{run.writes.get(kind, 0) / run.cell.trials + released[kind] / released_trials:.3f}"
