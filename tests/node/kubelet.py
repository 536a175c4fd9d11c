"""A kubelet as a server of the suite, and the GPUs that its node advertises."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.binaries import find_or_build
from tests.cluster.control_plane import ControlPlane
from tests.cluster.server import Server
from tests.node import CGROUP
from tests.node.containerd import GATEWAY, Containerd

NODE = "node0"
GPUS = 4
_PRESSURES = ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available")


class Kubelet:
    """The node NODE. Stopped, its containers run on and nobody tells of them, as when a node is cut off."""

    def __init__(self, folder: Path, plane: ControlPlane, containerd: Containerd) -> None:
        self._plane = plane
        kubeconfig = plane.user_kubeconfig(f"system:node:{NODE}", ["system:nodes"])
        config = folder / "kubelet.json"
        config.write_text(json.dumps(_config(folder, plane.access.authority, containerd.endpoint)))
        command = [
            str(find_or_build("kubelet")),
            f"--config={config}",
            f"--kubeconfig={kubeconfig}",
            f"--root-dir={folder}/kubelet",
            f"--cert-dir={folder}/kubelet-certificates",
            f"--hostname-override={NODE}",
            f"--node-ip={GATEWAY}",
        ]
        self._server = Server(command, folder / "kubelet.log")

    def start(self) -> None:
        """Start it, also after ``stop``; the node is then ready and has its GPUs."""
        self._server.start()
        self._server.wait_until(self._is_ready, seconds=120)
        self._advertise()

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def _is_ready(self) -> bool:
        told = self._plane.kubectl("get", "node", NODE, "--output=json", check=False)
        if told.returncode:
            return False
        conditions = json.loads(told.stdout)["status"]["conditions"]
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)

    def _advertise(self) -> None:
        """What a device plugin does: four devices, which the scheduler counts and the kubelet reports from then on."""
        patch = [{"op": "add", "path": "/status/capacity/nvidia.com~1gpu", "value": str(GPUS)}]
        self._plane.kubectl(
            "patch", "node", NODE, "--subresource=status", "--type=json", f"--patch={json.dumps(patch)}"
        )


def _config(folder: Path, authority: Path, containerd: str) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": containerd,
        "authentication": {
            "x509": {"clientCAFile": str(authority)},
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        # No cgroups for the classes of service: they would ask for more of the machine than a container has.
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "podLogsDir": f"{folder}/pod-logs",
        "volumePluginDir": f"{folder}/volume-plugins",
        "resolvConf": "",
        # A disk that is nearly full is the machine's own matter.
        "evictionHard": dict.fromkeys(_PRESSURES, "0%"),
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "5s",
    }
