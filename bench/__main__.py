"""``python -m bench``: measure the operator and ``study run``, and print what they cost against bare loops."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench import report, sampling
from bench.local_run import Overhead, digits_study, fixed_study, overhead
from bench.machine import describe
from bench.measurement import Measurement
from bench.plan import DEFAULT, FULL, QUICK, run_first_jobs, run_releases, sequence

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


@click.group(invoke_without_command=True, context_settings={"max_content_width": 100})
@click.option("--quick", is_flag=True, help="A smoke run: few trials, each contender once.")
@click.option("--full", is_flag=True, help="Also 1,000 trials, 64 at a time, under the stock controller manager.")
@click.pass_context
def main(context: click.Context, quick: bool, full: bool) -> None:
    """Measure everything, or one part. Results also go to bench/results."""
    context.obj = book = Book()
    context.ensure_object(Book)
    context.meta["quick"], context.meta["full"] = quick, full
    book.enter("machine", described := describe(PROGRAMS), report.machine(described))
    if context.invoked_subcommand is None:
        for part in (cluster, local, samples):
            context.invoke(part)
    context.call_on_close(book.close)


@main.command()
@click.pass_context
def cluster(context: click.Context) -> None:
    """The operator against a bare asyncio loop, on a real API server."""
    book, quick = context.find_object(Book), context.meta["quick"]
    assert book is not None
    groups = QUICK if quick else FULL if context.meta["full"] else DEFAULT
    book.tell("the time to a study's first Job")
    seconds = run_first_jobs(5 if quick else 20)
    book.enter("first job", seconds, report.first_job(seconds))
    trials = 20 if quick else 200
    book.tell("the writes that remove a study's Jobs")
    released: Counter[str] = run_releases(trials)
    measured: list[Measurement] = sequence(groups, book.tell)
    book.enter("measurements", [asdict(each) for each in measured], report.rates(measured))
    book.enter("refills", None, report.refills(measured))
    book.enter("released", {"trials": trials, **released}, report.writes(measured, released, trials))


@main.command()
@click.pass_context
def local(context: click.Context) -> None:
    """`study run` against a bare pool of processes."""
    book, quick = context.find_object(Book), context.meta["quick"]
    assert book is not None
    found: list[Overhead] = []
    for manifest in (fixed_study(4 if quick else 32), digits_study(2 if quick else 24)):
        book.tell(f"study run with the {manifest['metadata']['name']} trainer")
        found.append(overhead(manifest))
    book.enter("study run", [asdict(each) for each in found], report.overheads(found))


@main.command("sampling")
@click.pass_context
def samples(context: click.Context) -> None:
    """What the sampler is worth, by simulation."""
    book, quick = context.find_object(Book), context.meta["quick"]
    assert book is not None
    book.tell("the sampler, by simulation")
    lines = list(sampling.report(200, 10) if quick else sampling.report())
    book.enter("sampling", lines, lines)


if __name__ == "__main__":
    main()
