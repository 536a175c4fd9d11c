"""The operator's process, from its probes to its watches.

It starts in this order: the probes; standing by until this replica holds the lease; waiting until the resources are
installed; every study once; the controller and the watches. Whatever of it ends first ends the process, and the cluster
starts it again: nothing is kept in memory that cannot be read back.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import kopf
import scipy.stats  # noqa: F401 - it loads lazily elsewhere, and the first study is not to wait for it
from kubernetes.aio.client import Configuration

from study_operator.backends.kubernetes.backend import DEFAULT_LINGER, KubernetesBackend
from study_operator.backends.kubernetes.client import STUDIES, TRIALS, Client, load_configuration
from study_operator.backends.kubernetes.missing_pods import MissingPods
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.backends.port import BackendError, Unavailable
from study_operator.controller import Controller
from study_operator.edge.feed import Feed
from study_operator.edge.health import Health, Stage
from study_operator.edge.lease import Lease, LeaseLost
from study_operator.edge.relist import Relist
from study_operator.edge.settings import OperatorSettings, own_identity
from study_operator.edge.telemetry import OperatorTelemetry
from study_operator.edge.watch import watch_registry, watch_settings
from study_operator.metrics.prometheus import PrometheusSource
from study_operator.metrics.source import MetricsSource, NoMetrics

RETRY = 5.0
"""Seconds until something that the whole process waits for is tried again."""

EXIT_LEASE_LOST = 3
"""The exit code of a process that had to stop acting at once."""

logger = logging.getLogger(__name__)


async def serve(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises what else ended it; a lost lease ends the process on the spot."""
    telemetry = OperatorTelemetry(asyncio.get_running_loop().time)
    health = Health(telemetry)
    async with health.serve(settings.http_address, settings.http_port):
        configuration, refresh = await load_configuration(settings.kubeconfig)
        try:
            await _Process(settings, configuration, telemetry, health).run()
        finally:
            if refresh is not None:
                refresh.cancel()


class _Process:
    """One replica of the operator."""

    def __init__(
        self, settings: OperatorSettings, configuration: Configuration, telemetry: OperatorTelemetry, health: Health
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._telemetry = telemetry
        self._health = health
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Stand by, act, and end when asked to."""
        self._heed_signals()
        await _first_to_end(self._stop.wait(), self._stand_by_and_act())

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)

    async def _stand_by_and_act(self) -> None:
        if self._settings.lease is None:
            await self._act(guard=lambda: None)
            return
        client = Client(self._configuration, counted=self._telemetry.requested)
        lease = Lease(client, self._settings.lease, own_identity(), now=_now)
        try:
            self._health.stage = Stage.STANDING_BY
            await lease.acquire()
            self._health.stage = Stage.STARTING
            await _first_to_end(self._act(guard=lease.check), _keep(lease))
        finally:
            await lease.release()
            await client.close()

    async def _act(self, guard: Callable[[], None]) -> None:
        """Everything that one replica alone may do."""
        settings, clock = self._settings, asyncio.get_running_loop().time
        client = Client(self._configuration, guard=guard, counted=self._telemetry.requested)
        metrics: MetricsSource = PrometheusSource(settings.prometheus) if settings.prometheus else NoMetrics()
        linger = DEFAULT_LINGER if settings.prometheus else 0
        backend = KubernetesBackend(client, now=_now, clock=clock, linger=linger)
        controller = Controller(backend, metrics, settings.controller, now=_now, telemetry=self._telemetry)
        feed = Feed(controller, RunObserver(controller))
        relist = Relist(client, feed, settings.namespaces)
        try:
            await self._find_resources(client)
            await _persist("list the studies", relist.studies)
            _settle_garbage_collection()
            self._telemetry.leading()
            self._health.stage = Stage.ACTING
            await _first_to_end(
                controller.run(),
                _look_for_pods(MissingPods(client, feed.runs), clock),
                _resync(relist, controller, settings.resync),
                self._watch(feed, client),
            )
        finally:
            await metrics.close()
            await client.close()

    async def _find_resources(self, client: Client) -> None:
        """Wait until they can be listed."""
        await _persist("find the resources studies and trials", lambda: self._look_for_resources(client))

    async def _look_for_resources(self, client: Client) -> None:
        namespace = self._settings.namespaces[0] if self._settings.namespaces else None
        for resource in (STUDIES, TRIALS):
            await anext(client.pages(resource.path(namespace), metadata_only=True))

    async def _accepted_again(self, client: Client) -> None:
        """Wait until the API server, which has just refused the watches, accepts the operator's credentials."""
        logger.warning("the API server does not accept the watches' credentials any more; they wait until it does")
        await asyncio.sleep(RETRY)
        await self._find_resources(client)
        logger.info("the API server accepts the operator's credentials again")

    async def _watch(self, feed: Feed, client: Client) -> None:
        started = asyncio.Event()
        watches = kopf.operator(
            registry=watch_registry(feed, self._configuration, lambda: self._accepted_again(client)),
            settings=watch_settings(),
            standalone=True,
            clusterwide=not self._settings.namespaces,
            namespaces=self._settings.namespaces,
            ready_flag=started,
            # Left to itself kopf asks for the name of the process's user, and a container's user often has none.
            identity=own_identity(),  # type: ignore[arg-type]  # kopf's type for it is private
        )
        try:
            await _first_to_end(watches, self._heed_signals_again(started))
        except Exception as error:  # kopf has logged its trace
            raise Unavailable(f"the watches ended; was a custom resource definition deleted? {error}") from error
        raise Unavailable("the watches ended")

    async def _heed_signals_again(self, started: asyncio.Event) -> None:
        """Take the signals back from kopf, which puts its own handlers in place as it starts."""
        await started.wait()
        self._heed_signals()
        await asyncio.Event().wait()


def _settle_garbage_collection() -> None:
    """Look through what stays for ever no more: a full collection over it holds up the event loop for 90 ms and more,
    every few seconds (measured by gc.callbacks).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def _keep(lease: Lease) -> None:
    try:
        await lease.keep()
    except LeaseLost as lost:
        logger.critical("the lease was lost, ending at once: %s", lost)
        logging.shutdown()
        os._exit(EXIT_LEASE_LOST)


async def _persist(what: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await work()
        except BackendError as error:
            logger.warning("cannot %s, trying again in %g s: %s", what, RETRY, error)
        await asyncio.sleep(RETRY)


async def _resync(relist: Relist, controller: Controller, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        await _persist("list the studies", relist.studies)
        await _persist("list the Jobs", relist.jobs)
        controller.resync(spread=interval)


async def _look_for_pods(missing: MissingPods, clock: Callable[[], float]) -> None:
    while True:
        await asyncio.sleep(1.0)
        try:
            await missing.look(clock())
        except BackendError as error:
            logger.info("cannot look for the pods of Jobs that have none: %s", error)
            await asyncio.sleep(RETRY)


async def _first_to_end(*works: Coroutine[Any, Any, object]) -> None:
    """Run all until one ends, then end the others; raises what the first raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now() -> datetime:
    return datetime.now(UTC)
