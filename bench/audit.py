"""What the API server's audit log tells: who wrote what, and when.

The log has one line for each finished request, at level Metadata. Times are those of the API server, so the two
contenders and the cluster's own controllers are measured by one clock, and none by itself. An object exists, or has
changed, when its request was answered.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request. ``time`` is that of its answer, in unix seconds; ``resource`` has its subresource."""

    time: float
    user: str
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    dry_run: bool

    @property
    def succeeded(self) -> bool:
        return self.code < 300 and not self.dry_run


def read(log: Path, namespaces: Iterable[str]) -> list[Request]:
    """The writes in these namespaces, in the order of their answers."""
    wanted = set(namespaces)
    with log.open("rb") as lines:
        found = [request for request in _requests(lines) if request.namespace in wanted]
    return sorted(found, key=lambda request: request.time)


def _requests(lines: Iterable[bytes]) -> Iterator[Request]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the line that is being written
        reference = entry.get("objectRef") or {}
        if entry["verb"] not in WRITES or entry.get("stage") != "ResponseComplete":
            continue
        resource = reference.get("resource", "")
        subresource = reference.get("subresource", "")
        yield Request(
            time=datetime.fromisoformat(entry["stageTimestamp"]).timestamp(),
            user=entry["user"]["username"],
            agent=entry.get("userAgent", "").split("/")[0],
            verb=entry["verb"],
            resource=f"{resource}/{subresource}" if subresource else resource,
            namespace=reference.get("namespace", ""),
            name=reference.get("name", ""),
            code=entry.get("responseStatus", {}).get("code", 0),
            dry_run="dryRun=" in entry.get("requestURI", ""),
        )


def times(requests: Iterable[Request], verb: str, resource: str, user: str = "", agent: str = "") -> dict[str, float]:
    """When each object was last written so, by its name."""
    return {
        request.name: request.time
        for request in requests
        if request.verb == verb
        and request.resource == resource
        and request.succeeded
        and user in ("", request.user)
        and agent in ("", request.agent)
    }


def refills(starts: Sequence[float], ends: Sequence[float], parallelism: int) -> list[float]:
    """Seconds from each end to the start that took its place, in the order of the ends.

    The k-th end frees the slot that start number ``parallelism`` + k takes, whichever of the two they are: the slots
    are all alike. Negative: the next one had been started before.
    """
    return [start - end for start, end in zip(sorted(starts)[parallelism:], sorted(ends), strict=False)]


def writes(requests: Iterable[Request], user: str) -> Counter[str]:
    """How many writes ``user`` has sent, dry runs and refused ones included, by verb and resource."""
    return Counter(
        f"{request.verb} {request.resource}{' (dry run)' if request.dry_run else ''}"
        for request in requests
        if request.user == user
    )
