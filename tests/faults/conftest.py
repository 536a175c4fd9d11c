"""Faults of what is around the operator. Each test has its own replica, with the rights that the chart gives it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.chart import NAMESPACE, of_kind, render
from tests.cluster.control_plane import ControlPlane
from tests.cluster.node_agent import NodeAgent
from tests.cluster.operator_process import PROGRAM, OperatorProcess
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
def replica(
    kubeconfig: Path | None, folder: Path, *arguments: str, program: Sequence[str] = (PROGRAM,)
) -> Iterator[OperatorProcess]:
    """An operator that is started; it need not come to act."""
    access = [] if kubeconfig is None else [f"--kubeconfig={kubeconfig}"]
    lease = (f"--lease-namespace={NAMESPACE}", "--no-leader-election")
    process = OperatorProcess(folder, [*access, *lease, *arguments], program)
    process.start()
    try:
        process.wait_until(lambda: bool(process.stage))
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

    def starter(*arguments: str, program: Sequence[str] = (PROGRAM,)) -> OperatorProcess:
        folder = tmp_path / f"operator-{len(started)}"
        only = (f"--namespace={place.namespace}", "--no-leader-election")
        process = OperatorProcess(folder, [f"--kubeconfig={kubeconfig}", *only, *arguments], program)
        started.append(process)
        process.start_and_wait()
        return process

    yield starter
    for process in started:
        process.stop()


def elsewhere(*moved: str) -> tuple[str, ...]:
    """The program by which the operator starts where its clock, or its service account's folder, is another."""
    return (sys.executable, str(Path(__file__).with_name("elsewhere.py")), *moved, "--")


def assert_asks_less_than(bound: float, plane: ControlPlane, fault: str, seconds: float = 10.0) -> None:
    """Requests a minute, over some seconds from now. What was measured is printed, for the table of docs/operations.md:

    python -m pytest -rP tests/faults | grep 'a minute'
    """
    before = plane.requests_of_operators()
    time.sleep(seconds)
    rate = (plane.requests_of_operators() - before) * 60 / seconds
    print(f"{fault}: {rate:.0f} requests a minute")
    assert rate < bound


def log_has(process: OperatorProcess, text: str) -> bool:
    """Whether a line of the operator's log says so."""
    return any(text in record["message"] for record in process.records)


def log_lines_a_minute(process: OperatorProcess, seconds: float = 10.0) -> float:
    before = len(process.records)
    time.sleep(seconds)
    return (len(process.records) - before) * 60 / seconds
