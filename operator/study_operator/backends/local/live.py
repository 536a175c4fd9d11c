"""The runs that an engine knows: watched from their start, or their finding, until their release."""

from __future__ import annotations

import asyncio
import logging
import platform
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from study_operator.backends.local import runs as run_files
from study_operator.backends.local.processes import Ended, Process
from study_operator.backends.local.runs import RunFile
from study_operator.backends.local.samples import SampleFile
from study_operator.backends.local.scraper import Scraper
from study_operator.backends.port import Run, RunPhase, StudyKey

KILL_GRACE = 5.0
"""Seconds that a killed process has to vanish; longer means that it hangs in the kernel."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class LiveRun:
    """A run from its start, or its finding, until its release. Its processes are watched until they end."""

    run: Run
    file: RunFile
    folder: Path
    process: Process
    over: asyncio.Event = field(default_factory=asyncio.Event)
    watching: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        return self.run.phase is RunPhase.ENDED

    async def end(self) -> None:
        """End the run's processes, politely first; nothing is told of it."""
        if self.ended:
            return
        await _cancelled(self.watching)
        for number, patience in ((signal.SIGTERM, self.file.grace), (signal.SIGKILL, KILL_GRACE)):
            self.process.signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), timeout=patience)
                break
        else:
            _log.warning("%s cannot be killed; it is left alone", self.folder.name)
        self.process.close()

    async def let_go(self) -> None:
        """Stop watching a run, which goes on."""
        if not self.ended:
            await _cancelled(self.watching)
            self.process.close()


class LiveRuns:
    """One for each trial at the most. ``ended`` is told of each that ends by itself, once all its samples are kept."""

    def __init__(self, clock: Callable[[], float], ended: Callable[[Run], None]) -> None:
        self._clock = clock
        self._told = ended
        self._node = platform.node()
        self._live: dict[int, LiveRun] = {}
        self._session: aiohttp.ClientSession | None = None

    def __iter__(self) -> Iterator[LiveRun]:
        """By trial index."""
        return iter([live for _, live in sorted(self._live.items())])

    def get(self, index: int) -> LiveRun | None:
        return self._live.get(index)

    def adopt(self, key: StudyKey, folder: Path) -> None:
        """Take over the run in ``folder``, if there is one and it is not known: an earlier engine started it."""
        known = {live.folder.name for live in self._live.values()}
        found = None if folder.name in known else run_files.find_run(folder)
        if found is not None:
            file, process = found
            self.keep(key, file, folder, process, process.ended())

    def keep(self, key: StudyKey, file: RunFile, folder: Path, process: Process, ended: Ended | None) -> LiveRun:
        """Watch the run until it ends, unless it has ``ended`` already."""
        live = LiveRun(run_files.describe(key, file, folder, self._node, ended), file, folder, process)
        self._live[file.index] = live
        if ended is None:
            live.watching = asyncio.create_task(self._watch(key, live))
        else:
            process.close()
        return live

    def take(self, run: Run) -> LiveRun | None:
        """Remove the run from those that are known, if its trial has no other run by now."""
        live = self._live.get(run.index)
        if live is None or live.file.id != run.id:
            return None
        return self._live.pop(run.index)

    async def close(self) -> None:
        """Let go of the runs, which go on."""
        for live in self._live.values():
            await live.let_go()
        self._live.clear()
        if self._session is not None:
            await self._session.close()

    async def _watch(self, key: StudyKey, live: LiveRun) -> None:
        """Scrape the run until it ends, and then tell so: by then all of its samples are kept."""
        scraping = asyncio.create_task(self._scrape(live))
        try:
            ended = await live.process.wait()
            live.over.set()
            await scraping
        finally:
            await _cancelled(scraping)
        live.run = run_files.describe(key, live.file, live.folder, self._node, ended)
        live.process.close()
        self._told(live.run)

    async def _scrape(self, live: LiveRun) -> None:
        """A run whose samples cannot be kept still has its record."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        try:
            samples = SampleFile(live.folder / run_files.SAMPLES_FILE)
            scraper = Scraper(live.folder, live.file.port, samples, self._clock)
            await scraper.run(self._session, live.over)
        except OSError as error:
            _log.warning("%s: its samples cannot be kept: %s", live.folder.name, error.strerror)


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancel the task and wait until it has let go of what it held."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
