"""pytest fixtures over the cluster harness; the root conftest names this module in ``pytest_plugins``.

The servers last for a session (each worker of pytest-xdist has its own), and tests keep apart by namespaces. A
program that is missing fails the tests that need it with the reason: a skip would hide that nothing was tested.
Building it may take longer than a test may, so it happens once the tests are collected, before any test's clock runs.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cluster.binaries import DEFAULT, ProgramMissing, find_or_build
from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.node import NodeSettings
from tests.cluster.node_agent import NodeAgent
from tests.cluster.prometheus import PrometheusServer, trial_pods

GPUS = 4
"""How many nvidia.com/gpu the node of the ``node_agent`` fixture has."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: runs on the control plane; given to every test that asks for it")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "control_plane" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the missing programs if a collected test runs on a fixture of this module."""
    needed = any("control_plane" in getattr(item, "fixturenames", ()) for item in session.items)
    if not needed or session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    assert capture, "pytest's capture plugin is always there"
    with capture.global_and_fixture_disabled(), suppress(ProgramMissing):  # the fixture raises it again
        for name in DEFAULT:
            find_or_build(name)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """It keeps an audit log, by which tests count what a client asked for."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane"), Settings(audit=True)) as plane:
        yield plane


@pytest.fixture(scope="session")
def node_agent(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeAgent]:
    """A node with GPUS accelerators; the image ``python`` starts the interpreter of the tests."""
    settings = NodeSettings(gpus=GPUS, images={"python": [sys.executable]})
    with NodeAgent(control_plane.access, tmp_path_factory.mktemp("node"), settings) as agent:
        yield agent


@pytest.fixture(scope="session")
def prometheus(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """Scrapes the pods of studies of the control plane every second."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with PrometheusServer(folder, [trial_pods(control_plane.access)]) as server:
        yield server


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of the test's own; when the test ends, its pods are gone before the next one starts."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    inside = f"--namespace={name}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("wait", "--for=create", "serviceaccount/default", inside, "--timeout=30s")
    yield name
    # Terminating at once, so that nothing is created any more; its controller sweeps it only after five seconds.
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
    control_plane.kubectl("delete", "jobs,pods", "--all", inside, "--grace-period=1", "--timeout=60s")
