"""The node of the tests, in a thread of its own, with the faults that a test can ask for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.cluster.api import Api
from tests.cluster.control_plane import Access
from tests.cluster.node import Node, NodeSettings
from tests.cluster.pod_status import NODE_PRESSURE
from tests.cluster.server import Running

_Result = TypeVar("_Result")
_START_SECONDS = 30.0


class NodeAgent(Running):
    """Runs the pods of a control plane as local processes; stopping it ends them all.

    A thread of its own keeps the node alive while a test blocks, and serves tests with and without an event loop alike.
    """

    def __init__(self, access: Access, folder: Path, settings: NodeSettings = NodeSettings()) -> None:  # noqa: B008 (frozen)
        self._access = access
        self._folder = folder
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=settings.name, daemon=True)
        self._api: Api
        self._node: Node
        self._work: asyncio.Task[None]

    def start(self) -> None:
        self._thread.start()
        try:
            self._call(self._start)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        try:
            self._call(self._stop)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def evict(self, namespace: str, pod: str) -> None:
        """Evict through the Eviction API, as a node drain does; DisruptionTarget says EvictionByEvictionAPI."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        self._call(lambda: self._api.create(path, eviction))

    def evict_under_pressure(self, namespace: str, pod: str) -> None:
        """Fail the pod as a node low on memory does: reason Evicted; DisruptionTarget says TerminationByKubelet."""
        self._call(lambda: _async(lambda: self._node.runner(namespace, pod).end(NODE_PRESSURE, grace=0)))

    def oom_kill(self, namespace: str, pod: str, container: str | None = None) -> None:
        """Kill one container of the pod (the first, unless named) as the kernel does at its memory limit."""

        def kill() -> None:
            containers = self._node.runner(namespace, pod).containers
            containers[container or next(iter(containers))].out_of_memory()

        self._call(lambda: _async(kill))

    def pause(self) -> None:
        """Fall silent, as a node cut off from the network: processes go on, but nothing is placed, started, stopped
        or told."""
        self._call(lambda: _async(self._node.awake.clear))

    def resume(self) -> None:
        self._call(lambda: _async(self._node.awake.set))

    def log(self, namespace: str, pod: str, container: str | None = None) -> str:
        """What the container (the first, unless named) has written so far."""

        def path() -> Path:
            containers = self._node.runner(namespace, pod).containers
            return containers[container or next(iter(containers))].log

        return self._call(lambda: _async(path)).read_text(errors="replace")

    async def _run(self, registered: asyncio.Event) -> None:
        self._api = Api(self._access)
        try:
            self._node = Node(self._api, self._folder, self._settings)
            await self._node.run(registered)
        finally:
            await self._api.close()

    async def _start(self) -> None:
        registered = asyncio.Event()
        self._work = asyncio.create_task(self._run(registered))
        waiting = asyncio.ensure_future(registered.wait())
        await asyncio.wait({self._work, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=_START_SECONDS)
        if self._work.done():
            self._work.result()
        if not waiting.done():
            raise TimeoutError(f"node {self._settings.name} could not register in {_START_SECONDS} s")

    async def _stop(self) -> None:
        self._work.cancel()
        with suppress(asyncio.CancelledError):
            await self._work

    def _call(self, work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()


async def _async(action: Callable[[], _Result]) -> _Result:
    return action()
