"""Scraping a local trainer: about once a second, and at once when it has written its record.

The record is the trainer's last word before it ends, or lingers to be scraped. So the file is looked for often, which
costs a microsecond, and the trainer never waits long for its last scrape.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp

from study_operator.backends.local.runs import RECORD_FILE
from study_operator.backends.local.samples import SampleFile
from study_operator.metrics.exposition import ExpositionInvalid, parse_exposition

INTERVAL = 1.0
"""Seconds between scrapes."""

RECORD_INTERVAL = 0.025
"""Seconds between two looks for the record."""

TIMEOUT = aiohttp.ClientTimeout(total=10.0, connect=2.0)

LARGEST_EXPOSITION = 16 * 2**20
"""Bytes of one answer that are read."""

_ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"

_log = logging.getLogger(__name__)


class Scraper:
    """Scrapes the run in ``folder`` until it is over."""

    def __init__(self, folder: Path, port: int, samples: SampleFile, clock: Callable[[], float]) -> None:
        self._name = folder.name
        self._record = folder / RECORD_FILE
        self._address = f"http://127.0.0.1:{port}/metrics"
        self._samples = samples
        self._clock = clock
        self._told: set[str] = set()

    async def run(self, session: aiohttp.ClientSession, over: asyncio.Event) -> None:
        """Until ``over`` is set; a scrape that is under way then is brought to its end."""
        loop = asyncio.get_running_loop()
        due, recorded = loop.time() + INTERVAL, False
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), INTERVAL if recorded else RECORD_INTERVAL)
                return
            last = not recorded and self._has_record()
            if last or loop.time() >= due:
                recorded = recorded or last
                due = loop.time() + INTERVAL
                await self._scrape(session)

    async def _scrape(self, session: aiohttp.ClientSession) -> None:
        scraped = int(self._clock() * 1000)
        try:
            async with session.get(self._address, headers={"Accept": _ACCEPT}, timeout=TIMEOUT) as response:
                if response.status != 200:
                    self._tell(f"its metrics endpoint answers with status {response.status}")
                    return
                body = await _body(response)
                content_type = response.headers.get("Content-Type", "")
            await asyncio.to_thread(self._keep, body, content_type, scraped)
        except (aiohttp.ClientConnectionError, TimeoutError):
            return  # not listening yet, or any more, or never: the record is enough
        except aiohttp.ClientError as error:
            self._tell(f"its metrics endpoint does not speak HTTP: {error}")
        except ExpositionInvalid as error:
            self._tell(str(error))
        except OSError as error:
            self._tell(f"its samples cannot be kept: {error.strerror}")

    def _keep(self, body: bytes, content_type: str, scraped: int) -> None:
        self._samples.append(parse_exposition(body, content_type, LARGEST_EXPOSITION), scraped)

    def _has_record(self) -> bool:
        with suppress(OSError):
            return self._record.stat().st_size > 0
        return False

    def _tell(self, fault: str) -> None:
        """Once a run: what is wrong at one scrape is wrong at the next."""
        if fault not in self._told:
            self._told.add(fault)
            _log.warning("%s: %s", self._name, fault)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """At most one byte more than is allowed, so that too much is told as too much."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if len(body) > LARGEST_EXPOSITION:
            break
    return bytes(body)
