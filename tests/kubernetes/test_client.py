"""The client where the other side misbehaves in ways that a real API server does not show on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration
from study_operator.backends.kubernetes.client import JOBS, Client, ConfigurationError, load_configuration
from study_operator.backends.port import Unavailable


@dataclass
class Server:
    """Answers with ``responses`` in turn."""

    client: Client
    responses: list[web.Response] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async def answer(request: web.Request) -> web.Response:
        made.asked.append(request.path_qs)
        return made.responses.pop(0)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    configuration = Configuration(host=f"http://{host}:{port}")
    made = Server(Client(configuration, counted=lambda verb, code: made.counted.update([(verb, code)])))
    yield made
    await made.client.close()
    await runner.cleanup()


async def test_a_server_that_is_busy_says_how_long(server: Server) -> None:
    server.responses = [web.json_response({"message": "busy"}, status=429, headers={"Retry-After": "9"})]
    with pytest.raises(Unavailable, match="busy") as refusal:
        await server.client.create(JOBS.path("default"), {})
    assert refusal.value.retry_after == 9
    assert server.counted == {("create", "429"): 1}


@pytest.mark.parametrize("content", ["", "a text", "[1]", "{", "clusters: {a: 1}", "\0", "current-context: nowhere"])
async def test_a_file_that_is_no_kubeconfig_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "config").write_text(content)
    with pytest.raises(ConfigurationError, match="no access to an API server"):
        await load_configuration(tmp_path / "config")


async def test_a_kubeconfig_that_is_not_there_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"there is no kubeconfig {tmp_path}/config, and this is no pod"):
        await load_configuration(tmp_path / "config")


@pytest.mark.parametrize("status", [200, 502])
async def test_a_page_of_a_proxy_is_no_answer(server: Server, status: int) -> None:
    server.responses = [web.Response(text="<html>hello</html>", status=status)]
    with pytest.raises(Unavailable):
        await server.client.read("/x")


async def test_a_server_that_is_away_is_unavailable() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    client = Client(Configuration(host="http://127.0.0.1:9"), counted=lambda verb, code: counted.update([(verb, code)]))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await client.read("/x")
    assert counted == {("get", "error"): 1}
    await client.close()


async def test_an_expired_listing_goes_on(server: Server) -> None:
    first = {"items": [{"n": 1}], "metadata": {"continue": "old"}}
    expired = {"code": 410, "reason": "Expired", "metadata": {"continue": "new"}}
    last = {"items": [{"n": 2}], "metadata": {}}
    server.responses = [web.json_response(first), web.json_response(expired, status=410), web.json_response(last)]
    listed = [item["n"] async for page in server.client.pages("/x", label_selector="a=b") for item in page]
    assert listed == [1, 2]
    assert server.asked[-1].endswith("continue=new")


async def test_a_listing_of_nothing_is_empty(server: Server) -> None:
    server.responses = [web.json_response({"items": None, "metadata": {}})]
    assert [page async for page in server.client.pages("/x", metadata_only=True)] == [[]]


async def test_nothing_is_written_against_the_guard(server: Server) -> None:
    def refuse() -> None:
        raise Unavailable("not the leader")

    client = Client(server.client.configuration, guard=refuse)
    server.responses = [web.json_response({})]
    await client.read("/x")
    for write in (client.create("/x", {}), client.replace("/x", {}), client.patch("/x", []), client.delete("/x", "u")):
        with pytest.raises(Unavailable, match="not the leader"):
            await write
    assert len(server.asked) == 1
    await client.close()


def test_a_path_cannot_be_escaped() -> None:
    assert JOBS.path("a/b", "../c") == "/apis/batch/v1/namespaces/a%2Fb/jobs/..%2Fc"
