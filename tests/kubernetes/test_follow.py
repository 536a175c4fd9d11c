"""Following one object through all that happens to watches. The other side is scripted: no server does it on demand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration
from study_operator.backends.kubernetes import delays
from study_operator.backends.kubernetes.client import STUDIES, Client
from study_operator.backends.kubernetes.follow import follow
from study_operator.backends.port import Refused, Unavailable

PATH = STUDIES.path("default")


class Script:
    """What a server answers: ``listings`` and ``watches`` in turn, and which versions it was asked for."""

    def __init__(self, listings: list[Any], watches: list[Any]) -> None:
        self.listings, self.watches = listings, watches
        self.versions: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        assert request.query["fieldSelector"] == "metadata.name=bert"
        if "watch" not in request.query:
            return _response(self.listings.pop(0))
        self.versions.append(request.query["resourceVersion"])
        return _response(self.watches.pop(0))


def _response(answer: Any) -> web.Response:
    if isinstance(answer, int):
        return web.json_response({"message": f"so {answer}"}, status=answer)
    lines = answer if isinstance(answer, list) else [answer]
    return web.Response(text="".join(json.dumps(line) + "\n" for line in lines))


def bert(version: int) -> dict[str, Any]:
    return {"metadata": {"name": "bert", "resourceVersion": str(version)}}


def listing(version: int, *objects: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(objects)}


def event(change: str, version: int) -> dict[str, Any]:
    return {"type": change, "object": bert(version)}


EXPIRED = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delays, "FIRST_DELAY", 0.0)


async def followed(script: Script, told: list[str]) -> AsyncIterator[int]:
    """The versions that were seen."""
    app = web.Application()
    app.router.add_get(PATH, script.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    client = Client(Configuration(host=f"http://{host}:{port}"))
    try:
        async for raw in follow(client, PATH, "bert", told.append):
            yield int(raw["metadata"]["resourceVersion"])
    finally:
        await client.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("listings", "watches", "seen", "versions"),
    [
        pytest.param([listing(5)], [], [], [], id="nothing there"),
        pytest.param([listing(5, bert(3))], [[event("DELETED", 6)]], [3], ["5"], id="deleted"),
        pytest.param(
            [listing(5, bert(3))], [[event("MODIFIED", 7), event("BOOKMARK", 9)], [event("DELETED", 10)]],
            [3, 7], ["5", "9"], id="ended: goes on from the last version",
        ),
        pytest.param(
            [listing(5, bert(3)), listing(20, bert(18))], [[EXPIRED], [event("DELETED", 21)]],
            [3, 18], ["5", "20"], id="too old: listed anew",
        ),
        pytest.param(
            [listing(5, bert(3)), listing(20, bert(18))], [410, [event("DELETED", 21)]],
            [3, 18], ["5", "20"], id="refused as too old: listed anew",
        ),
        pytest.param([listing(5, bert(3)), listing(20)], [[EXPIRED]], [3], ["5"], id="deleted while nobody watched"),
    ],
)  # fmt: skip
async def test_an_object_is_followed_through(
    listings: list[Any], watches: list[Any], seen: list[int], versions: list[str]
) -> None:
    script, told = Script(listings, watches), list[str]()
    assert [version async for version in followed(script, told)] == seen
    assert (script.versions, told) == (versions, [])


async def test_a_server_that_fails_is_told_and_asked_again() -> None:
    script, told = Script([listing(5, bert(3)), 503], [503, [EXPIRED], [event("DELETED", 9)]]), list[str]()
    script.listings.append(listing(7, bert(3)))
    assert [version async for version in followed(script, told)] == [3, 3]
    assert (script.versions, told) == (["5", "5", "7"], ["so 503", "so 503"])


@pytest.mark.parametrize(("code", "error"), [(503, Unavailable), (400, Refused)])
async def test_what_cannot_be_listed_to_begin_with_is_raised(code: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"so {code}"):
        _ = [version async for version in followed(Script([code], []), [])]
