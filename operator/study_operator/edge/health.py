"""The probes and the metrics endpoint.

``/healthz`` fails when restarting the process would help: it does not answer, or its passes no longer progress. An API
server that is away is no reason, since a restart would not bring it back. ``/readyz`` tells whether the replica does
its part: it acts, or it stands by for the lease, which is the whole part of a second replica and must not hold up a
rollout.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from study_operator.edge.telemetry import OperatorTelemetry


class Stage(StrEnum):
    """How far the process has come."""

    STARTING = "starting"
    STANDING_BY = "standing by"
    ACTING = "acting"

    @property
    def ready(self) -> bool:
        """Whether a replica in this stage does its part."""
        return self is not Stage.STARTING


class Health:
    """The stage of this process, shared between what runs it and what is asked about it."""

    def __init__(self, telemetry: OperatorTelemetry) -> None:
        self.stage = Stage.STARTING
        self._telemetry = telemetry

    @asynccontextmanager
    async def serve(self, address: str, port: int) -> AsyncIterator[None]:
        """Answer on ``address`` (empty: all) for as long as the context lasts."""
        app = web.Application()
        app.add_routes(
            [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, address or None, port).start()
            yield
        finally:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        stuck = self._telemetry.stuck()
        return web.Response(text="no pass progresses\n" if stuck else "ok\n", status=500 if stuck else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.Response(text=f"{self.stage}\n", status=200 if self.stage.ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = generate_latest(self._telemetry.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
