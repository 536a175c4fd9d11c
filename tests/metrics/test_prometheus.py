"""Against a real Prometheus, which scrapes the SDK's endpoint and a plain gauge's."""

import asyncio
import math
import socket
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from study_operator.metrics import prometheus
from study_operator.metrics.prometheus import PrometheusSettings, PrometheusSource
from study_operator.metrics.source import CurveRequest, SourceUnavailable
from study_operator.results.curve import fingerprint
from study_operator.results.trial import Curve
from study_trainer.environment import Endpoint
from study_trainer.exposition import MetricsServer
from study_trainer.history import History
from study_trainer.record import Summary

from tests.cluster.prometheus import PASSWORD, USER, PrometheusServer, Web, fixed_targets
from tests.cluster.server import free_port

STARTED = time.time()
HARD_VALUES = (0.1 + 0.2, 5e-324, -0.0, -1.7976931348623157e308, math.nan, math.inf, -math.inf, 1 / 3)
POINTS = [(10 * n, HARD_VALUES[n % len(HARD_VALUES)] if n % 3 else 1.0 / (n + 7)) for n in range(300)]
HOSTILE_NAME = 'a"b\\c} or up{x="\n'


class PlainGauge(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"loss 0.30000000000000004\n")

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def scrapes():
    """Scrape configurations of a trainer with the SDK that has reported POINTS, and of one without."""
    history = History()
    for step, value in POINTS:
        history.add(int(STARTED * 1000), step, {"error": value})
    port = free_port()
    trainer = MetricsServer(Endpoint("127.0.0.1", port), history.exposition, lambda exposition: None)
    plain = ThreadingHTTPServer(("127.0.0.1", 0), PlainGauge)
    Thread(target=plain.serve_forever, daemon=True).start()
    yield [
        fixed_targets(f"127.0.0.1:{port}", labels={"namespace": "lab", "pod": "s-0"}),
        {
            **fixed_targets(f"127.0.0.1:{plain.server_port}", labels={"namespace": "lab", "pod": HOSTILE_NAME}),
            "job_name": "plain",
        },
    ]
    trainer.close()
    plain.shutdown()
    plain.server_close()


@pytest.fixture(scope="module")
def server(scrapes, tmp_path_factory):
    with PrometheusServer(tmp_path_factory.mktemp("prometheus"), scrapes) as server:
        yield server


@pytest.fixture(scope="module")
def guarded_server(scrapes, tmp_path_factory):
    """Behind TLS of its own authority, a password and a path prefix."""
    asked = Web(password=True, tls=True, prefix="/monitoring/prometheus")
    with PrometheusServer(tmp_path_factory.mktemp("guarded"), scrapes, web=asked) as server:
        yield server


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return file


def request(run="s-0", metrics=("error",)):
    return CurveRequest("lab", run, metrics, STARTED, time.time())


async def asked(settings, wanted=None):
    source = PrometheusSource(settings)
    try:
        return await source.curves(wanted or request())
    finally:
        await source.close()


async def complete(settings, wanted=None, points=300):
    """The answer once Prometheus has scraped it all."""
    async with asyncio.timeout(30):
        while True:
            answer = await asked(settings, wanted)
            if sum(map(len, answer.curves.values())) >= points:
                return answer
            await asyncio.sleep(0.2)


async def refusal(settings):
    with pytest.raises(SourceUnavailable) as unavailable:
        await asked(settings)
    assert PASSWORD not in str(unavailable.value)
    return unavailable.value


async def test_a_curve_is_the_very_one_that_was_reported(server):
    reported = Summary()
    for step, value in POINTS:
        reported.add(step, value)
    curve = (await complete(PrometheusSettings(server.url))).curves["error"]
    assert repr(curve) == repr(Curve(*zip(*POINTS, strict=True)))
    assert fingerprint(curve) == reported.sha256


async def test_a_plain_gauge_has_values_without_steps_under_whatever_name(server):
    answer = await complete(PrometheusSettings(server.url), request(HOSTILE_NAME, ("loss",)), points=1)
    assert not answer.has_steps
    assert set(answer.curves["loss"].values) == {0.1 + 0.2}


async def test_a_run_that_nobody_scraped_has_no_curves(server):
    assert (await asked(PrometheusSettings(server.url), request("s-1"))).curves == {}


async def test_too_large_an_answer_is_read_in_parts(server, monkeypatch):
    await complete(PrometheusSettings(server.url))
    monkeypatch.setattr(prometheus, "LONGEST_RESPONSE", 6000)
    monkeypatch.setattr(prometheus, "MOST_REQUESTS", 100)
    assert len((await asked(PrometheusSettings(server.url))).curves["error"]) == len(POINTS)


async def test_an_answer_without_end_is_given_up_with_a_sentence(server, monkeypatch):
    await complete(PrometheusSettings(server.url))
    monkeypatch.setattr(prometheus, "LONGEST_RESPONSE", 300)
    answer = await asked(PrometheusSettings(server.url))
    assert answer.final and "too large" in answer.problem


async def test_a_large_answer_is_parsed_off_the_event_loop_to_the_same_curve(server, monkeypatch):
    inline = await complete(PrometheusSettings(server.url))
    monkeypatch.setattr(prometheus, "LARGEST_INLINE", 0)
    assert repr(await asked(PrometheusSettings(server.url))) == repr(inline)


async def test_a_refused_query_is_told_in_prometheus_words(server):
    wanted = replace(request(), finished=1e300)
    with pytest.raises(SourceUnavailable, match=r"answered with an error \(400\): .*parse error"):
        await asked(PrometheusSettings(server.url), wanted)


async def test_an_outage_is_told_and_loses_nothing(scrapes, tmp_path):
    with PrometheusServer(tmp_path, scrapes) as server:
        source = PrometheusSource(PrometheusSettings(server.url))
        await complete(PrometheusSettings(server.url))
        server.stop()
        with pytest.raises(SourceUnavailable, match="cannot be reached"):
            await source.curves(request())
        server.start()
        assert len((await source.curves(request())).curves["error"]) == len(POINTS)
        await source.close()


async def test_a_password_a_private_authority_and_a_path_prefix(guarded_server, password_file):
    settings = PrometheusSettings(
        guarded_server.url, username=USER, password_file=password_file, ca_file=guarded_server.authority.certificate
    )
    assert len((await complete(settings)).curves["error"]) == len(POINTS)

    password_file.write_text("wrong")
    assert f"check the user {USER} and the password in {password_file}" in str(await refusal(settings))
    without = replace(settings, username="", password_file=None)
    assert "give it a bearer token, or a username and password" in str(await refusal(without))
    assert "certificate" in str(await refusal(replace(settings, ca_file=None)))


async def test_a_wrong_path_prefix_is_told(guarded_server, password_file):
    settings = PrometheusSettings(
        guarded_server.url.removesuffix("/prometheus"),
        username=USER,
        password_file=password_file,
        ca_file=guarded_server.authority.certificate,
    )
    assert "check the path prefix" in str(await refusal(settings))


async def test_a_client_certificate(scrapes, tmp_path):
    with PrometheusServer(tmp_path, scrapes, web=Web(client_certificates=True)) as server:
        settings = PrometheusSettings(
            server.url,
            ca_file=server.authority.certificate,
            certificate_file=server.client.certificate,
            key_file=server.client.key,
        )
        assert len((await complete(settings)).curves["error"]) == len(POINTS)
        assert "cannot be reached" in str(await refusal(replace(settings, certificate_file=None, key_file=None)))


@pytest.mark.parametrize("missing", ["password_file", "ca_file"])
async def test_a_file_that_is_not_there_is_named(tmp_path, password_file, missing):
    settings = PrometheusSettings("https://localhost:1", username=USER, password_file=password_file)
    told = str(await refusal(replace(settings, **{missing: tmp_path / "absent"})))
    assert str(tmp_path / "absent") in told and "No such file" in told


class Gate:
    """A proxy before Prometheus, for what Prometheus itself cannot ask for."""

    def __init__(self, upstream):
        self._upstream = upstream
        self.token = "first"
        self.answer = None
        self.seen = None

    async def handle(self, request):
        self.seen = request.headers
        if self.answer is not None:
            return self.answer
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._upstream + request.path, params=request.query) as answer,
        ):
            return web.Response(body=await answer.read(), status=answer.status)


@pytest.fixture
async def gate(server):
    gate = Gate(server.url)
    application = web.Application()
    application.router.add_get("/{path:.*}", gate.handle)
    async with TestServer(application) as proxy:
        gate.url = str(proxy.make_url(""))
        yield gate


async def test_a_bearer_token_is_read_anew_when_it_was_rotated(gate, server, tmp_path):
    await complete(PrometheusSettings(server.url))
    token = tmp_path / "token"
    token.write_text("first\n")
    source = PrometheusSource(PrometheusSettings(gate.url, bearer_token_file=token, headers={"X-Scope-OrgID": "lab"}))
    assert len((await source.curves(request())).curves["error"]) == len(POINTS)
    assert gate.seen["X-Scope-OrgID"] == "lab"

    gate.token = "second"
    with pytest.raises(SourceUnavailable, match=f"refused the operator .401.: check the token in {token}"):
        await source.curves(request())
    token.write_text("second\n")
    assert len((await source.curves(request())).curves["error"]) == len(POINTS)
    await source.close()


@pytest.mark.parametrize(
    ("status", "headers", "wait", "words"),
    [
        (429, {"Retry-After": "7"}, 7.0, "cannot answer now (429)"),
        (503, {"Retry-After": "Wed, 01 Jan 2025 00:00:30 GMT"}, 30.0, "cannot answer now (503)"),
        (503, {"Retry-After": "99999999"}, 3600.0, "cannot answer now (503)"),
        (503, {"Retry-After": "soon"}, None, "cannot answer now (503)"),
        (503, {}, None, "cannot answer now (503)"),
        (500, {"Retry-After": "7"}, None, "answered with an error (500)"),
        (302, {"Location": "/login"}, None, "redirects elsewhere (302)"),
        (200, {}, None, "gave an answer that is none of its own"),
    ],
)
async def test_tells_what_stands_before_prometheus_and_how_long_to_wait(gate, status, headers, wait, words):
    gate.answer = web.Response(status=status, headers=headers, text="<html>")
    new_year = 1735689600.0
    source = PrometheusSource(PrometheusSettings(gate.url), clock=lambda: new_year)
    with pytest.raises(SourceUnavailable) as unavailable:
        await source.curves(request())
    await source.close()
    assert words in str(unavailable.value)
    assert unavailable.value.retry_after == wait


async def test_does_not_wait_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = PrometheusSettings(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.1)
        assert "did not answer within 0.1 s" in str(await refusal(settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "prometheus:9090"}, "http://HOST"),
        ({"url": "http://user:secret@prometheus"}, "must not carry credentials"),
        ({"username": "study"}, "both a username and a password file"),
        ({"username": "study", "bearer_token_file": "token"}, "not with both"),
        ({"certificate_file": "certificate"}, "both a certificate file and a key file"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PrometheusSettings(**({"url": "http://prometheus"} | settings))
