"""Prometheus as the source of curves.

Every failure to get an answer is one exception that says what to do about it, and how long to wait where Prometheus
told. Nothing is retried here: the controller backs off, in one place for all sources. Secrets are read from their files
at each query, so a rotated one needs no restart, and none is ever part of a message.
"""

from __future__ import annotations

import asyncio
import base64
import email.utils
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from yarl import URL

from study_operator.metrics.query import ResultInvalid, Series, curves_of, range_query, read_result
from study_operator.metrics.source import CurveAnswer, CurveRequest, SourceUnavailable
from study_operator.results.sentences import clean
from study_operator.results.trial import Source

MARGIN_MILLISECONDS = 660_000
"""Asked for before the start and after the end: Prometheus takes samples up to 10 minutes ahead of its own clock."""
LONGEST_RESPONSE = 2 * 2**20
"""Bytes; about 55,000 samples, which json reads in 30 ms without letting another thread run. A larger answer is asked
for again, in two halves of its time."""
MOST_REQUESTS = 128
"""For one run: enough for a million points, and a bound for a trainer that reports without end."""
LARGEST_INLINE = 256 * 1024
"""Bytes that are parsed on the event loop, in about 3 ms; more goes to a thread."""
LONGEST_RETRY_AFTER = 3600.0
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """Where Prometheus is and what it asks for. ``url`` may have a path: the prefix below which ``/api/v1`` lies.

    Raises ValueError for a combination that cannot work, with a sentence.
    """

    url: str
    bearer_token_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 30.0

    def __post_init__(self) -> None:
        url = URL(self.url)
        if url.user or url.password:
            raise ValueError("the URL of Prometheus must not carry credentials: give a username and a password file")
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"the URL of Prometheus must be http://HOST or https://HOST, got {self.url!r}")
        if self.bearer_token_file and self.username:
            raise ValueError("Prometheus is asked with a bearer token or with a username and password, not with both")
        if bool(self.username) != bool(self.password_file):
            raise ValueError("basic authentication at Prometheus needs both a username and a password file")
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("a client certificate for Prometheus needs both a certificate file and a key file")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of TLS."""
        return tuple(file for file in (self.ca_file, self.certificate_file, self.key_file) if file)


class PrometheusSource:
    """Reads curves through Prometheus' HTTP API. ``clock`` tells unix seconds, for dates in Retry-After."""

    source = Source.PROMETHEUS

    def __init__(self, settings: PrometheusSettings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._endpoint = URL(settings.url) / "api/v1/query"
        self._session: aiohttp.ClientSession | None = None
        self._tls: tuple[tuple[int, ...], ssl.SSLContext] | None = None

    async def curves(self, request: CurveRequest) -> CurveAnswer:
        """The raw samples of the run, joined to their steps. Raises SourceUnavailable."""
        begin = int(request.started * 1000) - MARGIN_MILLISECONDS
        end = int(request.finished * 1000) + MARGIN_MILLISECONDS
        windows = [(begin, max(end, begin + 1))]
        parts: list[Series] = []
        for _ in range(MOST_REQUESTS):
            if not windows:
                break
            begin, end = windows.pop()
            try:
                parts.append(await self._samples(request, begin, end))
            except _TooLarge:
                middle = (begin + end) // 2
                windows += [(middle, end), (begin, middle)]
                if middle == begin:  # a millisecond has no halves
                    break
        if windows:
            problem = f"the curves of {request.run} are too large to be read from Prometheus: report less often"
            return CurveAnswer({}, has_steps=False, final=True, problem=problem)
        if len(parts) == 1:
            return curves_of(parts, request.metrics)
        return await asyncio.to_thread(curves_of, parts, request.metrics)

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _samples(self, request: CurveRequest, begin: int, end: int) -> Series:
        """Those later than ``begin`` and up to ``end``; before version 3, Prometheus returns those at ``begin`` as
        well.
        """
        query = range_query(request.namespace, request.run, request.metrics, end - begin)
        body = await self._ask({"query": query, "time": f"{end / 1000:.3f}"})
        try:
            if len(body) <= LARGEST_INLINE:
                return read_result(body)
            return await asyncio.to_thread(read_result, body)
        except ResultInvalid as error:
            raise self._unavailable(f"gave an answer that is none of its own: {error}. Check the URL") from error

    async def _ask(self, parameters: Mapping[str, str]) -> bytes:
        headers, tls = self._headers(), self._tls_context()
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
            )
        asked = self._session.get(self._endpoint, params=parameters, headers=headers, ssl=tls, allow_redirects=False)
        try:
            async with asked as response:
                body = await _bounded(response)
                if response.status != 200:
                    raise self._refusal(response, body)
                return body
        except TimeoutError as error:
            raise self._unavailable(f"did not answer within {self._settings.timeout:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a header that cannot be sent
            raise self._unavailable(f"cannot be reached: {error}") from error

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        headers = dict(settings.headers)
        if settings.bearer_token_file:
            headers["Authorization"] = f"Bearer {self._secret(settings.bearer_token_file)}"
        elif settings.username and settings.password_file:
            credentials = f"{settings.username}:{self._secret(settings.password_file)}"
            headers["Authorization"] = f"Basic {base64.b64encode(credentials.encode()).decode()}"
        return headers

    def _secret(self, file: Path) -> str:
        try:
            return file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._unavailable(f"needs a secret that {file} does not give ({_why(error)})") from error

    def _tls_context(self) -> ssl.SSLContext | bool:
        """Made anew when one of its files has changed."""
        settings = self._settings
        if not settings.files:
            return True
        try:
            versions = tuple(file.stat().st_mtime_ns for file in settings.files)
            if self._tls is None or self._tls[0] != versions:
                context = ssl.create_default_context(cafile=settings.ca_file)
                if settings.certificate_file:
                    context.load_cert_chain(settings.certificate_file, settings.key_file)
                self._tls = versions, context
        except (OSError, ValueError) as error:
            files = ", ".join(map(str, settings.files))
            raise self._unavailable(f"needs certificates that {files} do not give ({_why(error)})") from error
        return self._tls[1]

    def _refusal(self, response: aiohttp.ClientResponse, body: bytes) -> SourceUnavailable | _TooLarge:
        status, told = response.status, _error(body)
        if status == 422 and "too many samples" in told:
            return _TooLarge()
        if status in (401, 403):
            return self._unavailable(f"refused the operator ({status}): {self._advice()}")
        if status == 404:
            return self._unavailable(f"has no query API at {self._endpoint} (404): check the path prefix in its URL")
        if 300 <= status < 400:
            return self._unavailable(f"redirects elsewhere ({status}): give its final URL, past any login page")
        because = f": {told}" if told else ""
        if status in (429, 503):
            wait = self._retry_after(response.headers.get("Retry-After", ""))
            return self._unavailable(f"cannot answer now ({status}){because}", wait)
        return self._unavailable(f"answered with an error ({status}){because}")

    def _advice(self) -> str:
        settings = self._settings
        if settings.bearer_token_file:
            return f"check the token in {settings.bearer_token_file} and what it may do"
        if settings.username:
            return f"check the user {settings.username} and the password in {settings.password_file}"
        return "give it a bearer token, or a username and password"

    def _retry_after(self, value: str) -> float | None:
        """Seconds, or a date (RFC 9110, section 10.2.3)."""
        try:
            seconds = float(value) if value.isdecimal() else _unix(value) - self._clock()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)

    def _unavailable(self, what: str, retry_after: float | None = None) -> SourceUnavailable:
        return SourceUnavailable(f"Prometheus at {self._settings.url} {clean(what)}.", retry_after)


class _TooLarge(Exception):
    """The answer is larger than we or Prometheus put up with."""


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > LONGEST_RESPONSE:
            raise _TooLarge
    return bytes(body)


def _error(body: bytes) -> str:
    """Prometheus' own words on why it refused."""
    try:
        return clean(str(json.loads(body)["error"]), 256)
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _unix(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp()


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
