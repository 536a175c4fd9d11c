"""What the API server's refusals mean to the controller: each quirk of Kubernetes has its one place here.

Everything above this module sees the port's exceptions only. A code alone does not say enough: a 403 may be a missing
right, a full quota, or a namespace on its way out, and a 404 may be the object, its namespace, or the whole resource.
The ``Status`` object in the body tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from study_operator.backends.port import BackendError, Exhausted, Gone, Refused, Unavailable

CONFLICT_DELAY = 0.1
"""Seconds after which a write that lost a race, such as two creates under one quota, is worth another try."""

UNKNOWN_RESOURCE_DELAY = 10.0
"""Seconds between two tries where the custom resource definitions are not installed."""

NO_RIGHT_DELAY = 1.0
"""Seconds until something is tried again that the operator had no right to."""

_NO_RIGHT = re.compile(r'is forbidden: User ".*" cannot ')
"""What the authorizer says; other refusals with 403 come from admission."""

_OUT_OF_SPACE = "database space exceeded"
"""What etcd says when its quota is used up; the API server passes it on as a 500 or a 507."""


class NotFound(Refused):
    """404: there is no object of that name."""


class AlreadyExists(Refused):
    """409 on a create: the name is taken."""


class Conflict(Unavailable):
    """409 on a write with a precondition: the object has changed, or is another one, by now."""


class Expired(Unavailable):
    """410: the listing's position is too old. ``position`` continues it on newer data, where the server offers that."""

    def __init__(self, message: str, position: str | None) -> None:
        super().__init__(message)
        self.position = position


def failure(code: int, status: Mapping[str, Any], retry_after: str | None) -> BackendError:
    """The exception for a response of ``code`` >= 400 with the ``Status`` body and the Retry-After header's text."""
    message = status.get("message") or f"the API server answered {code}"
    details = status.get("details") or {}
    if code == 507 or _OUT_OF_SPACE in message:
        return Exhausted(message)
    if code == 401:
        return Unavailable(f"the API server does not accept the operator's credentials: {message}")
    if code == 429 or code >= 500:
        return Unavailable(message, _seconds(retry_after) or details.get("retryAfterSeconds"))
    if code == 403:
        return _forbidden(message, details)
    if code == 404:
        return _not_found(message, details)
    if code == 409:
        taken = status.get("reason") == "AlreadyExists"
        return AlreadyExists(message) if taken else Conflict(message, CONFLICT_DELAY)
    if code == 410:
        return Expired(message, (status.get("metadata") or {}).get("continue"))
    return Refused(message)


def _forbidden(message: str, details: Mapping[str, Any]) -> BackendError:
    # A right that is missing may come at any time, and is missing for a moment while an API server starts.
    if _NO_RIGHT.search(message):
        return Unavailable(message, NO_RIGHT_DELAY)
    if any(cause.get("reason") == "NamespaceTerminating" for cause in details.get("causes") or ()):
        return Gone(message)
    return Exhausted(message) if "exceeded quota" in message else Refused(message)


def _not_found(message: str, details: Mapping[str, Any]) -> BackendError:
    if details.get("kind") == "namespaces":
        return Gone(message)
    if not details.get("name"):
        return Unavailable(
            f"the resource is not installed in the cluster (kubectl apply -f crds/): {message}", UNKNOWN_RESOURCE_DELAY
        )
    return NotFound(message)


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
