"""``study run``: a study on this machine, from its manifest to its ranked result."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import shlex
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from rich.console import Console

from study_operator.backends.local import LocalBackend
from study_operator.backends.port import Gone
from study_operator.cli.engine import Engine, Outcome
from study_operator.cli.failure import ExitCode, Failure
from study_operator.cli.opening import STUDIES, Given, Opened, open_study, read_given
from study_operator.cli.output import Output
from study_operator.cli.progress import Progress
from study_operator.cli.reproduce import local_command
from study_operator.cli.table import arms_table, ranking_table
from study_operator.cli.views import LiveView, PlainView, View

ATTEMPTS = "study_operator.controller.actions"
"""It warns of each attempt in vain. A person is told of their cause, once, by what the study announces."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--folder", type=click.Path(path_type=Path), help="Where the study lives.  [default: studies/NAME]")
@click.option(
    "--parallelism", type=click.IntRange(1, 1000), metavar="N", help="Instead of the manifest's budget.parallelism."
)
@click.option("--plain", is_flag=True, help="Lines instead of the live table, also on a terminal.")
@click.pass_context
def run(context: click.Context, file: Path, folder: Path | None, parallelism: int | None, plain: bool) -> None:
    """Run the Study manifest FILE on this machine, or resume it.

    Trials run as processes of the template's container command, in the present folder. Everything is kept in a folder
    of the study's own; the same command goes on where it was, after an interrupt, a crash or a changed budget.

    Ctrl-C lets the running trials finish and stops; a second Ctrl-C stops them too.
    """
    given = read_given(file, parallelism, os.environ, Path.cwd())
    path = folder or STUDIES / given.manifest["metadata"]["name"]
    opened = open_study(given, path, datetime.now(UTC), uuid4)
    console = Output()
    view = _view(console, opened, live=console.draws and not plain)
    logging.basicConfig(level=logging.WARNING, handlers=[_ToView(view)], force=True)
    logging.getLogger(ATTEMPTS).setLevel(logging.ERROR)
    try:
        _introduce(view, given, opened)
        gc.freeze()  # what was imported lives as long as the process, and searching it for garbage would stall refills
        with view:
            outcome, status = asyncio.run(_engine(opened, view))
    except Gone as gone:
        raise Failure(f"the study's folder went away: {gone}") from gone
    finally:
        opened.lock.release()
    context.exit(_conclude(console, file, folder, opened, outcome, status))


async def _engine(opened: Opened, view: View) -> tuple[Outcome, Mapping[str, Any]]:
    engine = Engine(
        opened.study,
        opened.trials,
        view,
        lambda witness: LocalBackend(
            opened.folder,
            witness,
            clock=time.time,
            random=random.Random(),
            environ=os.environ,
            cwd=Path.cwd(),
        ),
    )
    return await engine.run(), engine.status


def _view(console: Console, opened: Opened, *, live: bool) -> View:
    budget = opened.study.spec.budget
    progress = Progress(budget.trials, budget.parallelism, opened.trials)
    if live:
        return LiveView(console, progress, opened.study.metadata.name, lambda: datetime.now(UTC))
    return PlainView(console, progress)


def _introduce(view: View, given: Given, opened: Opened) -> None:
    """What a person should know before the first trial."""
    name, path = opened.study.metadata.name, opened.folder.path
    ended = sum(trial.status.state.final for trial in opened.trials)
    begun = f"resumed, {ended} of {opened.study.spec.budget.trials} trials ended" if opened.trials else "begun"
    view.note(f"Study {name} in {path}: {begun}.")
    for line in given.warnings:
        view.note(line)
    if given.template.unhonoured:
        fields = "\n".join(f"  {field}" for field in given.template.unhonoured)
        view.note(f"Warning: a run on this machine cannot honour these fields, and goes on without them:\n{fields}")


def _conclude(
    console: Console,
    file: Path,
    folder: Path | None,
    opened: Opened,
    outcome: Outcome,
    status: Mapping[str, Any],
) -> ExitCode:
    """The result in words, and the exit code that says the same."""
    again = shlex.join(["study", "run", str(file), *(["--folder", str(folder)] if folder else [])])
    _tell_result(console, opened, status, again)
    match outcome:
        case Outcome.FINISHED:
            code = ExitCode.DONE if status.get("best") else ExitCode.NO_RESULT
        case Outcome.STALLED:
            stalled = next(c for c in status["conditions"] if c["type"] == "Stalled")
            _print(console, f"The study is stalled, {stalled['reason']}: {stalled['message']}")
            code = ExitCode.NO_RESULT
        case Outcome.SUSPENDED:
            _print(console, "spec.suspend is true, so no trial is started. Set it to false to go on.")
            code = ExitCode.DONE
        case Outcome.DRAINED | Outcome.STOPPED:
            _print(console, f"Interrupted at {status.get('progress', 'its beginning')}. To go on: {again}")
            code = ExitCode.INTERRUPTED
    return code


def _tell_result(console: Console, opened: Opened, status: Mapping[str, Any], again: str) -> None:
    best = status.get("best")
    if best is None:
        _print(console, f"No trial has a result yet. The study is in {opened.folder.path}")
        return
    console.print()
    console.print(arms_table(status))
    console.print()
    console.print(ranking_table(status))
    console.print()
    objective = status["objective"]
    at = f" at step {best['step']}" if "step" in best else ""
    _print(console, f"Best: {best['trial']}, {objective['metric']} {best['objective']}{at}")
    for name, value in best["parameters"].items():
        _print(console, f"  {name} = {value}")
    if "checkpoint" in best:
        _print(console, f"  checkpoint: {best['checkpoint']}")
    trial = next(t for t in opened.folder.trials() if t.spec.name == best["trial"])
    _print(console, "To compute it again by hand:")
    _print(console, f"  {local_command(opened.study, trial.spec)}")
    _print(console, f"To run or enlarge the study again: {again}")
    _print(console, f"Its status: {opened.folder.status_path}")
    path = shlex.quote(str(opened.folder.path))
    _print(console, f"What it teaches: study report {path}; the round that follows: study next {path}")


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


class _ToView(logging.Handler):
    """Warnings go where the person looks, instead of through the live table."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._view.note(f"Warning: {record.getMessage()}" + (f": {error!r}" if error else ""))
