"""The whole, as it is installed: the resources from crds/, and the operator as a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.node_agent import NodeAgent
from tests.cluster.operator_process import OperatorProcess
from tests.cluster.prometheus import PrometheusServer
from tests.end_to_end.place import Place

OperatorStarter = Callable[..., OperatorProcess]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A test that fails shows what it left in its namespace, and the end of the operators' logs."""
    report: Any = yield
    found: dict[str, Any] = getattr(item, "funcargs", {})
    if report.failed and call.when == "call" and "place" in found:
        left = found["place"].kubectl("get", "studies,trials,jobs,pods,events", "--output=wide", check=False)
        report.sections.append(("namespace", left))
        for replica in found["replicas"]:
            report.sections.append(("operator", "\n".join(replica.log.read_text().splitlines()[-50:])))
    return report


@pytest.fixture(scope="session")
def resources(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, with the custom resources installed as the repository has them."""
    control_plane.install_crds()
    return control_plane


@pytest.fixture
def place(resources: ControlPlane, node_agent: NodeAgent, namespace: str) -> Place:
    return Place(resources, namespace)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Where trainers leave their trial's name as they start."""
    return tmp_path / "begun.txt"


@pytest.fixture(scope="module")
def module_replicas() -> list[OperatorProcess]:
    return []


@pytest.fixture(scope="module")
def operator(
    resources: ControlPlane,
    node_agent: NodeAgent,
    prometheus: PrometheusServer,
    tmp_path_factory: pytest.TempPathFactory,
    module_replicas: list[OperatorProcess],
) -> Iterator[OperatorProcess]:
    """A replica that acts and serves all namespaces, for the tests of one module."""
    process = OperatorProcess(tmp_path_factory.mktemp("operator"), _arguments(resources, prometheus))
    module_replicas.append(process)
    process.start_and_wait()
    yield process
    process.stop()


@pytest.fixture
def start_operator(
    place: Place,
    prometheus: PrometheusServer,
    tmp_path_factory: pytest.TempPathFactory,
    module_replicas: list[OperatorProcess],
) -> Iterator[OperatorStarter]:
    """Start a replica of the test's own and wait for the stage; not to be used beside ``operator`` in one module."""

    def start(*arguments: str, stage: str = "acting") -> OperatorProcess:
        lease = f"--lease-namespace={place.namespace}"
        process = OperatorProcess(
            tmp_path_factory.mktemp("operator"), [*_arguments(place.plane, prometheus), lease, *arguments]
        )
        module_replicas.append(process)
        process.start_and_wait(stage)
        return process

    yield start
    for process in module_replicas:
        process.stop()


@pytest.fixture(autouse=True)
def replicas(module_replicas: list[OperatorProcess]) -> Iterator[list[OperatorProcess]]:
    """All replicas of the module; an error in their logs is something that nobody foresaw, so it fails the test."""
    read = {process: len(process.records) for process in module_replicas}
    yield module_replicas
    records = (record for process in module_replicas for record in process.records[read.get(process, 0) :])
    errors = [record for record in records if _unforeseen(record)]
    assert not errors, json.dumps(errors, indent=1)


def _unforeseen(record: dict[str, Any]) -> bool:
    """Whether a line tells of a fault: kopf calls each request that it tries again an error, too."""
    retried = record["logger"].startswith("kopf._cogs.clients")
    return (record["level"] == "ERROR" and not retried) or (record["level"] == "CRITICAL" and "exc_info" in record)


def _arguments(plane: ControlPlane, prometheus: PrometheusServer) -> list[str]:
    return [f"--kubeconfig={plane.kubeconfig}", f"--prometheus-url={prometheus.url}"]
