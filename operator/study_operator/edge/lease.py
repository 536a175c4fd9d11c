"""Leader election by a Lease, so that two replicas never act at once.

``kubernetes.aio`` ships an election, but it waits for an answer longer than the lease may last, does not stop its
holder from acting on time, and does not let go of the lease at the end. This one is small because the operator's
process is simple: it stands by until it holds the lease, and it ends when it has lost it.

What keeps two replicas apart is :meth:`Lease.check`, called before every request that writes: a process that was
stopped for longer than its lease finds out before its first write, whatever its other tasks were about to do. Between
the check and the socket lie microseconds; a write that slips through there is harmless, because names are
deterministic.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from study_operator.backends.kubernetes.client import LEASES, Client
from study_operator.backends.kubernetes.errors import AlreadyExists, Conflict, NotFound
from study_operator.backends.port import BackendError, Unavailable
from study_operator.edge.settings import LeaseSettings

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The lease could not be renewed in time, or another replica holds it: this process must not act any more."""


def boot_clock() -> float:
    """Seconds that also pass while the machine or the process sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A state of the lease as another replica left it, and when it was first seen, by the own clock."""

    version: str
    at: float


class Lease:
    """One replica's part in the election. ``clock`` is monotonic; ``now`` is for people who read the Lease."""

    def __init__(
        self,
        client: Client,
        settings: LeaseSettings,
        identity: str,
        *,
        clock: Callable[[], float] = boot_clock,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._settings = settings
        self._identity = identity
        self._clock = clock
        self._now = now
        self._path = LEASES.path(settings.namespace, settings.name)
        self._seen: _Sighting | None = None
        self._renewed: float | None = None
        self._record: dict[str, Any] = {}

    def check(self) -> None:
        """Raises Unavailable unless this replica may act now."""
        if self._renewed is None or self._clock() >= self._renewed + self._settings.renew_deadline:
            raise Unavailable(f"this replica does not hold the lease {self._settings.namespace}/{self._settings.name}")

    async def acquire(self) -> None:
        """Stand by until the lease is this replica's."""
        told = ""
        while True:
            try:
                holder = await self._try_to_acquire()
            except BackendError as error:
                holder = f"nobody knows whom ({error})"
            if holder is None:
                logger.info(
                    "holding the lease %s/%s as %s", self._settings.namespace, self._settings.name, self._identity
                )
                return
            if holder != told:
                logger.info("standing by: the lease is held by %s", holder)
                told = holder
            await asyncio.sleep(self._settings.retry_period)

    async def keep(self) -> None:
        """Renew the lease until it is lost. Raises LeaseLost."""
        while True:
            await asyncio.sleep(self._settings.retry_period)
            started = self._clock()
            self._still_held()
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(self._settings.renew_deadline / 2):
                    await self._renew(started)
            self._still_held()

    async def release(self) -> None:
        """Let another replica take over at once. Best effort."""
        if self._renewed is None:
            return
        self._renewed = None
        self._record["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": self._time()}
        with suppress(BackendError, TimeoutError):
            async with asyncio.timeout(self._settings.retry_period):
                await self._client.replace(self._path, self._record)

    def _still_held(self) -> None:
        try:
            self.check()
        except Unavailable as error:
            raise LeaseLost(f"it was not renewed within {self._settings.renew_deadline:g} s") from error

    async def _renew(self, started: float) -> None:
        self._record["spec"]["renewTime"] = self._time()
        try:
            self._record = await self._client.replace(self._path, self._record)
        except (Conflict, NotFound):
            # Somebody wrote it: another replica, or this one with an answer that was lost.
            self._record = await self._read()
            if self._record["spec"].get("holderIdentity") != self._identity:
                self._renewed = None
                raise LeaseLost(f"{self._record['spec'].get('holderIdentity') or 'nobody'} holds it now") from None
            return
        self._renewed = started

    async def _read(self) -> dict[str, Any]:
        try:
            return await self._client.read(self._path)
        except NotFound:
            return {"spec": {}}

    async def _try_to_acquire(self) -> str | None:
        """None when the lease is this replica's; else who holds it."""
        started = self._clock()
        try:
            record = await self._client.read(self._path)
        except NotFound:
            return await self._create(started)
        spec = record["spec"]
        holder = spec.get("holderIdentity")
        if holder and holder != self._identity and not self._expired(record, started):
            return str(holder)
        transitions = spec.get("leaseTransitions", 0) + (holder != self._identity)
        record["spec"] = self._spec(acquired=self._time(), transitions=transitions)
        try:
            self._record = await self._client.replace(self._path, record)
        except Conflict:
            return "another replica, which was faster"
        self._renewed = started
        return None

    async def _create(self, started: float) -> str | None:
        metadata = {"name": self._settings.name, "namespace": self._settings.namespace}
        body = {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": metadata,
            "spec": self._spec(acquired=self._time(), transitions=0),
        }
        try:
            self._record = await self._client.create(LEASES.path(self._settings.namespace), body)
        except AlreadyExists:
            return "another replica, which was faster"
        self._renewed = started
        return None

    def _expired(self, record: dict[str, Any], now: float) -> bool:
        """Whether it has stood unchanged for its duration, by the own clock: clocks of two machines may differ."""
        version = record["metadata"]["resourceVersion"]
        if self._seen is None or self._seen.version != version:
            self._seen = _Sighting(version, now)
        duration: float = record["spec"].get("leaseDurationSeconds", self._settings.duration)
        return now >= self._seen.at + duration

    def _spec(self, *, acquired: str, transitions: int) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._settings.duration,
            "acquireTime": acquired,
            "renewTime": acquired,
            "leaseTransitions": transitions,
        }

    def _time(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
