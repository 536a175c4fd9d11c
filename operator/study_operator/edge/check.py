"""``study-operator --check``: whether a process with these settings could do its work, told line by line.

It is what ``helm test`` runs, under the operator's own ServiceAccount and beside its own settings, and what an
administrator runs in the operator's pod when something is amiss. It writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

from study_operator.api.names import GROUP
from study_operator.backends.kubernetes.client import STUDIES, TRIALS, Client, load_configuration
from study_operator.backends.port import BackendError
from study_operator.edge.settings import OperatorSettings
from study_operator.metrics.prometheus import PrometheusSource
from study_operator.metrics.source import CurveRequest, SourceUnavailable

RIGHTS: Mapping[tuple[str, str], Sequence[str]] = {
    (GROUP, "studies"): ("get", "list", "watch"),
    (GROUP, "trials"): ("get", "list", "create", "delete"),
    (GROUP, "studies/status"): ("patch",),
    (GROUP, "trials/status"): ("patch",),
    ("batch", "jobs"): ("get", "list", "watch", "create", "delete", "deletecollection"),
    ("", "pods"): ("list", "watch"),
    ("", "events"): ("list", "create"),
}
"""What the operator may have to do in each of its namespaces, by group and resource."""

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Finding(NamedTuple):
    """One thing that was looked at, and what is wrong with it (empty: nothing)."""

    what: str
    problem: str = ""


async def check(settings: OperatorSettings, tell: Callable[[str], object]) -> bool:
    """Look at the API server, the resources, the rights and Prometheus; whether all is well."""
    well = True
    async for finding in _findings(settings):
        tell(f"{finding.what}: {finding.problem or 'ok'}")
        well = well and not finding.problem
    return well


async def _findings(settings: OperatorSettings) -> AsyncIterator[Finding]:
    configuration, refresh = await load_configuration(settings.kubeconfig)
    client = Client(configuration)
    try:
        for namespace in settings.namespaces or (None,):
            yield await _resources(client, namespace)
            yield await _rights(client, namespace)
        if settings.lease is not None:
            yield await _lease(client, settings.lease.namespace, settings.lease.name)
    finally:
        await client.close()
        if refresh is not None:
            refresh.cancel()
    if settings.prometheus is None:
        yield Finding("Prometheus (none is set: trials have their termination records alone)")
    else:
        yield await _prometheus(PrometheusSource(settings.prometheus), settings.prometheus.url)


async def _resources(client: Client, namespace: str | None) -> Finding:
    what = f"studies and trials in {_where(namespace)}"
    try:
        for resource in (STUDIES, TRIALS):
            await anext(client.pages(resource.path(namespace), metadata_only=True))
    except BackendError as error:
        return Finding(what, f"{error}")
    return Finding(what)


async def _rights(client: Client, namespace: str | None) -> Finding:
    what = f"rights in {_where(namespace)}"
    lacking = []
    try:
        for (group, resource), verbs in RIGHTS.items():
            for verb in verbs:
                if not await _may(client, verb, group, resource, namespace or ""):
                    lacking.append(f"{verb} {resource}{'.' + group if group else ''}")
    except BackendError as error:
        return Finding(what, f"{error}")
    return Finding(what, f"it may not {', '.join(lacking)}: mend the role of this ServiceAccount" if lacking else "")


async def _lease(client: Client, namespace: str, name: str) -> Finding:
    what = f"lease {namespace}/{name}"
    try:
        asked = [(verb, name) for verb in ("get", "update")] + [("create", "")]
        lacking = [
            verb
            for verb, only in asked
            if not await _may(client, verb, "coordination.k8s.io", "leases", namespace, only)
        ]
    except BackendError as error:
        return Finding(what, f"{error}")
    return Finding(what, f"it may not {', '.join(lacking)} it: mend the role of this ServiceAccount" if lacking else "")


async def _may(client: Client, verb: str, group: str, resource: str, namespace: str, name: str = "") -> bool:
    plural, _, subresource = resource.partition("/")
    asked = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = await client.create(_REVIEWS, review)
    return bool(answer["status"]["allowed"])


async def _prometheus(source: PrometheusSource, url: str) -> Finding:
    now = time.time()
    try:
        await source.curves(CurveRequest("default", "none", ("none",), now - 1, now))
    except SourceUnavailable as error:
        return Finding(f"Prometheus at {url}", str(error))
    finally:
        await source.close()
    return Finding(f"Prometheus at {url}")


def _where(namespace: str | None) -> str:
    return "all namespaces" if namespace is None else f"namespace {namespace}"
