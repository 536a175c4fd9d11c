"""One study on this machine: the controller, its local backend, and a person's interrupts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from study_operator.api import Study
from study_operator.backends.local import FOLDER_GONE, LocalBackend
from study_operator.backends.port import Announcement, Gone, StudyRef
from study_operator.cli.table import ended
from study_operator.cli.views import View
from study_operator.controller import Controller, ControllerSettings
from study_operator.results.trial import Trial

SETTINGS = ControllerSettings(
    retention=0.0,  # logs are files here, and stay
    status_interval=0.3,  # a file is cheap to write, and the end waits for it
    metrics_patience=5.0,  # a local run's series are complete when it ends
)


class Outcome(Enum):
    """Why the engine came to rest."""

    FINISHED = auto()
    STALLED = auto()
    SUSPENDED = auto()
    DRAINED = auto()
    STOPPED = auto()


class Engine:
    """Runs a study until it comes to rest, by itself or by interrupts. Also the backend's witness, before the view."""

    def __init__(
        self, study: Study, trials: Sequence[Trial], view: View, backend: Callable[[Engine], LocalBackend]
    ) -> None:
        self._study = study
        self._view = view
        self._backend = backend(self)
        self._controller = Controller(self._backend, self._backend.metrics, SETTINGS, now=lambda: datetime.now(UTC))
        self._backend.observer = self._controller
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._interrupts = 0
        self._ended: set[int] = {trial.spec.index for trial in trials if trial.status.state.final}
        self.status: Mapping[str, Any] = study.status or {}
        view.running = self._backend.running

    async def run(self) -> Outcome:
        """The way to rest. After a stop every run's processes are gone; after any other end none is running."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._rest, Outcome.STOPPED)
        working = asyncio.create_task(self._controller.run())
        self._controller.study_changed(_taken_up(self._study))
        try:
            working.add_done_callback(self._outcome_of_a_crash)
            return await self._outcome
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            await self._backend.stop_all(StudyRef.of(self._study))
            await self._backend.close()

    def trial_written(self, trial: Trial) -> None:
        """For the view; it may be the last result that was to be written."""
        self._view.trial_written(trial)
        if trial.status.state.final:
            self._ended.add(trial.spec.index)
        self._look()

    def announced(self, announcement: Announcement) -> None:
        """For the view; without its folder a study cannot even be told to have failed."""
        if announcement.reason != FOLDER_GONE:
            self._view.announced(announcement)
        elif not self._outcome.done():
            self._outcome.set_exception(Gone(announcement.message))

    def status_written(self, status: Mapping[str, object]) -> None:
        """For the view; and a study that has come to rest ends the engine."""
        self.status = status
        self._view.status_written(status)
        self._look()

    def _look(self) -> None:
        """A study that came to rest, all of its results on the disk, ends the engine."""
        outcome = _rest(self.status, len(self._ended), drained=bool(self._interrupts))
        if outcome is not None:
            self._rest(outcome)

    def _interrupted(self) -> None:
        """The first Ctrl-C lets the running trials finish; the second stops them."""
        self._interrupts += 1
        if self._interrupts > 1:
            self._view.note("Stopping the running trials; they start anew with the next `study run`.")
            self._rest(Outcome.STOPPED)
            return
        running = len(self._backend.running())
        self._view.note(f"No more trials are started; waiting for {running} running. Ctrl-C again stops them at once.")
        spec = self._study.spec.model_copy(update={"suspend": True})
        metadata = self._study.metadata.model_copy(update={"generation": self._study.metadata.generation + 1})
        self._controller.study_changed(self._study.model_copy(update={"spec": spec, "metadata": metadata}))

    def _outcome_of_a_crash(self, working: asyncio.Task[None]) -> None:
        """The controller works until it is cancelled, so any other end is a fault, which is raised where it is seen."""
        if not working.cancelled() and not self._outcome.done() and (error := working.exception()) is not None:
            self._outcome.set_exception(error)

    def _rest(self, outcome: Outcome) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)


def _taken_up(study: Study) -> Study:
    """The study with a status that is out of date, so that one is written: by it a study at rest is seen to be so."""
    status = {name: value for name, value in (study.status or {}).items() if name != "observedGeneration"}
    return study.model_copy(update={"status": status or None})


def _rest(status: Mapping[str, Any], durable: int, drained: bool) -> Outcome | None:
    """Whether the study has come to rest with this status, of whose results so many are on the disk.

    A study that stalled lets its running trials end.
    """
    trials = status.get("trials", {})
    under_way = sum(trials.get(state, 0) for state in ("queued", "running", "awaitingMetrics"))
    if durable < ended(status):
        return None
    match status.get("state"):
        case "Finished":
            return Outcome.FINISHED
        case "Suspended":
            return Outcome.DRAINED if drained else Outcome.SUSPENDED
        case "Stalled" if not under_way:
            return Outcome.DRAINED if drained else Outcome.STALLED
        case _:
            return None
