"""Faults of what is around the operator. Each test has its own replica, with the rights that the chart gives it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.chart import NAMESPACE, of_kind, render
from tests.cluster.control_plane import ControlPlane
from tests.cluster.node_agent import NodeAgent
from tests.cluster.operator_process import OperatorProcess
from tests.end_to_end.conftest import resources
from tests.end_to_end.place import Place

__all__ = ["resources"]

OPERATOR = "system:serviceaccount:study-operator:study-operator"
RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")

Starter = Callable[..., OperatorProcess]


def install_rights(plane: ControlPlane) -> Path:
    """The rights of the chart's release; the kubeconfig of its ServiceAccount."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    plane.apply(namespace, *of_kind(render(), *RIGHTS))
    return plane.user_kubeconfig(OPERATOR, ["system:serviceaccounts", "system:authenticated"])


@contextmanager
def replica(kubeconfig: Path, folder: Path, *arguments: str) -> Iterator[OperatorProcess]:
    """An operator that is started; it need not come to act."""
    lease = (f"--lease-namespace={NAMESPACE}", "--no-leader-election")
    process = OperatorProcess(folder, [f"--kubeconfig={kubeconfig}", *lease, *arguments])
    process.start()
    try:
        process.wait_until(lambda: process.stage)
        yield process
    finally:
        process.stop()


@pytest.fixture
def place(resources: ControlPlane, node_agent: NodeAgent, namespace: str) -> Place:
    return Place(resources, namespace)


@pytest.fixture
def start(place: Place, tmp_path: Path) -> Iterator[Starter]:
    """Start a replica for the test's namespace alone, and wait until it acts."""
    started: list[OperatorProcess] = []
    kubeconfig = install_rights(place.plane)

    def starter(*arguments: str, kubeconfig: Path = kubeconfig) -> OperatorProcess:
        folder = tmp_path / f"operator-{len(started)}"
        folder.mkdir()
        only = (f"--namespace={place.namespace}", "--no-leader-election")
        process = OperatorProcess(folder, [f"--kubeconfig={kubeconfig}", *only, *arguments])
        started.append(process)
        process.start_and_wait()
        return process

    yield starter
    for process in started:
        process.stop()


def requests(plane: ControlPlane, user: str = OPERATOR) -> int:
    """How many requests of the user the API server has finished so far."""
    with plane.audit_log.open() as log:
        return sum(json.loads(line)["user"].get("username") == user for line in log)


def requests_a_minute(plane: ControlPlane, seconds: float = 10.0, user: str = OPERATOR) -> float:
    """Measured for some seconds from now."""
    before = requests(plane, user)
    time.sleep(seconds)
    return (requests(plane, user) - before) * 60 / seconds


def log_has(process: OperatorProcess, text: str) -> bool:
    """Whether a line of the operator's log says so."""
    return any(text in record["message"] for record in process.records)


def log_lines_a_minute(process: OperatorProcess, seconds: float = 10.0) -> float:
    before = len(process.records)
    time.sleep(seconds)
    return (len(process.records) - before) * 60 / seconds
