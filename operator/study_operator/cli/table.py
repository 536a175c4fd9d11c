"""A study's status as a person sees it, on a laptop and from a cluster alike.

Everything is drawn from the status of the resource, so the live table of ``study run`` and ``study watch`` are one.
Numbers are shortened for the eye here; the status itself has them exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_STATE_STYLES = {
    "Running": "cyan",
    "Finished": "green",
    "Stalled": "red",
    "Suspended": "yellow",
    "Suspending": "yellow",
    "Interrupted": "yellow",
}
_RUNS_SHOWN = 8
_ENDED = ("succeeded", "infeasible", "failed")


def study_view(
    name: str, status: Mapping[str, Any], running: Sequence[tuple[str, timedelta]] = (), left: timedelta | None = None
) -> RenderableType:
    """The whole: heading with progress, the best so far, the arms, what runs, and what is wrong.

    ``running`` are trials with the time that they run already, ``left`` is the time until the end where it can be told.
    """
    parts = [_heading(name, status, left), _best(status), arms_table(status), _running(running), *_troubles(status)]
    return Group(*(part for part in parts if part is not None))


def ranking_table(status: Mapping[str, Any], rows: int = 10) -> Table:
    """The best trials, with those parameters that differ between them."""
    ranking = status.get("ranking", [])[:rows]
    varied = varied_names([entry["parameters"] for entry in ranking])
    table = Table("Rank", "Trial", box=None, pad_edge=False, header_style="bold")
    table.add_column(_metric(status), justify="right")
    table.add_column("Step", justify="right")
    for parameter in varied:
        table.add_column(parameter, justify="right")
    for entry in ranking:
        values = [short(entry["parameters"].get(parameter, "")) for parameter in varied]
        step = str(entry.get("step", ""))
        table.add_row(str(entry["rank"]), entry["trial"], short(entry["objective"]), step, *values)
    return table


def arms_table(status: Mapping[str, Any]) -> Table | None:
    """One line an arm; None before the study was accepted."""
    arms = status.get("arms", [])
    if not arms:
        return None
    table = Table("Arm", box=None, pad_edge=False, header_style="bold")
    for heading in ("Done", "Succeeded", "Infeasible", "Failed", "Best"):
        table.add_column(heading, justify="right")
    table.add_column("Trial")
    for arm in arms:
        counts, best = arm["trials"], arm.get("best", {})
        numbers = [counts[state] for state in _ENDED]
        done = f"{sum(numbers)}/{counts['planned']}"
        table.add_row(arm["label"], done, *map(str, numbers), short(best.get("objective", "")), best.get("trial", ""))
    return table


def status_line(status: Mapping[str, Any]) -> str:
    """The study in one line of plain text."""
    best = status.get("best")
    found = f", best {_metric(status)} {short(best['objective'])} by {best['trial']} ({best['arm']})" if best else ""
    return f"{status.get('state', 'Unknown')} {status.get('progress', '')}{found}".strip()


def ended(status: Mapping[str, Any]) -> int:
    """How many trials of the search have ended."""
    trials = status.get("trials", {})
    return sum(trials.get(state, 0) for state in _ENDED)


def duration_text(duration: timedelta) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``."""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def age_text(age: timedelta) -> str:
    """An age in one of kubectl's units: ``45s``, ``12m``, ``3h``, ``5d``."""
    seconds = max(0, int(age.total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 180:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // 1440}d"


def short(text: str) -> str:
    """A number to four digits, a flag as a manifest has it; another text as it is."""
    if text in ("True", "False"):
        return text.lower()
    try:
        return f"{float(text):.4g}" if not text.lstrip("-").isdigit() else text
    except ValueError:
        return text


def varied_names(parameters: Iterable[Mapping[str, str]]) -> list[str]:
    """The parameters that are not the same everywhere, in the order in which they first appear; all, of one alone."""
    rows = list(parameters)
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if len(rows) < 2 or len({row.get(name) for row in rows}) > 1]


def _heading(name: str, status: Mapping[str, Any], left: timedelta | None) -> RenderableType:
    trials = status.get("trials", {})
    planned = trials.get("planned", 0)
    done = ended(status)
    state = status.get("state", "Pending")
    grid = Table.grid(padding=(0, 2))
    cells: list[RenderableType] = [Text(name, style="bold"), Text(state, style=_STATE_STYLES.get(state, ""))]
    if planned:
        cells += [ProgressBar(total=planned, completed=done, width=32), Text(f"{done}/{planned}")]
    if left is not None and state == "Running":
        cells.append(Text(f"about {duration_text(left)} left"))
    grid.add_row(*cells)
    return grid


def _best(status: Mapping[str, Any]) -> RenderableType | None:
    best = status.get("best")
    if best is None:
        return None
    parameters = ", ".join(f"{name}={short(value)}" for name, value in best["parameters"].items())
    at = f" at step {best['step']}" if "step" in best else ""
    line = Text(f"Best {_metric(status)} ")
    line.append(short(best["objective"]), style="bold green").append(f"{at} by {best['trial']}: {parameters}")
    return line


def _running(running: Sequence[tuple[str, timedelta]]) -> RenderableType | None:
    if not running:
        return None
    shown = ", ".join(f"{trial} ({duration_text(since)})" for trial, since in running[:_RUNS_SHOWN])
    more = len(running) - _RUNS_SHOWN
    return Text(f"Running: {shown}" + (f" and {more} more" if more > 0 else ""), style="dim")


def _troubles(status: Mapping[str, Any]) -> list[RenderableType]:
    """What a condition says that a person should know of."""
    lines: list[RenderableType] = []
    for condition in status.get("conditions", []):
        kind, holds, message = condition["type"], condition["status"], condition.get("message", "")
        if kind == "Stalled" and holds == "True":
            lines.append(Text(f"Stalled, {condition['reason']}: {message}", style="red"))
        elif kind == "MetricsAvailable" and holds == "False":
            lines.append(Text(f"{condition['reason']}: {message}", style="yellow"))
        elif kind == "Ready" and holds == "True" and message:
            lines.append(Text(message, style="yellow"))
    return lines


def _metric(status: Mapping[str, Any]) -> str:
    return str(status.get("objective", {}).get("metric", "objective"))
