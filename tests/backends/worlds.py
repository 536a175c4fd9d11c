"""The three worlds that the backends speak to, as the conformance suite sees them.

A world outlives its backends: asking it for another one is what a crash and a restart are.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from study_operator.api import Study, parse_study
from study_operator.backends.kubernetes.backend import KubernetesBackend
from study_operator.backends.kubernetes.client import Client, load_configuration
from study_operator.backends.local import Identity, LocalBackend, StudyFolder
from study_operator.backends.memory import MemoryBackend, MemoryWorld, Script
from study_operator.backends.port import Announcement, Backend, Run, RunPhase, StudyKey, StudyRef
from study_operator.results.taxonomy import RunEnd
from study_operator.results.trial import TrialSpec

from tests.cluster.control_plane import ControlPlane

RECORD = '{"metrics": {"loss": 0.5}}'

PROGRAMS = {
    "succeed": f"printf '%s' '{RECORD}' > $STUDY_TERMINATION_LOG",
    "fail": "exit 7",
    "wait": "exec sleep 60",
}
"""What a trial's process does, as a shell script."""

SCRIPTS = {
    "succeed": Script(termination=RECORD),
    "fail": Script(end=RunEnd(7, "Error")),
    "wait": Script(running=60.0),
}
"""The same in a world without processes."""


def manifest(name: str, namespace: str, program: str, uid: str = "") -> dict[str, Any]:
    trainer = {"name": "trainer", "image": "any", "command": ["sh", "-c", PROGRAMS[program]]}
    pod = {"terminationGracePeriodSeconds": 1, "containers": [trainer]}
    return {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Study",
        "metadata": {"name": name, "namespace": namespace} | ({"uid": uid} if uid else {}),
        "spec": {
            "goal": "Does the backend keep its promises?",
            "objective": {"metric": "loss", "direction": "Minimize"},
            "hyperparameters": [{"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.1, "max": 1}}],
            "budget": {"trials": 4, "parallelism": 2},
            "trialTemplate": {"spec": {"template": {"spec": pod}}},
        },
    }


class Witness:
    """Whoever a backend tells what it sees."""

    def __init__(self) -> None:
        self.latest: dict[int, Run] = {}
        self.gone: list[str] = []

    def run_changed(self, run: Run) -> None:
        self.latest[run.index] = run

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None:
        self.gone.append(run_id)

    def trial_written(self, trial: object) -> None: ...

    def status_written(self, status: object) -> None: ...

    def announced(self, announcement: Announcement) -> None: ...

    async def sees(self, index: int, phase: RunPhase) -> Run:
        """The trial's run, once it is in ``phase``."""
        async with asyncio.timeout(30):
            while index not in self.latest or self.latest[index].phase is not phase:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        return self.latest[index]


class World(Protocol):
    async def study(self, program: str, name: str = "conformance") -> Study: ...

    def backend(self, study: Study) -> Any: ...

    async def status(self, study: Study) -> Any: ...


class InMemory:
    def __init__(self) -> None:
        self._program: dict[str, str] = {}
        self.world = MemoryWorld(lambda spec: SCRIPTS[self._program[spec.study]])

    async def study(self, program: str, name: str = "conformance") -> Study:
        self._program[name] = program
        return parse_study(manifest(name, "default", program, uid=f"uid-{name}"))

    @asynccontextmanager
    async def backend(self, study: Study) -> AsyncIterator[tuple[Backend, Witness]]:
        witness = Witness()
        backend = MemoryBackend(self.world, lambda: witness)
        yield backend, witness
        await backend.close()

    async def status(self, study: Study) -> Any:
        return self.world.statuses[StudyRef.of(study).key]


class OnThisMachine:
    def __init__(self, path: Path) -> None:
        self._path = path

    def _folder(self, study: Study) -> StudyFolder:
        return StudyFolder(self._path / study.metadata.name)

    async def study(self, program: str, name: str = "conformance") -> Study:
        study = parse_study(manifest(name, "default", program, uid=f"uid-{name}"))
        folder = self._folder(study)
        folder.lock().release()
        folder.write_study("", Identity.first(study.metadata.uid, datetime.now(UTC)))
        return study

    @asynccontextmanager
    async def backend(self, study: Study) -> AsyncIterator[tuple[Backend, Witness]]:
        witness, folder = Witness(), self._folder(study)
        backend = LocalBackend(
            folder, witness, clock=time.time, random=random.Random(), environ=os.environ, cwd=folder.path
        )
        backend.observer = witness
        try:
            yield backend, witness
        finally:
            await backend.close()

    async def status(self, study: Study) -> Any:
        return self._folder(study).status()

    async def end(self, study: Study) -> None:
        """End what a test left running."""
        async with self.backend(study) as (backend, _):
            await backend.runs(StudyRef.of(study))
            await backend.stop_all(StudyRef.of(study))


class OnACluster:
    """Its backend's observations are read here by listing: the watches and their joining have tests of their own."""

    def __init__(self, plane: ControlPlane, namespace: str, clock: Callable[[], float]) -> None:
        self._plane, self._namespace, self._clock = plane, namespace, clock

    async def study(self, program: str, name: str = "conformance") -> Study:
        await asyncio.to_thread(self._plane.apply, manifest(name, self._namespace, program))
        return parse_study(await self._read("study", name))

    @asynccontextmanager
    async def backend(self, study: Study) -> AsyncIterator[tuple[Backend, Witness]]:
        witness = Witness()
        configuration, refresh = await load_configuration(self._plane.kubeconfig)
        client = Client(configuration)
        backend = KubernetesBackend(client, now=lambda: datetime.now(UTC), clock=self._clock)
        watching = asyncio.create_task(_list_for_ever(backend, study, witness))
        try:
            yield backend, witness
        finally:
            watching.cancel()
            if refresh:
                refresh.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await client.close()

    async def status(self, study: Study) -> Any:
        return (await self._read("study", study.metadata.name))["status"]

    async def _read(self, kind: str, name: str) -> Any:
        arguments = ("get", kind, name, f"--namespace={self._namespace}", "--output=json")
        return json.loads((await asyncio.to_thread(self._plane.kubectl, *arguments)).stdout)


async def _list_for_ever(backend: Backend, study: Study, witness: Witness) -> None:
    known: dict[str, Run] = {}
    while True:
        listed = {run.id: run for run in await backend.runs(StudyRef.of(study))}
        for run in listed.values():
            witness.run_changed(run)
        for run_id in known.keys() - listed.keys():
            witness.run_gone(StudyRef.of(study).key, known[run_id].index, run_id)
        known = listed
        await asyncio.sleep(0.1)


def trial(study: Study, index: int = 0) -> TrialSpec:
    from study_operator.results.trial import Purpose

    return TrialSpec(study.metadata.name, index, 0, Purpose.SEARCH, (0.25,), {"learning_rate": 0.325}, 7 + index)
