"""A Kubernetes control plane on free loopback ports, in a folder of its own.

etcd, the API server and the controller manager are the real ones, so admission, CEL, RBAC, quota, garbage collection
and the Job controller behave as in production. The node-lifecycle controller is left out: it would evict pods
whenever a busy machine delays the node agent's heartbeat, and a test must see only the faults that it asked for.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.cluster.binaries import find_or_build
from tests.cluster.certificates import Authority, KeyPair
from tests.cluster.server import Running, Server, free_port

CRDS = Path(__file__).resolve().parents[2] / "crds"

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a control plane differs from the one most tests want."""

    queries_per_second: int = 500
    """Of the controller manager's clients; a stock one has 20, with burst 30."""
    scheduler: bool = False
    """Run the real kube-scheduler; without it the node agent places pods."""
    audit: bool = False
    """Write the audit log, one line a finished request, to ControlPlane.audit_log."""
    controllers: Sequence[str] = ("*", "-node-lifecycle-controller")
    api_server_arguments: Sequence[str] = ()
    api_server_address: str = "127.0.0.1"
    """Where others than the tests reach the API server too; the tests themselves use the loopback address."""
    api_server_port: int | None = None
    """None: a free one."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs to reach an API server over TLS with a client certificate."""

    url: str
    authority: Path
    client: KeyPair


class ControlPlane(Running):
    """etcd, kube-apiserver, kube-controller-manager and, on request, kube-scheduler.

    ``start`` returns when the API server and its controllers work; it stops what it started if it fails.
    """

    def __init__(self, folder: Path, settings: Settings = Settings()) -> None:
        self.folder = folder
        self.settings = settings
        self.audit_log = folder / "audit.log"
        self._kubectl = find_or_build("kubectl")
        self._authority = Authority(folder)
        self.access = Access(
            f"https://127.0.0.1:{settings.api_server_port or free_port()}",
            self._authority.certificate,
            self._authority.issue("admin", ["system:masters"]),
        )
        self.kubeconfig = self._write_kubeconfig("admin", _certificate_user(self.access.client))
        # Discovery is cached by port, and ports are used again by other clusters.
        self._kubectl_defaults = [f"--kubeconfig={self.kubeconfig}", f"--cache-dir={folder}/kubectl-cache"]
        etcd_url = f"http://127.0.0.1:{free_port()}"
        self.etcd = self._etcd(etcd_url)
        self.api_server = self._api_server(etcd_url)
        self.controller_manager = self._controller_manager()
        self._servers = [self.etcd, self.api_server, self.controller_manager]
        if settings.scheduler:
            arguments = [f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", "--secure-port=0"]
            self._servers.append(self._server("kube-scheduler", arguments))

    def start(self) -> None:
        try:
            for server in self._servers:
                server.start()
            self._wait_for_api_server()
            # The controllers work once one of them has made the service account that every pod needs.
            self.controller_manager.wait_until(
                lambda: self._answers("/api/v1/namespaces/default/serviceaccounts/default")
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for server in reversed(self._servers):
            server.kill()

    def requests_of_operators(self) -> int:
        """How many the API server has answered so far, those that it refused and those of watches included."""
        with self.audit_log.open() as log:
            agents = (json.loads(line).get("userAgent", "") for line in log)
            return sum(agent.startswith(("study-operator", "kopf")) for agent in agents)

    def stop_api_server(self) -> None:
        """Crash the API server; every connection to it breaks and new ones are refused."""
        self.api_server.kill()

    def start_api_server(self) -> None:
        """Start it again on the same port, over the same data."""
        self.api_server.start()
        self._wait_for_api_server()

    def kubectl(
        self, *arguments: str, input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator.

        Raises AssertionError with what it said if it fails, unless ``check`` is off.
        """
        command = [str(self._kubectl), *self._kubectl_defaults, *arguments]
        done = subprocess.run(command, input=input, capture_output=True, text=True)
        assert not (check and done.returncode), f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done

    def apply(self, *manifests: object) -> None:
        self.kubectl("apply", "--filename=-", input="\n---\n".join(json.dumps(manifest) for manifest in manifests))

    def install_crds(self) -> None:
        """Install the custom resources as the repository has them, and wait until they can be used."""
        self.kubectl("apply", f"--filename={CRDS}")
        self.wait_for_crds()

    def wait_for_crds(self) -> None:
        """Wait until kubectl finds studies and trials: the API server calls a definition Established before it serves
        the resource, and its discovery tells of it later still.
        """
        asked = ("get", "studies.tuning.study,trials.tuning.study", "--all-namespaces")
        self.api_server.wait_until(lambda: self.kubectl(*asked, check=False).returncode == 0)

    def user_kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig with a client certificate for ``user``, who may do nothing until a role says so."""
        return self._write_kubeconfig(f"user-{user}", _certificate_user(self._authority.issue(user, groups)))

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig with a token of the service account, which must exist."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}").stdout.strip()
        return self._write_kubeconfig(f"service-account-{namespace}-{name}", {"token": token})

    def _wait_for_api_server(self) -> None:
        self.api_server.wait_until(lambda: self._answers("/readyz"))

    def _answers(self, path: str) -> bool:
        client = self.access.client
        with suppress(requests.ConnectionError, requests.Timeout):
            response = requests.get(
                self.access.url + path,
                cert=(str(client.certificate), str(client.key)),
                verify=str(self.access.authority),
                timeout=5,
            )
            return response.ok
        return False

    def _server(self, program: str, arguments: Sequence[str]) -> Server:
        return Server([str(find_or_build(program)), *arguments], self.folder / f"{program}.log")

    def _etcd(self, url: str) -> Server:
        peers = f"http://127.0.0.1:{free_port()}"
        return self._server(
            "etcd",
            [
                "--unsafe-no-fsync",
                f"--data-dir={self.folder}/etcd",
                f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                "--log-level=warn",
            ],
        )

    def _api_server(self, etcd_url: str) -> Server:
        address = self.settings.api_server_address
        serving = self._authority.issue("kube-apiserver", addresses=[address])
        signing = self._authority.issue("service-accounts")
        arguments = [
            f"--etcd-servers={etcd_url}",
            f"--bind-address={'127.0.0.1' if address == '127.0.0.1' else '0.0.0.0'}",
            f"--secure-port={self.access.url.rpartition(':')[2]}",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={self.access.authority}",
            f"--service-account-key-file={signing.certificate}",
            f"--service-account-signing-key-file={signing.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged",
            *self.settings.api_server_arguments,
        ]
        if self.settings.audit:
            policy = self.folder / "audit-policy.json"
            policy.write_text(json.dumps(_AUDIT_POLICY))
            arguments += [f"--audit-policy-file={policy}", f"--audit-log-path={self.audit_log}"]
        return self._server("kube-apiserver", arguments)

    def _controller_manager(self) -> Server:
        rate = self.settings.queries_per_second
        return self._server(
            "kube-controller-manager",
            [
                f"--kubeconfig={self.kubeconfig}",
                f"--controllers={','.join(self.settings.controllers)}",
                f"--kube-api-qps={rate}",
                f"--kube-api-burst={rate * 3 // 2}",
                f"--root-ca-file={self.access.authority}",
                f"--service-account-private-key-file={self.folder}/service-accounts.key",
                "--leader-elect=false",
                "--secure-port=0",
            ],
        )

    def _write_kubeconfig(self, name: str, user: dict[str, str]) -> Path:
        authority = base64.b64encode(self.access.authority.read_bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "tests", "cluster": {"server": self.access.url, "certificate-authority-data": authority}}
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": name}}],
            "current-context": "tests",
        }
        path = self.folder / f"{name.replace(':', '-').replace('/', '-')}.kubeconfig"
        path.write_text(json.dumps(config))
        return path


def _certificate_user(pair: KeyPair) -> dict[str, str]:
    return {
        "client-certificate-data": base64.b64encode(pair.certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(pair.key.read_bytes()).decode(),
    }
