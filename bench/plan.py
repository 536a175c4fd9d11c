"""Which runs make up the benchmark, and how one group of them is done."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cluster import Cluster, cluster
from bench.contenders import first_jobs, release_writes, run_loop, run_operator
from bench.measurement import JOB_LOOP, OPERATOR_RUN, POD_LOOP, SCRAPED, Cell, Measurement, median
from tests.cluster.prometheus import PrometheusServer, trial_pods

STOCK, FAST = 20, 500
"""Requests a second that the controller manager may send: as it comes, and as a large cluster sets it."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Group:
    """A cell and who runs it, on one API server, ``rounds`` times."""

    cell: Cell
    contenders: tuple[str, ...]
    rounds: int = 1


PAIR = (JOB_LOOP, OPERATOR_RUN)
ALL = (JOB_LOOP, OPERATOR_RUN, POD_LOOP)

QUICK = (Group(Cell(FAST, 100, 16), ALL),)
DEFAULT = (
    Group(Cell(STOCK, 100, 16), PAIR),
    Group(Cell(STOCK, 100, 64), PAIR),
    Group(Cell(STOCK, 1000, 16), PAIR),
    Group(Cell(FAST, 100, 16), (*ALL, SCRAPED), rounds=3),
    Group(Cell(FAST, 100, 64), ALL, rounds=3),
    Group(Cell(FAST, 1000, 16), ALL),
    Group(Cell(FAST, 1000, 64), ALL),
    Group(Cell(FAST, 1000, 16, pod_seconds=1.0), (POD_LOOP, OPERATOR_RUN)),
)
FULL = (*DEFAULT[:3], Group(Cell(STOCK, 1000, 64), PAIR), *DEFAULT[3:])
"""With the one group that DEFAULT leaves out for its ten minutes: there the throttle binds, whatever is in flight."""


def run_group(group: Group, tell: Tell) -> list[Measurement]:
    """The median run of each contender. Every other round goes the other way round, so that no one is always first."""
    runs: dict[str, list[Measurement]] = {contender: [] for contender in group.contenders}
    with (
        tempfile.TemporaryDirectory() as folder,
        cluster(Path(folder) / "cluster", group.cell.queries_per_second) as at,
    ):
        for number in range(group.rounds):
            for contender in group.contenders[:: -1 if number % 2 else 1]:
                namespace = f"{contender.lower().replace(' ', '-')}-{number}"
                measurement = _run(contender, at, namespace, group.cell, Path(folder))
                tell(f"    {contender}: {measurement.per_second:.1f}/s")
                runs[contender].append(measurement)
    return [median(measured) for measured in runs.values()]


def _run(contender: str, at: Cluster, namespace: str, cell: Cell, folder: Path) -> Measurement:
    if contender == SCRAPED:
        scraped = folder / namespace
        scraped.mkdir()
        with PrometheusServer(scraped, [trial_pods(at.plane.access)]) as prometheus:
            return run_operator(at, namespace, cell, prometheus.url)
    if contender == OPERATOR_RUN:
        return run_operator(at, namespace, cell)
    return run_loop(at, namespace, cell, "pod" if contender == POD_LOOP else "job")


def run_first_jobs(studies: int) -> list[float]:
    """Seconds from a study's creation to its first Job's."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder) / "cluster", FAST) as at:
        return first_jobs(at, "first", studies)


def run_releases(trials: int) -> Counter[str]:
    """The writes that remove the Jobs of a study of so many trials."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder) / "cluster", FAST) as at:
        run_operator(at, "release", Cell(FAST, trials, 64))
        return release_writes(at, "release")


def sequence(groups: Sequence[Group], tell: Tell) -> list[Measurement]:
    """All groups, one after the other."""
    found = []
    for number, group in enumerate(groups, start=1):
        cell, begun = group.cell, time.monotonic()
        pods = f", pods of {cell.pod_seconds:g} s" if cell.pod_seconds else ""
        tell(
            f"[{number}/{len(groups)}] controller manager at {cell.queries_per_second} requests/s, "
            f"{cell.trials} trials, {cell.parallelism} at a time{pods}"
        )
        found += run_group(group, tell)
        tell(f"    {time.monotonic() - begun:.0f} s")
    return found
