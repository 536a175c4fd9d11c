"""The metrics endpoint: the history as OpenMetrics text over HTTP.

The text is prometheus-client's, but not its server: that one cannot say whether an answer arrived, and both the
history's overlap and the trainer's linger depend on it. An answer counts once the client, having read it to its end,
has closed the connection. One that closed it before did not wait so long: a trainer that compiles may answer no scrape
for many seconds.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.samples import Timestamp

from study_trainer.environment import Endpoint
from study_trainer.history import Exposition

STEP_METRIC = "study_step"
CLOSE_SECONDS = 1.0
"""How long a client that keeps its connection open is waited for; it has all the bytes by then."""
SHUTDOWN_POLL_SECONDS = 0.1


def render_exposition(exposition: Exposition) -> bytes:
    """OpenMetrics 1.0 text: the gauge ``study_step`` and one gauge per metric, each point with its time."""
    text: bytes = generate_latest(_Gauges(exposition))  # type: ignore[no-untyped-call]
    return text


class _Gauges(Collector):
    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def collect(self) -> Iterator[Metric]:
        steps = GaugeMetricFamily(STEP_METRIC, "Training step of each report, joined to its values by the timestamp.")
        for time, step in self._exposition.steps:
            steps.add_metric([], step, _timestamp(time))
        yield steps
        for metric, points in self._exposition.points.items():
            gauge = GaugeMetricFamily(metric, "Reported by the trainer.")
            for point in points:
                gauge.add_metric([], point.value, _timestamp(point.time))
            yield gauge


def _timestamp(milliseconds: int) -> Timestamp:
    return Timestamp(milliseconds // 1000, milliseconds % 1000 * 1_000_000)


class MetricsServer:
    """Serves ``/metrics`` from threads of its own until it is closed.

    ``exposition`` is asked what to show a client; ``answered`` is told what it has read. A client is known by its
    address without the port, which is another one at each scrape.
    """

    def __init__(
        self, endpoint: Endpoint, exposition: Callable[[str], Exposition], answered: Callable[[str, Exposition], None]
    ) -> None:
        """Raises OSError where the address cannot be bound."""
        listener = _listen(endpoint)
        handler = partial(_Handler, exposition, answered)
        self._server = _Server(listener.getsockname()[:2], handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        threading.Thread(
            target=self._server.serve_forever, args=(SHUTDOWN_POLL_SECONDS,), name="study-metrics", daemon=True
        ).start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()


def _listen(endpoint: Endpoint) -> socket.socket:
    """A listening socket; all interfaces are those of IPv6 and IPv4 where the machine has both."""
    address = (endpoint.address, endpoint.port)
    if not endpoint.address and socket.has_dualstack_ipv6():
        return socket.create_server(address, family=socket.AF_INET6, dualstack_ipv6=True)
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    return socket.create_server(address, family=family)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off is not worth a traceback in the trainer's log."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def __init__(
        self, exposition: Callable[[str], Exposition], answered: Callable[[str, Exposition], None], *connection: Any
    ) -> None:
        self._exposition = exposition
        self._answered = answered
        super().__init__(*connection)

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404, "The metrics are at /metrics")
            return
        scraper = str(self.client_address[0])
        exposition = self._exposition(scraper)
        body = render_exposition(exposition)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        waits = self._client_waits()
        self.wfile.write(body)
        if waits and self._client_has_read():
            self._answered(scraper, exposition)

    def _client_waits(self) -> bool:
        """Whether it has not closed the connection yet; it says nothing more after its request."""
        self.connection.settimeout(0)
        try:
            self.connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self.connection.settimeout(self.timeout)
        return False

    def _client_has_read(self) -> bool:
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(CLOSE_SECONDS)
        try:
            self.connection.recv(1)
        except TimeoutError:
            return True
        except ConnectionError:
            return False
        return True

    def log_message(self, format: str, *arguments: object) -> None:
        """A scrape is not worth a line in the trainer's log."""
