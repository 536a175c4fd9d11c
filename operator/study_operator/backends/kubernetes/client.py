"""A thin client of the API server: JSON in, JSON out.

Configuration, credentials, TLS and the connection pool are those of ``kubernetes.aio``. Its model classes and its
parameter serialization are left aside, because they cost more than the request itself: manifests are dicts on both
ends.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yaml
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config, refresh_token
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME
from kubernetes.aio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION

from study_operator.api.names import API_VERSION
from study_operator.backends.kubernetes.errors import Expired, failure
from study_operator.backends.port import BackendError, Unavailable

Json = dict[str, Any]

PAGE_SIZE = 500
"""Objects a page of a listing. Pages bound the memory of both ends at a cost that does not show."""

_TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=5.0)
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=150.0)
"""A watch has a bookmark about every minute; one that is silent for longer is a broken connection."""
_CONNECTIONS = 64
_NO_KUBECONFIG = (AttributeError, LookupError, TypeError, ValueError, yaml.YAMLError)
"""What kubernetes.aio's loader stumbles over in a file of another kind."""
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Resource:
    """A namespaced resource: its API, such as ``batch/v1``, and its plural."""

    api_version: str
    plural: str

    def path(self, namespace: str | None, *parts: str) -> str:
        """The path of the collection, or of the object and subresource in ``parts``; None is all namespaces."""
        root = "apis" if "/" in self.api_version else "api"
        scope = () if namespace is None else ("namespaces", quote(namespace, safe=""))
        return "/".join(("", root, self.api_version, *scope, self.plural, *(quote(part, safe="") for part in parts)))


STUDIES = Resource(API_VERSION, "studies")
TRIALS = Resource(API_VERSION, "trials")
JOBS = Resource("batch/v1", "jobs")
PODS = Resource("v1", "pods")
EVENTS = Resource("v1", "events")
LEASES = Resource("coordination.k8s.io/v1", "leases")


class ConfigurationError(BackendError):
    """Neither a kubeconfig nor a service account was found; the message says where was looked."""


async def load_configuration(kubeconfig: Path | None) -> tuple[Configuration, asyncio.Task[None] | None]:
    """How to reach the API server, and the task that keeps a kubeconfig's short-lived credentials fresh.

    Without ``kubeconfig`` it is the pod's service account, or else the user's default kubeconfig. Raises
    ConfigurationError.
    """
    configuration = Configuration()
    refresh = None
    try:
        if kubeconfig is None and SERVICE_HOST_ENV_NAME in os.environ:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            loader = await load_kube_config(  # type: ignore[no-untyped-call]
                config_file=_kubeconfig(kubeconfig),
                client_configuration=configuration,
                persist_config=False,
            )
            refresh = asyncio.create_task(refresh_token(loader, configuration))  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise ConfigurationError(f"no access to an API server: {error}") from error
    except _NO_KUBECONFIG as error:
        raise ConfigurationError(
            f"no access to an API server: {kubeconfig or 'the default kubeconfig'} is not a kubeconfig"
        ) from error
    configuration.proxy = configuration.proxy or _environment_proxy(configuration.host)
    # aiohttp would look at the environment's proxies again with every request, which doubles the request's cost.
    configuration.client_session_kwargs = {"trust_env": False}
    configuration.connection_pool_maxsize = _CONNECTIONS
    return configuration, refresh


def _kubeconfig(given: Path | None) -> str:
    """The file, or the files in the form of KUBECONFIG. Raises ConfigurationError where there is none of them."""
    files = KUBE_CONFIG_DEFAULT_LOCATION if given is None else str(given)
    if not any(Path(file).expanduser().exists() for file in files.split(os.pathsep) if file):
        raise ConfigurationError(f"no access to an API server: there is no kubeconfig {files}, and this is no pod")
    return str(files)


def _environment_proxy(url: str) -> str | None:
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def _unguarded() -> None: ...


def _uncounted(verb: str, code: str) -> None: ...


class Client:
    """Requests to one API server; to be made and used within one event loop.

    Every method may raise the port's exceptions. ``guard`` is called before each request that writes, and may raise one
    of them; ``counted`` is told each request's verb and its code (``error`` where there was no response).
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        guard: Callable[[], None] = _unguarded,
        counted: Callable[[str, str], None] = _uncounted,
        user_agent: str = f"study-operator/{version('study-operator')}",
    ) -> None:
        self.configuration = configuration
        self._api: Any = ApiClient(configuration)
        self._guard = guard
        self._counted = counted
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def read(self, path: str) -> Json:
        """The object as it is. Raises NotFound."""
        return await self._object(self._send("get", "GET", path))

    async def create(self, path: str, body: Json, *, dry_run: bool = False) -> Json:
        """The object as it was created, or with ``dry_run`` as it would have been."""
        if not dry_run:
            self._guard()
        return await self._object(self._send("create", "POST", path, body, {"dryRun": "All"} if dry_run else {}))

    async def replace(self, path: str, body: Json) -> Json:
        """Raises Conflict if the object's resourceVersion is no longer that of ``body``."""
        self._guard()
        return await self._object(self._send("update", "PUT", path, body))

    async def patch(self, path: str, operations: Sequence[Json]) -> Json:
        """Apply a JSON patch (RFC 6902): unlike a merge, its ``add`` replaces a whole status at once."""
        self._guard()
        return await self._object(
            self._send("patch", "PATCH", path, operations, content_type="application/json-patch+json")
        )

    async def delete(self, path: str, uid: str) -> None:
        """Delete that very object. Raises Conflict if another one has its name by now."""
        self._guard()
        body = _delete_options() | {"preconditions": {"uid": uid}}
        await self._object(self._send("delete", "DELETE", path, body))

    async def delete_collection(self, path: str, label_selector: str) -> None:
        """Delete every object that the selector matches, in one request."""
        self._guard()
        query = {"labelSelector": label_selector}
        await self._object(self._send("deletecollection", "DELETE", path, _delete_options(), query))

    async def pages(
        self, path: str, *, label_selector: str = "", field_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[list[Json]]:
        """The collection, page by page. An object may come twice if the listing had to go on from newer data."""
        query = {"limit": str(PAGE_SIZE), "labelSelector": label_selector, "fieldSelector": field_selector}
        position: str | None = ""
        while position is not None:
            try:
                page = await self._object(
                    self._send(
                        "list",
                        "GET",
                        path,
                        query={**query, "continue": position},
                        accept=_METADATA_ONLY if metadata_only else None,
                    )
                )
            except Expired as expired:
                position = expired.position or ""
                continue
            yield page["items"] or []  # the API server writes an empty list of metadata as null
            position = page["metadata"].get("continue") or None

    async def snapshot(self, path: str, field_selector: str) -> tuple[list[Json], str]:
        """The objects that match, and the version from which :meth:`watch` goes on."""
        listed = await self._object(self._send("list", "GET", path, query={"fieldSelector": field_selector}))
        return listed["items"] or [], listed["metadata"]["resourceVersion"]

    async def watch(self, path: str, version: str, field_selector: str) -> AsyncIterator[tuple[str, Json]]:
        """What has happened to the objects that match since ``version``, until the server ends the watch.

        Each is a pair: ADDED, MODIFIED or DELETED with the object, or BOOKMARK with a version alone. Raises Expired
        where ``version`` is too old.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true"}
        query |= {"resourceVersion": version, "fieldSelector": field_selector}
        response = await self._send("watch", "GET", path, query=query, timeout=_WATCH_TIMEOUT)
        try:
            with _reached():
                async for line in response.content:
                    event = self._decoded(line)
                    if event["type"] == "ERROR":
                        raise failure(event["object"].get("code", 500), event["object"], None)
                    yield event["type"], event["object"]
        finally:
            response.close()

    async def _object(self, sending: Awaitable[aiohttp.ClientResponse]) -> Json:
        response = await sending
        with _reached():
            data = await response.read()
        return self._decoded(data)

    async def _send(
        self,
        verb: str,
        method: str,
        path: str,
        body: Json | Sequence[Json] | None = None,
        query: Mapping[str, str] = {},
        *,
        content_type: str = "application/json",
        accept: str | None = None,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,
    ) -> aiohttp.ClientResponse:
        """The response, its body yet to be read; a refusal is raised."""
        parameters = urlencode([(name, value) for name, value in query.items() if value])
        headers = {**self._headers, "Content-Type": content_type}
        if accept is not None:
            headers["Accept"] = accept
        code = "error"
        try:
            with _reached():
                await self._api.update_params_for_auth(headers, None, ["BearerToken"], path, method, None)
                answer = await self._api.rest_client.request(
                    method,
                    f"{self.configuration.host}{path}{'?' if parameters else ''}{parameters}",
                    headers=headers,
                    body=body,
                    _request_timeout=timeout,
                )
                response: aiohttp.ClientResponse = answer.response
                data = await response.read() if response.status >= 400 else b""
            code = str(response.status)
        finally:
            self._counted(verb, code)
        if response.status >= 400:
            told = _json(data) or {"message": data[:200].decode(errors="replace").strip()}
            raise failure(response.status, told, response.headers.get("Retry-After"))
        return response

    def _decoded(self, data: bytes) -> Json:
        answer = _json(data)
        if answer is None:
            raise Unavailable(f"something other than the API server answered at {self.configuration.host}")
        return answer


@contextmanager
def _reached() -> Iterator[None]:
    """What keeps an answer from arriving, in one sentence."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unavailable(f"the API server cannot be reached: {str(error) or type(error).__name__}") from error


def _delete_options() -> Json:
    return {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}


def _json(data: bytes) -> Json | None:
    """The object in the body; None where something in between, such as a proxy, answered with a page of its own."""
    try:
        answer = json.loads(data)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
