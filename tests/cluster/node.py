"""A node that needs no root: it plays kube-scheduler and kubelet, and runs containers as local processes.

It talks to the API server as those two do (bindings, status patches, deletions with grace period 0), so the Job
controller, eviction and Prometheus' discovery see nothing unusual. Every pod has a loopback address of its own, which
lets the trainers of several pods listen on one port.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import aiohttp

from tests.cluster.api import Api, ApiError, Object, persist
from tests.cluster.placement import refusal
from tests.cluster.pod_runner import PodRunner
from tests.cluster.pod_status import DELETED, Sandbox, timestamp

logger = logging.getLogger(__name__)
_CLAIM_PORT = 20_000 - 1  # below the ports that servers of the tests take
_RECONNECT_SECONDS = 0.2
_ADDRESSES = 253


@dataclass(frozen=True, slots=True)
class NodeSettings:
    name: str = "node-0"
    cpu: str = "64"
    memory: str = "256Gi"
    pods: int = 110
    gpus: int = 0
    """How many nvidia.com/gpu the node has; with 0 it does not know the resource."""
    labels: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The entrypoint of an image, for containers that give no command."""
    places_pods: bool = True
    """Off where the real kube-scheduler runs."""

    @property
    def capacity(self) -> dict[str, str]:
        gpus = {"nvidia.com/gpu": str(self.gpus)} if self.gpus else {}
        return {"cpu": self.cpu, "memory": self.memory, "pods": str(self.pods), **gpus}


class Node:
    """The node of one control plane, on one event loop."""

    def __init__(self, api: Api, folder: Path, settings: NodeSettings) -> None:
        self._api = api
        self._folder = folder
        self._settings = settings
        self._labels = {"kubernetes.io/hostname": settings.name, "kubernetes.io/os": "linux", **settings.labels}
        self._claim, self._network = _claim_network()
        self._addresses = cycle(f"{self._network}.{number}" for number in range(1, _ADDRESSES + 1))
        self._pods: dict[str, Object] = {}
        self._runners: dict[str, PodRunner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self.awake = asyncio.Event()
        self.awake.set()

    async def run(self, registered: asyncio.Event) -> None:
        """Follow the API server's pods until cancelled; then end every process."""
        try:
            await self._register()
            registered.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_pods())
                if self._settings.places_pods:
                    group.create_task(self._place_pods())
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._claim.close()

    def runner(self, namespace: str, name: str) -> PodRunner:
        """Raises LookupError when the pod does not run here."""
        for uid, runner in self._runners.items():
            metadata = self._pods[uid]["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                return runner
        raise LookupError(f"no pod {namespace}/{name} on {self._settings.name}")

    async def _register(self) -> None:
        now = timestamp(datetime.now(UTC))
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        node = {
            "metadata": {"name": self._settings.name, "labels": self._labels},
            "status": {
                "capacity": self._settings.capacity,
                "allocatable": self._settings.capacity,
                "conditions": [ready],
                "addresses": [{"type": "InternalIP", "address": f"{self._network}.254"}],
            },
        }
        await persist(lambda: self._api.create("/api/v1/nodes", node))
        # Admission taints a new node as not ready, and there is no node-lifecycle controller to take that away.
        await persist(lambda: self._api.patch(f"/api/v1/nodes/{self._settings.name}", {"spec": {"taints": None}}))

    async def _follow_pods(self) -> None:
        while True:
            with suppress(aiohttp.ClientError, asyncio.TimeoutError, ApiError):
                listing = await self._api.get("/api/v1/pods")
                present = {pod["metadata"]["uid"]: pod for pod in listing["items"]}
                for uid in set(self._pods) - set(present):
                    self._forget(uid)
                for pod in present.values():
                    self._observe(pod)
                async for event in self._api.watch("/api/v1/pods", listing["metadata"]["resourceVersion"]):
                    if event["type"] == "DELETED":
                        self._forget(event["object"]["metadata"]["uid"])
                    else:
                        self._observe(event["object"])
            await asyncio.sleep(_RECONNECT_SECONDS)

    def _observe(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        self._pods[uid] = pod
        self._changed.set()
        if pod["spec"].get("nodeName") != self._settings.name:
            return
        if uid not in self._runners:
            self._runners[uid] = self._start(pod)
        if "deletionTimestamp" in pod["metadata"]:
            self._runners[uid].end(DELETED, pod["metadata"].get("deletionGracePeriodSeconds"))

    def _forget(self, uid: str) -> None:
        self._pods.pop(uid, None)
        self._runners.pop(uid, None)
        if task := self._tasks.pop(uid, None):
            task.cancel()
        self._changed.set()

    def _start(self, pod: Object) -> PodRunner:
        metadata = pod["metadata"]
        sandbox = Sandbox(self._free_address(), f"{self._network}.254", datetime.now(UTC), pod)
        folder = self._folder / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"
        runner = PodRunner(self._api, sandbox, folder, self._settings.images, self.awake)
        task = asyncio.create_task(runner.run(), name=f"pod {metadata['namespace']}/{metadata['name']}")
        task.add_done_callback(_report)
        self._tasks[metadata["uid"]] = task
        return runner

    def _free_address(self) -> str:
        """The next in turn, as container networks give them: for seconds after a pod's end Prometheus may scrape its
        address, and would take a new pod's points for that pod's."""
        taken = {runner.address for runner in self._runners.values()}
        return next(address for address in islice(self._addresses, _ADDRESSES) if address not in taken)

    async def _place_pods(self) -> None:
        """Bind the waiting pods in the order of their creation, each where it fits; tell the others why not."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.awake.wait()
            waiting = [pod for pod in self._pods.values() if _waits_for_a_node(pod)]
            for pod in sorted(waiting, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"])):
                with suppress(ApiError):  # gone, or changed meanwhile: its next event brings it here again
                    await self._place(pod)

    async def _place(self, pod: Object) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        placed = [other for other in self._pods.values() if _occupies(other)]
        why_not = refusal(pod, self._labels, self._settings.capacity, placed)
        if why_not is None:
            target = {"kind": "Node", "name": self._settings.name}
            binding = {"metadata": {"name": metadata["name"], "uid": metadata["uid"]}, "target": target}
            await persist(lambda: self._api.create(f"{path}/binding", binding))
            # Counted at once: its event may come after the next pod was looked at.
            pod["spec"]["nodeName"] = self._settings.name
        elif why_not != _told(pod):
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why_not}
            body = {"metadata": {"uid": metadata["uid"]}, "status": {"conditions": [condition]}}
            await persist(lambda: self._api.patch(f"{path}/status", body))


def _waits_for_a_node(pod: Object) -> bool:
    spec = pod["spec"]
    held_back = "deletionTimestamp" in pod["metadata"] or spec.get("schedulingGates")
    return not held_back and "nodeName" not in spec and spec["schedulerName"] == "default-scheduler"


def _occupies(pod: Object) -> bool:
    return "nodeName" in pod["spec"] and pod["status"].get("phase") not in ("Succeeded", "Failed")


def _told(pod: Object) -> str | None:
    conditions = pod["status"].get("conditions", ())
    return next((condition.get("message") for condition in conditions if condition["type"] == "PodScheduled"), None)


def _claim_network() -> tuple[socket.socket, str]:
    """The first three numbers of a loopback network that no other node on this machine uses, and the socket that
    claims it."""
    for number in range(256):
        claim = socket.socket()
        try:
            claim.bind((f"127.77.{number}.254", _CLAIM_PORT))
        except OSError:
            claim.close()
            continue
        return claim, f"127.77.{number}"
    raise RuntimeError("all loopback networks 127.77.x are taken by other nodes")


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("%s: %r", task.get_name(), error)
