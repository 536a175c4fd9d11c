"""One pod's life on the node: image, configuration, processes, status, end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cluster import environment
from tests.cluster.api import Api, ApiError, Object, persist
from tests.cluster.container import Container
from tests.cluster.environment import ConfigError
from tests.cluster.pod_status import DEADLINE, DELETED, Ending, Sandbox, status, terminated, waiting

UNAVAILABLE_REGISTRY = "registry.invalid/"
"""Images whose name starts so cannot be pulled."""
_RETRY_SECONDS = 1.0
_DEFAULT_GRACE_SECONDS = 30


class PodRunner:
    """Runs the pod that was bound to the node.

    ``awake`` is cleared while the node is silent: then nothing starts and nothing is told.
    """

    def __init__(
        self, api: Api, sandbox: Sandbox, folder: Path, images: Mapping[str, Sequence[str]], awake: asyncio.Event
    ) -> None:
        self._api = api
        self._sandbox = sandbox
        self._images = images
        self._awake = awake
        self._ending: Ending | None = None
        self._grace: float = sandbox.pod["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
        self._stopping = asyncio.Event()
        self._deleted = asyncio.Event()
        self.containers = {
            spec["name"]: Container(spec, folder / spec["name"]) for spec in sandbox.pod["spec"]["containers"]
        }

    @property
    def address(self) -> str:
        return self._sandbox.address

    @property
    def _metadata(self) -> Object:
        metadata: Object = self._sandbox.pod["metadata"]
        return metadata

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self._metadata['namespace']}/pods/{self._metadata['name']}"

    def end(self, ending: Ending, grace: float | None = None) -> None:
        """End the pod as ``ending`` says; the first reason counts. A deletion also removes the object."""
        if self._ending is None:
            self._ending = ending
            self._grace = self._grace if grace is None else grace
        if ending is DELETED:
            self._deleted.set()
        self._stopping.set()

    async def run(self) -> None:
        """From the binding to the removal of the object."""
        try:
            await self._awake.wait()
            if limit := self._sandbox.pod["spec"].get("activeDeadlineSeconds"):
                asyncio.get_running_loop().call_later(limit, self.end, DEADLINE)
            await self._until_stopped(self._start())
            await self._run_to_the_end()
            await self._deleted.wait()
            await self._remove()
        except ApiError as error:
            if error.code not in (404, 409):  # gone, or another pod of the same name by now
                raise
        finally:
            await self.kill()

    async def kill(self) -> None:
        for container in self.containers.values():
            container.signal(signal.SIGKILL)
            await container.ended()

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work``, unless the pod is ended meanwhile."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (working, stopping):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _start(self) -> None:
        """Start every container; an image or a configuration that is missing keeps the pod Pending until it is
        ended."""
        if problem := _not_supported(self._sandbox.pod):
            self.end(Ending("NotSupported", problem))
            return
        for spec in self._sandbox.pod["spec"]["containers"]:
            if spec["image"].startswith(UNAVAILABLE_REGISTRY):
                await self._fail_to_pull(spec["image"])
        while True:
            try:
                commands = {spec["name"]: await self._command(spec) for spec in self._sandbox.pod["spec"]["containers"]}
                break
            except ConfigError as error:
                await self._tell({name: waiting("CreateContainerConfigError", str(error)) for name in self.containers})
                await asyncio.sleep(_RETRY_SECONDS)
        for name, (words, variables) in commands.items():
            await self.containers[name].start(words, variables, self._sandbox.address)

    async def _fail_to_pull(self, image: str) -> None:
        error = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": no such host'
        await self._tell({name: waiting("ErrImagePull", error) for name in self.containers})
        await asyncio.sleep(_RETRY_SECONDS)
        backing_off = f'Back-off pulling image "{image}": ErrImagePull: {error}'
        await self._tell({name: waiting("ImagePullBackOff", backing_off) for name in self.containers})
        await asyncio.Event().wait()

    async def _command(self, spec: Object) -> tuple[list[str], dict[str, str]]:
        pod = self._sandbox.pod | {
            "status": {"podIP": self._sandbox.address, "hostIP": self._sandbox.node_address},
        }
        variables = await environment.variables(pod, spec, self._read)
        return environment.command_line(spec, self._images.get(spec["image"], ()), variables), variables

    async def _read(self, kind: str, name: str) -> Mapping[str, str] | None:
        path = f"/api/v1/namespaces/{self._metadata['namespace']}/{kind.lower()}s/{name}"
        try:
            return environment.decoded(kind, await persist(lambda: self._api.get(path)))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    async def _run_to_the_end(self) -> None:
        """Tell each change of the containers' states until all of them have terminated."""
        ends = {asyncio.ensure_future(container.ended()) for container in self.containers.values() if container.state}
        stopping = asyncio.ensure_future(self._stop())
        try:
            if any("running" in container.state for container in self.containers.values()):
                await self._tell(self._states())
            while ends:
                _, ends = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if ends:
                    await self._tell(self._states())
        finally:
            stopping.cancel()
        await self._tell(self._states())

    async def _stop(self) -> None:
        """Once the pod is to end: SIGTERM, the grace period, SIGKILL."""
        await self._stopping.wait()
        await self._awake.wait()
        for number in (signal.SIGTERM, signal.SIGKILL):
            for container in self.containers.values():
                container.signal(number)
            await asyncio.sleep(self._grace)

    def _states(self) -> dict[str, Object]:
        now = datetime.now(UTC)
        never_ran = terminated(
            137, "ContainerStatusUnknown", "The container could not be located when the pod was terminated", now, now
        )
        return {name: container.state or never_ran for name, container in self.containers.items()}

    async def _tell(self, states: Mapping[str, Object]) -> None:
        await self._awake.wait()
        told = status(self._sandbox, states, datetime.now(UTC), self._ending)
        body = {"metadata": {"uid": self._metadata["uid"]}, "status": told}
        await persist(lambda: self._api.patch(f"{self._path}/status", body))

    async def _remove(self) -> None:
        await self._awake.wait()
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._metadata["uid"]}}
        await persist(lambda: self._api.delete(self._path, options))


def _not_supported(pod: Object) -> str | None:
    if pod["spec"].get("initContainers"):
        return "the node agent of the tests runs no init containers"
    if pod["spec"]["restartPolicy"] == "OnFailure":
        return "the node agent of the tests starts no container again, as restartPolicy OnFailure asks for"
    return None
