"""The watch streams, by kopf: its event handlers alone, which leave no trace on what they see.

kopf's other handlers keep their progress in annotations and finalizers of the objects, and its index grows worse than
quadratically. The handlers here are synchronous in all but name: they take note and return.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import kopf
from kubernetes.aio.client import Configuration

from study_operator.api.names import GROUP, STUDY_UID_LABEL, VERSION
from study_operator.backends.kubernetes.delays import EndlessDelays
from study_operator.edge.feed import Feed


class _NoDiffs(kopf.DiffBaseStorage):
    """Differences are what other handlers need; computing them would cost more than all else about an event."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        raise NotImplementedError("nothing is stored on the objects")


def watch_settings() -> kopf.OperatorSettings:
    """kopf as an event source and nothing else."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.networking.error_backoffs = EndlessDelays()  # kopf ends the operator when the delays end
    settings.networking.connect_timeout = 5.0
    settings.queueing.idle_timeout = 1.0
    settings.watching.chunk_size = 500
    for resource in (("batch", "v1", "jobs"), ("", "v1", "pods")):
        settings.watching.label_selectors[resource] = STUDY_UID_LABEL
    return settings


def watch_registry(
    feed: Feed, configuration: Configuration, accepted_again: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """The handlers that hand over to ``feed``, and the credentials of ``configuration``.

    When the API server refuses these, the watches stand still until ``accepted_again`` returns, and then list anew.
    """
    registry = kopf.OperatorRegistry()
    runs = feed.runs
    logins = count()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        number = next(logins)
        if number:
            await accepted_again()
        return await _connection(configuration, number)

    _on_event(registry, (GROUP, VERSION, "studies"), feed.study_changed, feed.study_gone)
    _on_event(registry, ("batch", "v1", "jobs"), runs.job_changed, runs.job_gone)
    _on_event(registry, ("", "v1", "pods"), runs.pod_changed, runs.pod_gone)
    return registry


def _on_event(
    registry: kopf.OperatorRegistry,
    resource: tuple[str, str, str],
    changed: Callable[[Mapping[str, Any]], None],
    gone: Callable[[Mapping[str, Any]], None],
) -> None:
    @kopf.on.event(*resource, registry=registry, id=resource[2])
    async def hand_over(event: kopf.RawEvent, **_: Any) -> None:
        (gone if event["type"] == "DELETED" else changed)(event["object"])


async def _connection(configuration: Configuration, number: int) -> kopf.ConnectionInfo:
    """What kopf needs of the configuration. It takes nothing that equals what was refused once, and a token may have
    been refused for a moment only: by its ``number`` each connection differs from the ones before.
    """
    authorization = await configuration.get_api_key_with_prefix("BearerToken") or ""
    scheme, _, token = authorization.partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        scheme=scheme or None,
        token=token or None,
        proxy_url=configuration.proxy,
        priority=number,
    )
