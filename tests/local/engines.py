"""An engine without a controller: the local backend on a folder, and somebody who is told of what it sees."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from study_operator.api import Study, parse_study
from study_operator.backends.local import Identity, LocalBackend, StudyFolder
from study_operator.backends.port import Announcement, Run, RunPhase, StudyKey, StudyRef
from study_operator.results.trial import Purpose, Trial, TrialSpec, TrialStatus

from tests.local.studies import manifest

T = TypeVar("T")
REF = StudyRef(StudyKey("default", "study"), "uid-1")


class Recorder:
    """Observer and witness: keeps what it is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.gone: list[str] = []
        self.written: list[object] = []

    def run_changed(self, run: Run) -> None:
        self.runs.append(run)

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None:
        self.gone.append(run_id)

    def trial_written(self, trial: object) -> None:
        self.written.append(trial)

    def status_written(self, status: object) -> None:
        self.written.append(status)

    def announced(self, announcement: Announcement) -> None: ...

    async def ended(self, index: int = 0) -> Run:
        def found() -> Run | None:
            return next((run for run in self.runs if run.index == index and run.phase is RunPhase.ENDED), None)

        return await until(found)


async def until(condition: Callable[[], T], seconds: float = 20) -> T:
    """What ``condition`` returns as soon as that is true."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.005)
        return value


def spec(index: int = 0, learning_rate: float = 0.5) -> TrialSpec:
    parameters = {"optimizer": "adam", "learning_rate": learning_rate}
    return TrialSpec("study", index, 0, Purpose.SEARCH, (0.5,), parameters, seed=11 + index)


def study_of(*arguments: str, **template: object) -> Study:
    raw = manifest(*arguments, **template)
    raw["metadata"]["uid"] = REF.uid
    return parse_study(raw)


class Engine:
    """A backend on a folder that lasts, as each `study run` makes one."""

    def __init__(self, path: Path) -> None:
        self.folder = StudyFolder(path)

    def begin(self) -> None:
        self.folder.lock().release()
        self.folder.write_study("", Identity.first(REF.uid, datetime.now(UTC)))
        self.folder.write_trial(REF, Trial(spec(), TrialStatus()))

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[tuple[LocalBackend, Recorder]]:
        recorder = Recorder()
        backend = LocalBackend(
            self.folder, recorder, clock=time.time, random=random.Random(), environ=os.environ, cwd=self.folder.path
        )
        backend.observer = recorder
        try:
            yield backend, recorder
        finally:
            await backend.stop_all(REF)
            await backend.close()
