"""A real Prometheus that scrapes the pods of a control plane, or fixed targets, every second.

It can be stopped and started again on the same data and port (an outage), and its web interface can ask for what
users' installations ask for: a password, TLS, client certificates, a path prefix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.cluster.binaries import find_or_build
from tests.cluster.certificates import Authority
from tests.cluster.control_plane import Access
from tests.cluster.server import Running, Server, free_port

ScrapeConfig = Mapping[str, object]

USER, PASSWORD = "study", "correct horse"
_PASSWORD_HASH = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"
_READY = "Server is ready to receive web requests."


@dataclass(frozen=True, slots=True)
class Web:
    """What Prometheus asks of those who query it."""

    password: bool = False
    """Basic authentication as USER with PASSWORD."""
    tls: bool = False
    client_certificates: bool = False
    """Mutual TLS."""
    prefix: str = ""
    """The path below which the API lies, such as ``/prometheus``."""


def trial_pods(access: Access) -> ScrapeConfig:
    """Every port named ``metrics`` of a pod that belongs to a study, with the labels a PodMonitor would give it."""
    tls = {
        "ca_file": str(access.authority),
        "cert_file": str(access.client.certificate),
        "key_file": str(access.client.key),
    }
    return {
        "job_name": "trials",
        "kubernetes_sd_configs": [{"role": "pod", "api_server": access.url, "tls_config": tls}],
        "relabel_configs": [
            _only("__meta_kubernetes_pod_labelpresent_tuning_study_study", "true"),
            _only("__meta_kubernetes_pod_container_port_name", "metrics"),
            {"source_labels": ["__meta_kubernetes_pod_phase"], "action": "drop", "regex": "Succeeded|Failed"},
            _label("namespace", "__meta_kubernetes_namespace"),
            _label("pod", "__meta_kubernetes_pod_name"),
            _label("container", "__meta_kubernetes_pod_container_name"),
        ],
    }


def fixed_targets(*addresses: str, labels: Mapping[str, str] | None = None) -> ScrapeConfig:
    """Targets (``host:port``) known from the start, all with the same labels."""
    return {"job_name": "fixed", "static_configs": [{"targets": list(addresses), "labels": dict(labels or {})}]}


def targets_from(file: Path) -> ScrapeConfig:
    """Targets of a JSON file that may change while Prometheus runs: ``[{"targets": [...], "labels": {...}}]``."""
    return {"job_name": "file", "file_sd_configs": [{"files": [str(file)]}]}


class PrometheusServer(Running):
    """One Prometheus in ``folder``, on a free port of the address ``host``."""

    def __init__(
        self,
        folder: Path,
        scrape_configs: Sequence[ScrapeConfig],
        scrape_interval: str = "1s",
        web: Web = Web(),
        host: str = "127.0.0.1",
    ) -> None:
        self._web = web
        self.authority = Authority(folder)
        self.client = self.authority.issue("prometheus-client")
        address = f"{host}:{free_port()}"
        scheme = "https" if web.tls or web.client_certificates else "http"
        self.url = f"{scheme}://{address}{web.prefix}"
        interval = {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval}
        config = _written(folder / "prometheus.json", {"global": interval, "scrape_configs": list(scrape_configs)})
        command = [
            str(find_or_build("prometheus")),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}",
            f"--web.external-url={self.url}",
            f"--web.config.file={_written(folder / 'web.json', self._web_config())}",
            # Prometheus takes over discovered targets every five seconds; a test's pod may not live as long.
            "--scrape.discovery-reload-interval=100ms",
        ]
        self._server = Server(command, folder / "prometheus.log")

    def start(self) -> None:
        """Start it, also after ``stop``, and wait until it answers queries."""
        log = self._server.log
        starts = log.read_text().count(_READY) if log.exists() else 0
        self._server.start()
        try:
            # Its readiness endpoint would ask for the password; its log does not.
            self._server.wait_until(lambda: log.read_text().count(_READY) > starts)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._server.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: series, each with ``metric`` and ``value`` or ``values``."""
        response = requests.get(
            f"{self.url}/api/v1/query",
            params={"query": expression},
            auth=(USER, PASSWORD) if self._web.password else None,
            cert=(str(self.client.certificate), str(self.client.key)) if self._web.client_certificates else None,
            verify=str(self.authority.certificate),
            timeout=10,
        )
        response.raise_for_status()
        result: list[dict[str, Any]] = response.json()["data"]["result"]
        return result

    def _web_config(self) -> dict[str, object]:
        config: dict[str, object] = {}
        if self._web.password:
            config["basic_auth_users"] = {USER: _PASSWORD_HASH}
        if self._web.tls or self._web.client_certificates:
            pair = self.authority.issue("prometheus-server")
            tls = {"cert_file": str(pair.certificate), "key_file": str(pair.key)}
            if self._web.client_certificates:
                tls |= {
                    "client_ca_file": str(self.authority.certificate),
                    "client_auth_type": "RequireAndVerifyClientCert",
                }
            config["tls_server_config"] = tls
        return config


def _only(source: str, value: str) -> dict[str, object]:
    return {"source_labels": [source], "action": "keep", "regex": value}


def _label(target: str, source: str) -> dict[str, object]:
    return {"source_labels": [source], "target_label": target}


def _written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))  # Prometheus reads YAML, of which JSON is a part
    return path
