"""The API server as the node agent sees it: JSON over aiohttp, no model classes."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import aiohttp

from tests.cluster.control_plane import Access

Object = dict[str, Any]
_Answer = TypeVar("_Answer")
_RETRY_SECONDS = 0.2


class ApiError(Exception):
    """The API server refused; ``code`` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """One connection pool to the API server, for one event loop."""

    def __init__(self, access: Access) -> None:
        context = ssl.create_default_context(cafile=str(access.authority))
        context.load_cert_chain(access.client.certificate, access.client.key)
        self._session = aiohttp.ClientSession(
            access.url,
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            read_bufsize=2**22,  # a watch event is one line, and must fit
            headers={"User-Agent": "node-agent"},
        )

    async def close(self) -> None:
        await self._session.close()
        await asyncio.sleep(0.25)  # TLS connections say farewell after the session has closed

    async def get(self, path: str) -> Object:
        return await self._request("GET", path)

    async def create(self, path: str, body: Object) -> Object:
        return await self._request("POST", path, body)

    async def patch(self, path: str, body: Object) -> Object:
        """A strategic merge patch, which merges conditions by their type."""
        return await self._request("PATCH", path, body, "application/strategic-merge-patch+json")

    async def delete(self, path: str, options: Object) -> Object:
        return await self._request("DELETE", path, options)

    async def watch(self, path: str, resource_version: str) -> AsyncIterator[Object]:
        """The changes since ``resource_version``, until the server ends the watch.

        Raises ApiError when the version is too old.
        """
        query = {"watch": "true", "resourceVersion": resource_version}
        async with self._session.get(path, params=query) as response:
            if response.status != 200:
                raise ApiError(response.status, await response.text())
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), event["object"].get("message", ""))
                yield event

    async def _request(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json"
    ) -> Object:
        data = None if body is None else json.dumps(body)
        async with self._session.request(method, path, data=data, headers={"Content-Type": content_type}) as response:
            answer: Object = await response.json(content_type=None)
            if response.status >= 400:
                raise ApiError(response.status, answer.get("message", ""))
            return answer


async def persist(call: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """The answer of ``call``, tried again for as long as the API server is away or overloaded, as a kubelet does."""
    while True:
        try:
            return await call()
        except ApiError as error:
            if error.code < 500 and error.code != 429:
                raise
        except (TimeoutError, aiohttp.ClientError):
            pass
        await asyncio.sleep(_RETRY_SECONDS)
