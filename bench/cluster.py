"""A real control plane whose pods finish at once.

The API server, the Job controller and the scheduler are the real ones; KWOK plays the node. So what is measured is the
way from one finished Job to the next, and never a trainer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.cluster.binaries import find_or_build
from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.server import Server

STAGES = Path(__file__).with_name("stages.yaml")
NODE = "kwok"
OPERATOR, LOOP = "study-operator", "bare-loop"
"""The users that the audit log tells apart."""


class Cluster:
    """A running control plane with one KWOK node, the custom resources, and a kubeconfig for each contender."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.kubeconfigs = {user: plane.user_kubeconfig(user, ["system:masters"]) for user in (OPERATOR, LOOP)}

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request as the administrator, and its answer."""
        access = self.plane.access
        response = requests.request(
            method,
            access.url + path,
            json=body,
            cert=(str(access.client.certificate), str(access.client.key)),
            verify=str(access.authority),
            timeout=60,
        )
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def create_namespace(self, name: str) -> None:
        """A namespace in which pods can be created at once."""
        self.plane.kubectl("create", "namespace", name)
        self.plane.kubectl("wait", "--for=create", "--timeout=60s", "serviceaccount/default", f"--namespace={name}")


@contextmanager
def cluster(folder: Path, queries_per_second: int) -> Iterator[Cluster]:
    """A cluster in ``folder`` whose controller manager sends so many requests a second (a stock one: 20)."""
    folder.mkdir(parents=True)
    with ControlPlane(folder, Settings(queries_per_second, scheduler=True, audit=True)) as plane:
        plane.install_crds()
        arguments = [f"--kubeconfig={plane.kubeconfig}", f"--config={STAGES}", f"--manage-single-node={NODE}"]
        kwok = Server([str(find_or_build("kwok")), *arguments, "--node-lease-duration-seconds=40"], folder / "kwok.log")
        kwok.start()
        try:
            _add_node(plane)
            yield Cluster(plane)
        finally:
            kwok.kill()


def _add_node(plane: ControlPlane) -> None:
    plane.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    plane.kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"node/{NODE}")
    # Admission taints every new node, and the controller that would take the taint away does not run.
    plane.kubectl("patch", f"node/{NODE}", "--patch", json.dumps({"spec": {"taints": None}}))
