"""The operator as an administrator installs it: the chart, by helm, with the image that was built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from typing import Any

from tests.cluster.binaries import find_or_build
from tests.cluster.control_plane import ControlPlane
from tests.cluster.waiting import eventually
from tests.node.images import REPOSITORY
from tests.node.kubelet import NODE

RELEASE = NAMESPACE = "study-operator"
_GUIDE = REPOSITORY / "docs" / "install.md"
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_PROMETHEUS = "http://prometheus-operated.monitoring:9090"
"""The address that the guide gives as an example."""


class Installation:
    """One release of the chart, in the namespace NAMESPACE."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self.began = 0.0
        """When `helm install` was called, as time.monotonic() tells it."""
        self.prometheus = ""

    def install(self, prometheus: str) -> None:
        """Returns when helm does, with the operator ready."""
        self.began = time.monotonic()
        self.prometheus = prometheus
        namespace = {"metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        self._plane.apply({"apiVersion": "v1", "kind": "Namespace", **namespace})
        self.follow_guide("helm install", {_PROMETHEUS: prometheus})

    def follow_guide(self, step: str, replaced: Mapping[str, str] = {}) -> str:
        """Run the commands of docs/install.md that begin with ``step``, as they are written there but for the parts
        that are ``replaced``. Returns what they print, or raises AssertionError with it.
        """
        [commands] = [block for block in _BLOCK.findall(_GUIDE.read_text()) if block.startswith(step)]
        for example, own in replaced.items():
            assert example in commands, f"{example} is not in the step {step} of {_GUIDE.name}"
            commands = commands.replace(example, own)
        folder = self._plane.folder / "helm"
        programs = os.pathsep.join(str(find_or_build(name).parent) for name in ("helm", "kubectl"))
        environment = {
            **{f"HELM_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")},
            "HOME": str(folder),
            "KUBECONFIG": str(self._plane.kubeconfig),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert not done.returncode, f"{commands}{done.stdout}{self.log()}"
        return done.stdout

    def pod(self) -> str:
        """The name of the operator's pod, once it is ready."""
        return eventually(lambda: [pod["metadata"]["name"] for pod in self._pods() if _is_ready(pod)], bool)[0]

    def kill(self) -> None:
        """End the operator's pod at once, with no time to put its work in order; returns when another is ready."""
        killed = self.pod()
        self._kubectl("delete", "pod", killed, "--grace-period=0", "--force")
        eventually(
            lambda: [pod["metadata"]["name"] for pod in self._pods() if _is_ready(pod)],
            lambda pods: pods and killed not in pods,
        )

    def restarts(self) -> int:
        """How often the containers of the present pod were started again."""
        return sum(status["restartCount"] for pod in self._pods() for status in pod["status"]["containerStatuses"])

    def memory(self) -> int:
        """The operator's resident memory as the kubelet measures it, in bytes."""
        path = f"/api/v1/nodes/{NODE}/proxy/stats/summary"
        pod = self.pod()
        summary = json.loads(self._plane.kubectl("get", "--raw", path).stdout)
        [found] = [told for told in summary["pods"] if told["podRef"]["name"] == pod]
        resident: int = found["containers"][0]["memory"]["rssBytes"]
        return resident

    def log(self) -> str:
        """The end of its log, also of the container before the present one."""
        present = self._kubectl("logs", f"deployment/{RELEASE}", "--tail=50", check=False)
        before = self._kubectl("logs", f"deployment/{RELEASE}", "--tail=20", "--previous", check=False)
        return f"{before}\n{present}"

    def _pods(self) -> list[dict[str, Any]]:
        listed = self._kubectl("get", "pods", f"--selector=app.kubernetes.io/name={RELEASE}", "--output=json")
        pods: list[dict[str, Any]] = json.loads(listed)["items"]
        return pods

    def _kubectl(self, *arguments: str, check: bool = True) -> str:
        done = self._plane.kubectl(f"--namespace={NAMESPACE}", *arguments, check=check)
        return done.stdout or done.stderr


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
