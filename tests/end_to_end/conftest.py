"""The whole, as it is installed: the resources from crds/, and the operator as a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.node_agent import NodeAgent
from tests.cluster.prometheus import PrometheusServer
from tests.end_to_end.operator_process import OperatorProcess
from tests.end_to_end.place import Place

CRDS = Path(__file__).resolve().parents[2] / "crds"

OperatorStarter = Callable[..., OperatorProcess]
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(scope="session")
def resources(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, with the custom resources installed as the repository has them."""
    control_plane.kubectl("apply", f"--filename={CRDS}")
    control_plane.kubectl("wait", "--for=condition=Established", f"--filename={CRDS}", "--timeout=60s")
    return control_plane


@pytest.fixture
def place(resources: ControlPlane, node_agent: NodeAgent, namespace: str) -> Place:
    return Place(resources, namespace)


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """Where trainers leave their trial's name as they start."""
    return tmp_path / "begun.txt"


@pytest.fixture
def start_operator(
    place: Place, prometheus: PrometheusServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[OperatorStarter]:
    """Start a replica and wait for the stage; its lease is in the test's namespace. A test that fails shows the logs.

    An error in a log is something that nobody foresaw, so it fails the test.
    """
    started: list[OperatorProcess] = []

    def start(*arguments: str, stage: str = "acting") -> OperatorProcess:
        process = OperatorProcess(
            tmp_path_factory.mktemp("operator"),
            [
                f"--kubeconfig={place.plane.kubeconfig}",
                f"--prometheus-url={prometheus.url}",
                f"--lease-namespace={place.namespace}",
                *arguments,
            ],
        )
        started.append(process)
        process.start_and_wait(stage)
        return process

    yield start
    for process in started:
        process.stop()
    if request.node.stash.get(_failed, False):
        for number, process in enumerate(started):
            print(f"--- log of operator {number}\n{process.log.read_text()}")
        print(place.kubectl("get", "studies,trials,jobs,pods,events", "--output=wide", check=False))
    assert not [record for process in started for record in process.records if _unforeseen(record)]


def _unforeseen(record: dict[str, Any]) -> bool:
    """Whether a line of the log is an error; kopf says so of every request that it tries again, too."""
    return record["level"] == "ERROR" and not record["logger"].startswith("kopf._cogs.clients")


@pytest.fixture
def operator(start_operator: OperatorStarter) -> OperatorProcess:
    """One replica that acts, and serves all namespaces."""
    return start_operator()
