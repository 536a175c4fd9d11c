"""``study watch``: a study as it runs, wherever it runs."""

from __future__ import annotations

import time

import click
from rich.console import Console
from rich.live import Live

from study_operator.cli.catalogue import Catalogue, Folders, catalogue_options
from study_operator.cli.failure import ExitCode
from study_operator.cli.table import ranking_table, status_line, study_view

FOLDER_INTERVAL, CLUSTER_INTERVAL = 0.5, 2.0
"""Seconds between two looks."""


@click.command()
@click.argument("name")
@catalogue_options
@click.pass_context
def watch(context: click.Context, catalogue: Catalogue, name: str) -> None:
    """Show the study NAME until it has finished; NAME may be a study's folder.

    On a terminal it is a live table; elsewhere it is a line for each change. Exits with 3 if the study finished without
    a result.
    """
    console = Console()
    interval = FOLDER_INTERVAL if isinstance(catalogue, Folders) else CLUSTER_INTERVAL
    try:
        status = _live(console, catalogue, name, interval) if console.is_terminal else _lines(catalogue, name, interval)
    except KeyboardInterrupt:
        context.exit(ExitCode.INTERRUPTED)
    if status.get("ranking") and console.is_terminal:
        console.print(ranking_table(status))
    context.exit(ExitCode.DONE if status.get("best") else ExitCode.NO_RESULT)


def _live(console: Console, catalogue: Catalogue, name: str, interval: float) -> dict[str, object]:
    study = catalogue.study(name)
    with Live(study_view(study.name, study.status), console=console, auto_refresh=False) as live:
        while study.status.get("state") != "Finished":
            time.sleep(interval)
            study = catalogue.study(name)
            live.update(study_view(study.name, study.status), refresh=True)
    return dict(study.status)


def _lines(catalogue: Catalogue, name: str, interval: float) -> dict[str, object]:
    said = ""
    while True:
        status = catalogue.study(name).status
        line = status_line(status)
        if line != said:
            click.echo(line)
            said = line
        if status.get("state") == "Finished":
            return dict(status)
        time.sleep(interval)
