"""Each refusal of the API server means one thing to the controller."""

from __future__ import annotations

from typing import Any

import pytest
from study_operator.backends.kubernetes.errors import AlreadyExists, Conflict, Expired, NotFound, failure
from study_operator.backends.port import BackendError, Exhausted, Gone, Refused, Unavailable

TERMINATING = {"causes": [{"reason": "NamespaceTerminating"}]}


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (400, {"message": "bad"}, Refused),
        (401, {"message": "Unauthorized"}, Unavailable),
        (403, {"message": 'pods "x" is forbidden: violates PodSecurity "restricted"'}, Refused),
        (403, {"message": 'jobs is forbidden: User "x" cannot create resource "jobs"'}, Unavailable),
        (403, {"message": 'pods "x" is forbidden: exceeded quota: q'}, Exhausted),
        (403, {"message": "being terminated", "details": TERMINATING}, Gone),
        (404, {"message": "no", "details": {"name": "x", "kind": "jobs"}}, NotFound),
        (404, {"message": "no", "details": {"name": "x", "kind": "namespaces"}}, Gone),
        (404, {}, Unavailable),
        (409, {"reason": "AlreadyExists"}, AlreadyExists),
        (409, {"reason": "Conflict"}, Conflict),
        (410, {"reason": "Expired"}, Expired),
        (422, {"message": "invalid"}, Refused),
        (429, {}, Unavailable),
        (500, {"message": "etcdserver: mvcc: database space exceeded"}, Exhausted),
        (503, {}, Unavailable),
        (507, {}, Exhausted),
    ],
)
def test_a_refusal_has_its_meaning(code: int, status: dict[str, Any], expected: type[BackendError]) -> None:
    refusal = failure(code, status, None)
    assert type(refusal) is expected
    assert str(refusal)


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [("7", {}, 7.0), (None, {"retryAfterSeconds": 3}, 3), ("soon", {}, None), (None, {}, None)],
)
def test_the_time_to_wait_is_passed_on(header: str | None, details: dict[str, int], seconds: float | None) -> None:
    refusal = failure(429, {"details": details}, header)
    assert isinstance(refusal, Unavailable) and refusal.retry_after == seconds


def test_an_expired_listing_goes_on_where_the_server_offers_it() -> None:
    refusal = failure(410, {"metadata": {"continue": "here"}}, None)
    assert isinstance(refusal, Expired) and refusal.position == "here"
