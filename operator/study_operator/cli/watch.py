"""``study watch``: a study as it runs, wherever it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, nullcontext
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from study_operator.cli.catalogue import Catalogue, Found, catalogue_options
from study_operator.cli.failure import ExitCode
from study_operator.cli.output import Output
from study_operator.cli.table import ranking_table, status_line, study_view

Show = Callable[[Found], object]


@click.command()
@click.argument("name")
@catalogue_options
@click.pass_context
def watch(context: click.Context, catalogue: Catalogue, name: str) -> None:
    """Show the study NAME until it has finished; NAME may be a study's folder.

    On a terminal it is a live table; elsewhere it is a line for each change. Exits with 3 if the study finished without
    a result.
    """
    console = Output()
    with _live(console) if console.draws else nullcontext(_lines()) as show:
        status = asyncio.run(_until_finished(catalogue.changes(name), show))
    if status.get("ranking") and console.is_terminal:
        console.print(ranking_table(status))
    context.exit(ExitCode.DONE if status.get("best") else ExitCode.NO_RESULT)


@contextmanager
def _live(console: Console) -> Iterator[Show]:
    with Live(console=console, auto_refresh=False) as live:
        yield lambda study: live.update(study_view(study.name, study.status), refresh=True)


def _lines() -> Show:
    said = ""

    def say(study: Found) -> None:
        nonlocal said
        line = status_line(study.status)
        if line != said:
            click.echo(line)
            said = line

    return say


async def _until_finished(changes: AsyncGenerator[Found, None], show: Show) -> Mapping[str, Any]:
    """The study's last status, each one having been shown."""
    async with aclosing(changes) as studies:
        async for study in studies:
            show(study)
            if study.status.get("state") == "Finished":
                return study.status
    raise AssertionError("a study that is gone ends the command")
