"""What ``study run`` shows while it runs: a live table on a terminal, plain lines elsewhere.

A log file wants lines that stay, each one complete; a terminal wants one picture that is up to date. Both are told the
same things.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from study_operator.backends.local import Witness
from study_operator.backends.port import Announcement, Run, Severity
from study_operator.cli.progress import Progress
from study_operator.cli.table import duration_text, ended, short, status_line, study_view
from study_operator.results.trial import Purpose, Trial, TrialState

REFRESHES = 2
"""Of the live table, a second: often enough to count seconds, and too seldom to take a trainer's time."""


class View(Witness, Protocol):
    """A witness that a person looks at."""

    running: Callable[[], list[Run]]
    """Set when there is something that runs."""

    def note(self, message: str) -> None:
        """A sentence for the person."""
        ...

    def __enter__(self) -> View: ...

    def __exit__(self, *_: object) -> None: ...


class PlainView:
    """Lines: each trial's end, each tenth of the way, each turn of the study."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self.running: Callable[[], list[Run]] = list
        self._console = console
        self._progress = progress
        self._tenths = progress.tenths(progress.done)

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None: ...

    def note(self, message: str) -> None:
        """One line."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def announced(self, announcement: Announcement) -> None:
        """A turn of the study; a trial's failure is told with its end."""
        if announcement.reason != "TrialFailed":
            self.note(announcement_text(announcement))

    def trial_written(self, trial: Trial) -> None:
        """A trial's end."""
        if self._progress.note(trial):
            searched = trial.spec.purpose is Purpose.SEARCH
            count = f"{self._progress.done}/{self._progress.planned}" if searched else trial.spec.purpose.value
            self.note(f"[{count}] {trial_line(trial)}")

    def status_written(self, status: Mapping[str, object]) -> None:
        """A further tenth of the way, by the status's own count: it may come later than the ends of trials."""
        tenths = self._progress.tenths(ended(status))
        if tenths > self._tenths and self._progress.done < self._progress.planned:
            self._tenths = tenths
            left = self._progress.time_left([])
            ending = f", about {duration_text(left)} left" if left is not None else ""
            self.note(f"{10 * self._tenths}%: {status_line(status)}{ending}")


class LiveView:
    """One table that is drawn anew; what is to stay is printed above it."""

    def __init__(self, console: Console, progress: Progress, name: str, now: Callable[[], datetime]) -> None:
        self.running: Callable[[], list[Run]] = list
        self._console = console
        self._progress = progress
        self._name = name
        self._now = now
        self._status: Mapping[str, Any] = {}
        self._hint = "Ctrl-C: let the running trials finish and stop. The same command goes on later."
        self._live = Live(get_renderable=self._picture, console=console, refresh_per_second=REFRESHES, transient=True)

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def note(self, message: str) -> None:
        """Above the table."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def announced(self, announcement: Announcement) -> None:
        """What went wrong stays readable; what goes well is in the table."""
        if announcement.severity is Severity.WARNING:
            self.note(announcement_text(announcement))

    def trial_written(self, trial: Trial) -> None:
        """The counts follow with the status."""
        self._progress.note(trial)

    def status_written(self, status: Mapping[str, object]) -> None:
        """Shown with the next drawing."""
        self._status = status
        if status.get("state") == "Suspending":
            self._hint = "Ctrl-C again: stop the running trials now; they start anew another time."

    def _picture(self) -> RenderableType:
        now = self._now()
        running = [(run.pod, now - run.started if run.started else timedelta()) for run in self.running()]
        left = self._progress.time_left([since for _, since in running])
        return Group(study_view(self._name, self._status, running, left), Text(self._hint, style="dim"))


def announcement_text(announcement: Announcement) -> str:
    """``Warning, TrialRetried: ...``."""
    severity = "Warning, " if announcement.severity is Severity.WARNING else ""
    return f"{severity}{announcement.reason}: {announcement.message}"


def trial_line(trial: Trial) -> str:
    """A trial's end in a line."""
    status = trial.status
    took = status.finished - status.started if status.started and status.finished else None
    ending = f" ({duration_text(took)})" if took is not None else ""
    if status.state is TrialState.SUCCEEDED and status.objective is not None:
        at = "" if status.objective.step is None else f" at step {status.objective.step}"
        return f"{trial.spec.name} Succeeded: {short(repr(status.objective.value))}{at}{ending}"
    return f"{trial.spec.name} {status.state}, {status.reason}: {status.message}{ending}"
