"""A control plane whose audit log tells who did what, with a node, and the operator's rights as they are installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chart.chart import NAMESPACE, of_kind, render
from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.node import NodeSettings
from tests.cluster.node_agent import NodeAgent

RIGHTS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
SUCCEED = [
    "python",
    "-c",
    """
import json, os
value = float(os.environ["HP_LEARNING_RATE"])
json.dump({"schema": 1, "metrics": {"validation_error": value}}, open(os.environ["STUDY_TERMINATION_LOG"], "w"))
""",
]


@dataclass(frozen=True, slots=True)
class Plane:
    """The control plane; ``kubeconfig`` is that of the operator's service account."""

    control: ControlPlane
    kubeconfig: Path

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any]:
        found = self.control.kubectl("get", kind, name, f"--namespace={namespace}", "--output=json")
        read: dict[str, Any] = json.loads(found.stdout)
        return read

    def audit(self, user: str = "system:serviceaccount:study-operator:study-operator") -> list[dict[str, Any]]:
        """The requests of ``user`` that are finished, in the order of their ends."""
        entries = map(json.loads, self.control.audit_log.read_text().splitlines())
        return [entry for entry in entries if entry["user"]["username"] == user]

    def finished(self, name: str, namespace: str, seconds: int = 60) -> dict[str, Any]:
        """The study once it is finished."""
        condition = "--for=condition=Finished"
        self.control.kubectl("wait", condition, f"study/{name}", f"--namespace={namespace}", f"--timeout={seconds}s")
        return self.get("study", name, namespace)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    settings = Settings(audit=True)
    node = NodeSettings(images={"python": [sys.executable]})
    with (
        ControlPlane(tmp_path_factory.mktemp("audited-plane"), settings) as control,
        NodeAgent(control.access, tmp_path_factory.mktemp("audited-node"), node),
    ):
        rights = of_kind(render({"leaderElection": {"namespace": NAMESPACE}}), *RIGHTS)
        control.kubectl("create", "namespace", NAMESPACE)
        control.apply(*rights)
        control.install_crds()
        yield Plane(control, control.service_account_kubeconfig("study-operator", "study-operator"))


@pytest.fixture
def control_plane(plane: Plane) -> ControlPlane:
    """What the ``namespace`` fixture works on."""
    return plane.control
