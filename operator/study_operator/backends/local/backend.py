"""The port, by processes on this machine and a folder: one study on a laptop, under the controller that serves a
cluster.

File writes go to threads, because each waits for the disk; the runs' ends come by pipes, so that nothing is polled for.
The engine may be killed at any instant: runs go on without it, and are found again by their files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Protocol, TypeVar

from study_operator.api.study import Study
from study_operator.backends.environment import trial_environment
from study_operator.backends.local import runs as run_files
from study_operator.backends.local.folder import StudyFolder
from study_operator.backends.local.live import LiveRuns
from study_operator.backends.local.processes import Process
from study_operator.backends.local.runs import RunFile
from study_operator.backends.local.samples import LocalMetrics
from study_operator.backends.local.template import trainer_template
from study_operator.backends.local.workplace import check_command, free_port, working_folder
from study_operator.backends.port import (
    Announcement,
    Exhausted,
    Gone,
    NoRecord,
    Observer,
    Run,
    Severity,
    StudyRef,
    Unavailable,
)
from study_operator.results.trial import Trial, TrialSpec, TrialStatus

DISK_RETRY = 5.0
"""Seconds until a write that found the disk full is tried again."""

T = TypeVar("T")

FOLDER_GONE = "FolderGone"
"""The reason of the announcement that nothing more will come, because the study's folder was removed."""

_CONTRACT = ("STUDY_", "HP_")


class Witness(Protocol):
    """Whoever shows a person what happens: the terminal. None of the calls may block or raise."""

    def trial_written(self, trial: Trial) -> None:
        """A trial's new status is on the disk."""
        ...

    def status_written(self, status: Mapping[str, object]) -> None:
        """The study's new status is on the disk."""
        ...

    def announced(self, announcement: Announcement) -> None:
        """A turn that a person wants to see."""
        ...


class LocalBackend:
    """One study's backend. ``observer`` is the controller, set after both exist; runs start in the folder ``cwd``."""

    observer: Observer

    def __init__(
        self,
        folder: StudyFolder,
        witness: Witness,
        *,
        clock: Callable[[], float],
        random: Random,
        environ: Mapping[str, str],
        cwd: Path,
    ) -> None:
        self._folder = folder
        self._witness = witness
        self._clock = clock
        self._random = random
        self._environ = {name: value for name, value in environ.items() if not name.startswith(_CONTRACT)}
        self._cwd = cwd
        self._live = LiveRuns(clock, lambda run: self.observer.run_changed(run))
        self._starts = asyncio.Lock()
        self._full = False
        self.metrics = LocalMetrics(lambda run: folder.run_path(run) / run_files.SAMPLES_FILE)

    async def check_template(self, study: Study) -> None:
        """As far as this machine can tell without a start: the program and its folder are there."""
        check_command(trainer_template(study.spec.trial_template), self._environ, self._cwd)

    async def trials(self, study: StudyRef) -> Sequence[Trial]:
        """By index. Raises Refused where a file is not a trial."""
        self._check(study)
        return await self._durably(self._folder.trials)

    async def runs(self, study: StudyRef) -> Sequence[Run]:
        """Those of an earlier engine are adopted: from here on their end is told."""
        self._check(study)
        for name in self._folder.names():
            self._live.adopt(study.key, self._folder.run_path(name))
        return [live.run for live in self._live]

    async def create_trial(self, study: StudyRef, spec: TrialSpec) -> Trial:
        """A file; its owner's uid tells whose it is."""
        self._check(study)

        def create() -> Trial:
            existing = self._folder.trial(study, spec.name)
            if existing is not None:
                return existing
            # A record comes before its run, so a run without one is of a trial that a person has removed.
            run_files.discard(self._folder.run_path(spec.name))
            trial = Trial(spec, TrialStatus())
            self._folder.write_trial(study, trial)
            return trial

        return await self._written(create)

    async def write_trial(
        self, study: StudyRef, spec: TrialSpec, status: TrialStatus, *, keep_curves: bool = False
    ) -> None:
        """The witness is told once it is on the disk."""
        self._check(study)

        def write() -> None:
            existing = self._record(study, spec)
            curves = existing.status.curves if keep_curves else status.curves
            self._folder.write_trial(study, Trial(spec, replace(status, curves=curves)))

        await self._durably(write)
        self._witness.trial_written(Trial(spec, status))

    async def discard_trial(self, study: StudyRef, spec: TrialSpec) -> None:
        """Its file goes."""
        self._check(study)
        await self._durably(lambda: self._folder.remove_trial(spec.name))

    async def write_study(self, study: StudyRef, status: Mapping[str, object]) -> None:
        """status.yaml."""
        self._check(study)
        await self._durably(lambda: self._folder.write_status(status))
        self._witness.status_written(status)

    async def start(self, study: Study, spec: TrialSpec) -> Run:
        """A process of the trainer's command, or the run that is in the trial's folder already."""
        reference = StudyRef.of(study)
        self._check(reference)
        async with self._starts:
            folder = self._folder.run_path(spec.name)
            self._live.adopt(reference.key, folder)
            if (live := self._live.get(spec.index)) is not None:
                return live.run
            port = free_port({live.file.port for live in self._live}, self._random)
            file, process = await self._written(lambda: self._launch(study, spec, folder, port))
            return self._live.keep(reference.key, file, folder, process, None).run

    async def stop(self, study: StudyRef, run: Run) -> None:
        """The run's folder is set aside, for its log and its checkpoints."""
        self._check(study)
        if (live := self._live.take(run)) is not None:
            await live.end()
            await asyncio.to_thread(run_files.set_aside, live.folder)
            self.observer.run_gone(study.key, run.index, run.id)

    async def release(self, study: StudyRef, runs: Sequence[Run]) -> None:
        """Only files that tell how the run stood are to go."""
        self._check(study)
        for run in runs:
            if (live := self._live.take(run)) is not None:
                await live.end()
                run_files.release(live.folder)
                self.observer.run_gone(study.key, run.index, run.id)

    async def announce(self, study: StudyRef, announcement: Announcement) -> None:
        """To the witness."""
        self._witness.announced(announcement)

    async def stop_all(self, study: StudyRef) -> None:
        """End every run that goes on. Its trial is pending again: that a person stopped it counts for nothing."""
        running = [live for live in self._live if not live.ended]
        await asyncio.gather(*(live.end() for live in running))
        for live in running:
            trial = self._folder.trial(study, live.folder.name)
            if trial is not None and not trial.status.state.final:
                self._folder.write_trial(study, Trial(trial.spec, TrialStatus(failed_runs=trial.status.failed_runs)))
            if live.folder.exists():
                run_files.set_aside(live.folder)
            self._live.take(live.run)

    def running(self) -> list[Run]:
        """The runs that compute now, by index."""
        return [live.run for live in self._live if not live.ended]

    async def close(self) -> None:
        """Let go of the runs, which go on."""
        await self._live.close()

    def _check(self, study: StudyRef) -> None:
        identity = self._folder.identity()
        if identity is None or identity.uid != study.uid:
            message = f"{self._folder.path} does not hold the study {study.key} any more"
            self._tell(FOLDER_GONE, message)
            raise Gone(message)

    def _record(self, study: StudyRef, spec: TrialSpec) -> Trial:
        existing = self._folder.trial(study, spec.name)
        if existing is None:
            raise NoRecord(f"{spec.name} has no record in {self._folder.path}")
        return existing

    async def _durably(self, write: Callable[[], T]) -> T:
        """In a thread; what does not fit on the disk now is tried again, because a result is lost otherwise."""
        try:
            return await self._written(write)
        except Exhausted as full:
            raise Unavailable(str(full), retry_after=DISK_RETRY) from full

    async def _written(self, write: Callable[[], T]) -> T:
        """In a thread. A disk that is full or gone is told here: the status, a file too, cannot tell it."""
        try:
            answer = await asyncio.to_thread(write)
        except Exhausted as full:
            if not self._full:
                self._tell("DiskFull", str(full))
            self._full = True
            raise
        except Gone as gone:
            self._tell(FOLDER_GONE, str(gone))
            raise
        self._full = False
        return answer

    def _tell(self, reason: str, message: str) -> None:
        self._witness.announced(Announcement(Severity.WARNING, reason, message))

    def _launch(self, study: Study, spec: TrialSpec, folder: Path, port: int) -> tuple[RunFile, Process]:
        """Start the trial's processes in a fresh folder."""
        self._record(StudyRef.of(study), spec)
        template = trainer_template(study.spec.trial_template)
        command = template.command(trial_environment(study, spec))
        cwd = working_folder(template, self._cwd)
        if folder.exists():
            run_files.set_aside(folder)
        file = RunFile(
            id=f"{spec.name}-{self._random.getrandbits(48):012x}",
            study_uid=study.metadata.uid,
            index=spec.index,
            port=port,
            started=self._clock(),
            grace=template.grace,
        )
        run_files.create(folder, file)
        environment = {**self._environ, **command.environment, **run_files.contract_here(folder, port)}
        return file, Process.start(folder, command.arguments, environment, cwd)
