"""``python -m bench``: measure the operator and ``study run``, and print what they cost against bare loops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench import report, sampling
from bench.local_run import Overhead, digits_study, fixed_study, overhead
from bench.machine import describe
from bench.plan import DEFAULT, FULL, QUICK, STOCK, Group, run_first_jobs, run_releases, sequence

RESULTS = Path(__file__).parent / "results"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "prometheus")


class Book:
    """Prints lines as they come, and keeps them and the figures behind them."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._lines: list[str] = []
        self._figures: dict[str, Any] = {}

    def tell(self, line: str) -> None:
        """Progress: printed, not kept."""
        click.echo(f"{time.monotonic() - self._begun:6.0f} s  {line}")

    def enter(self, name: str, figures: object, lines: Iterable[str]) -> None:
        """A result: printed and kept."""
        self._figures[name] = figures
        kept = [*lines, ""]
        self._lines += kept
        click.echo("\n" + "\n".join(kept))

    def close(self) -> None:
        """Write both to the results folder."""
        RESULTS.mkdir(exist_ok=True)
        stem = RESULTS / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        stem.with_suffix(".json").write_text(json.dumps(self._figures, indent=1, default=str) + "\n")
        stem.with_suffix(".md").write_text("\n".join(self._lines))
        self.tell(f"written: {stem}.json and .md")


@click.command(context_settings={"max_content_width": 100})
@click.argument("parts", nargs=-1, type=click.Choice(["cluster", "local", "sampling"]))
@click.option("--quick", is_flag=True, help="A smoke run: few trials, each contender once.")
@click.option("--full", is_flag=True, help="Also 1,000 trials, 64 at a time, under the stock controller manager.")
@click.option(
    "--skip-stock", is_flag=True, help="Leave out the stock controller manager, which takes most of the time."
)
def main(parts: tuple[str, ...], quick: bool, full: bool, skip_stock: bool) -> None:
    """Measure PARTS, by default all: `cluster`, the operator against a bare asyncio loop on a real API server; `local`,
    `study run` against a bare pool of processes; `sampling`, what the sampler is worth.

    Results also go to bench/results.
    """
    book = Book()
    described = describe(PROGRAMS)
    book.enter("machine", described, report.machine(described))
    parts = parts or ("cluster", "local", "sampling")
    if "cluster" in parts:
        groups: Sequence[Group] = QUICK if quick else FULL if full else DEFAULT
        kept = [group for group in groups if not (skip_stock and group.cell.queries_per_second == STOCK)]
        on_a_cluster(book, kept, studies=5 if quick else 20, releases=20 if quick else 200)
    if "local" in parts:
        studies = [fixed_study(4), digits_study(2)] if quick else [fixed_study(32), digits_study(12)]
        on_this_machine(book, studies, rounds=1 if quick else 3)
    if "sampling" in parts:
        book.tell("the sampler, by simulation")
        lines = list(sampling.report(200, 10) if quick else sampling.report())
        book.enter("sampling", lines, lines)
    book.close()


def on_a_cluster(book: Book, groups: Sequence[Group], studies: int, releases: int) -> None:
    """``studies`` are created one by one for the time to their first Job; ``releases`` Jobs are removed."""
    book.tell("the time to a study's first Job")
    seconds = run_first_jobs(studies)
    book.enter("first job", seconds, report.first_job(seconds))
    book.tell("the writes that remove a study's Jobs")
    released = run_releases(releases)
    measured = sequence(groups, book.tell)
    figures = [asdict(each) for each in measured]
    book.enter("measurements", figures, [*report.rates(measured), "", *report.refills(measured)])
    book.enter("released", {"trials": releases, **released}, report.writes(measured, released, releases))


def on_this_machine(book: Book, studies: Sequence[Mapping[str, Any]], rounds: int) -> None:
    """Each of the studies by the engine, then by the bare pool."""
    found: list[Overhead] = []
    for manifest in studies:
        book.tell(f"study run with the {manifest['metadata']['name']} trainer")
        found.append(overhead(manifest, rounds))
    book.enter("study run", [asdict(each) for each in found], report.overheads(found))


if __name__ == "__main__":
    main()
