"""The cluster of the suite: its control plane, its one node, its Prometheus, and the operator installed by helm."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.prometheus import PrometheusServer, trial_pods
from tests.end_to_end.place import Place
from tests.node import INSIDE, RUN
from tests.node.containerd import GATEWAY, Containerd
from tests.node.installation import Installation
from tests.node.kubelet import Kubelet

# Outside of its namespaces the suite would change the machine, so `make test` doesn't see it.
collect_ignore_glob = [] if os.environ.get(INSIDE) else ["test_*.py"]

API_SERVER = "10.0.0.1"
"""The first address of the services' range, which is that of the service `kubernetes`: with the API server itself
there, pods find it as they do in any cluster, and nothing has to forward services."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test that fails shows what it left in its namespace, and the end of the operator's log."""
    report: Any = yield
    found: dict[str, Any] = getattr(item, "funcargs", {})
    if report.failed and "place" in found:
        left = found["place"].kubectl("get", "studies,trials,jobs,pods,events", "--output=wide", check=False)
        report.sections.append(("namespace", left))
        report.sections.append(("operator", found["operator"].log()))
    return report


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    subprocess.run(["ip", "address", "add", f"{API_SERVER}/32", "dev", "lo"], check=True)
    settings = Settings(
        scheduler=True,
        audit=True,
        controllers=["*"],  # with the one that notices a node's silence
        api_server_address=API_SERVER,
        api_server_port=443,
        api_server_arguments=[
            f"--advertise-address={API_SERVER}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={RUN}/admin.crt",
            f"--kubelet-client-key={RUN}/admin.key",
        ],
    )
    with ControlPlane(RUN, settings) as plane:
        yield plane


@pytest.fixture(scope="session")
def kubelet(plane: ControlPlane) -> Iterator[Kubelet]:
    containerd = Containerd(RUN)
    containerd.start()
    kubelet = Kubelet(RUN, plane, containerd)
    kubelet.start()
    yield kubelet
    kubelet.stop()
    containerd.stop()


@pytest.fixture(scope="session")
def prometheus(plane: ControlPlane, kubelet: Kubelet) -> Iterator[PrometheusServer]:
    """Finds the trials' pods through the API server, and is found by the operator's pod."""
    folder = RUN / "prometheus"
    folder.mkdir()
    with PrometheusServer(folder, [trial_pods(plane.access)], host=GATEWAY) as server:
        yield server


@pytest.fixture(scope="session")
def operator(plane: ControlPlane, kubelet: Kubelet, prometheus: PrometheusServer) -> Installation:
    operator = Installation(plane)
    operator.install(prometheus.url)
    return operator


@pytest.fixture
def place(plane: ControlPlane, operator: Installation) -> Iterator[Place]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    plane.kubectl("create", "namespace", name)
    plane.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    plane.kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}", "--timeout=30s")
    yield Place(plane, name)
    plane.kubectl("delete", "namespace", name, "--timeout=120s")
