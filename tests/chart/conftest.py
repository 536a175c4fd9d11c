"""A control plane of the chart's own, and a node on which the operator's image is this checkout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart.chart import CHART, NAMESPACE, VERSION, helm
from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.node import NodeSettings
from tests.cluster.node_agent import NodeAgent

IMAGE = f"study-operator:{VERSION}"
PROGRAM = str(Path(sys.executable).with_name("study-operator"))


class Cluster:
    """The control plane, and helm on it."""

    def __init__(self, control: ControlPlane, node: NodeAgent) -> None:
        self.control = control
        self.node = node

    def helm(
        self, *arguments: str, values: Mapping[str, Any] = {}, namespace: str = NAMESPACE, check: bool = True
    ) -> str:
        access = (f"--kubeconfig={self.control.kubeconfig}", f"--namespace={namespace}")
        return helm(*arguments, *access, values=values, check=check).stdout

    def install(
        self, values: Mapping[str, Any] = {}, release: str = "study-operator", namespace: str = NAMESPACE
    ) -> str:
        """Install or upgrade, wait until the operator is there, and return what helm says."""
        waiting = ("--wait", "--timeout=120s")
        told = self.helm(
            "upgrade", "--install", release, str(CHART), *waiting,
            values={**self.process_values(namespace), **values}, namespace=namespace,
        )  # fmt: skip
        self.control.wait_for_crds()
        return told

    def process_values(self, namespace: str = NAMESPACE, account: str = "study-operator") -> dict[str, object]:
        """How the operator works in a pod of the test node, which mounts nothing: its ServiceAccount by certificate."""
        user = f"system:serviceaccount:{namespace}:{account}"
        kubeconfig = self.control.user_kubeconfig(user, ["system:serviceaccounts", "system:authenticated"])
        address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
        return {
            "extraArgs": [f"--kubeconfig={kubeconfig}", "--http-address=$(POD_IP)"],
            "extraEnv": [address],
            "terminationGracePeriodSeconds": 5,
        }

    def pods(self) -> list[dict[str, Any]]:
        """Those of the operator that are to stay."""
        listed = self.get("pods", f"--namespace={NAMESPACE}", "--selector=app.kubernetes.io/name=study-operator")
        items: list[dict[str, Any]] = listed["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def create_namespace(self, name: str, security: str = "privileged") -> None:
        labels = {"pod-security.kubernetes.io/enforce": security}
        self.control.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        self.control.kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}", "--timeout=30s")

    def get(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.control.kubectl("get", *arguments, "--output=json").stdout)
        return found


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    node = NodeSettings(images={"python": [sys.executable], IMAGE: [PROGRAM]}, gpus=4)
    with (
        ControlPlane(tmp_path_factory.mktemp("chart-plane"), Settings(audit=True)) as control,
        NodeAgent(control.access, tmp_path_factory.mktemp("chart-node"), node) as agent,
    ):
        control.kubectl("apply", "--server-side", f"--filename={Path(__file__).with_name('monitoring.yaml')}")
        cluster = Cluster(control, agent)
        cluster.create_namespace(NAMESPACE, "restricted")
        yield cluster


@pytest.fixture(scope="session")
def installed(cluster: Cluster) -> Cluster:
    """The cluster with a release of the default values, and the operator at work."""
    cluster.install()
    return cluster


@pytest.fixture
def control_plane(cluster: Cluster) -> ControlPlane:
    """What the ``namespace`` fixture works on."""
    return cluster.control
