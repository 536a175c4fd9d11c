"""A cluster whose node has the images of both releases, and helm on it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.chart import NAMESPACE
from tests.chart.conftest import Cluster
from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.node import NodeSettings
from tests.cluster.node_agent import NodeAgent
from tests.end_to_end.place import Place
from tests.upgrade.release import Release, present, previous


class Upgrades:
    """Installs one release over the other, and tells what their operators did."""

    def __init__(self, cluster: Cluster, node_folder: Path) -> None:
        self.cluster = cluster
        self.control = cluster.control
        self._node_folder = node_folder

    def install(self, release: Release, *options: str) -> None:
        """Install or upgrade to it, as docs/upgrade.md says, and wait until its operator is there."""
        self.cluster.helm(
            "upgrade", "--install", "study-operator", str(release.chart), *options,
            "--reset-then-reuse-values", "--wait", "--timeout=120s", values=self.cluster.process_values(),
        )  # fmt: skip
        self.control.kubectl(
            "wait", "--for=condition=Established", "crd/studies.tuning.study", "crd/trials.tuning.study"
        )

    def roll_back(self) -> None:
        self.cluster.helm("rollback", "study-operator", "--wait", "--timeout=120s")

    def jobs(self, place: Place) -> dict[str, str]:
        """Every Job that was created in the namespace, and the version of the operator that created it.

        Raises AssertionError if one was created twice.
        """
        found: dict[str, str] = {}
        for entry in map(json.loads, self.control.audit_log.read_text().splitlines()):
            what = entry.get("objectRef", {})
            created = entry["verb"] == "create" and entry["responseStatus"]["code"] == 201
            tried = "dryRun" in entry["requestURI"]
            if created and not tried and (what.get("resource"), what.get("namespace")) == ("jobs", place.namespace):
                assert what["name"] not in found, f"{what['name']} ran twice"
                found[what["name"]] = entry["userAgent"].partition("/")[2]
        return found

    def errors(self) -> list[str]:
        """What any operator has logged that nobody foresaw."""
        logs = self._node_folder.glob(f"{NAMESPACE}_*/*/output.log")
        records = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
        assert records, "no operator has written a log"
        return [record["message"] for record in records if record["level"] in ("ERROR", "CRITICAL")]


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return previous(tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="session")
def new() -> Release:
    return present()


@pytest.fixture
def upgrades(tmp_path: Path, old: Release, new: Release) -> Iterator[Upgrades]:
    """A control plane of the test's own: what an earlier test left would be no installation of the old release."""
    images = {release.image: release.program for release in (old, new)}
    settings = NodeSettings(images={"python": [sys.executable], **images})
    planes, nodes = tmp_path / "plane", tmp_path / "node"
    planes.mkdir()
    with ControlPlane(planes, Settings(audit=True)) as control, NodeAgent(control.access, nodes, settings) as agent:
        cluster = Cluster(control, agent)
        cluster.create_namespace(NAMESPACE, "restricted")
        yield Upgrades(cluster, nodes)


@pytest.fixture
def place(upgrades: Upgrades) -> Place:
    upgrades.cluster.create_namespace("team")
    return Place(upgrades.control, "team")
