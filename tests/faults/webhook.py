"""An admission webhook for Jobs, as a platform team has one, that a test tells what to answer."""

from __future__ import annotations

import json
import ssl
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.cluster.certificates import Authority

NAME = "jobs.example.com"


class Webhook:
    """It is there from the start, and answers nobody before it is told what to answer."""

    def __init__(self, folder: Path) -> None:
        self._refusal = ""
        self._authority = Authority(folder)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        pair = self._authority.issue("webhook")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def configuration(self, namespace: str) -> dict[str, Any]:
        """What makes the API server ask it of the Jobs of this namespace."""
        authority = b64encode(self._authority.certificate.read_bytes()).decode()
        jobs = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
        asked = {
            "name": NAME,
            "clientConfig": {"url": f"https://127.0.0.1:{self._server.server_port}/", "caBundle": authority},
            "rules": [jobs],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 2,
        }
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": f"jobs-{namespace}"},
            "webhooks": [asked],
        }

    def answer(self, refusal: str = "") -> None:
        """From now on: refuse every Job with this sentence, or let it through if it is empty."""
        self._refusal = refusal
        if not self._thread.is_alive():
            self._thread.start()

    def __enter__(self) -> Webhook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                response = {"uid": review["request"]["uid"], "allowed": not webhook._refusal}
                if webhook._refusal:
                    response["status"] = {"code": 403, "message": webhook._refusal}
                body = json.dumps({**review, "request": None, "response": response}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        return Handler
