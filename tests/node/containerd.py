"""A containerd of the suite's own: Debian's program, with its folders and its network apart from any other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cluster.server import Server
from tests.node.images import IMAGES, PAUSE, archive

BRIDGE = "cni0"
GATEWAY = "10.88.0.1"
"""The address of the node, and of everything outside of pods, as pods see it."""
PODS = "10.88.0.0/16"
_HARDWARE_ADDRESS = "0a:58:0a:58:00:01"
"""Given none, a bridge has the lowest of its ports': it changed as pods came and went, and the others lost the node."""


class Containerd:
    """Started, it has the suite's images, and gives pods addresses of PODS on BRIDGE."""

    def __init__(self, folder: Path) -> None:
        self.endpoint = "unix:///run/containerd/containerd.sock"
        networks = folder / "networks"
        networks.mkdir()
        (networks / "pods.conflist").write_text(json.dumps(_network(folder)))
        config = folder / "containerd.toml"
        config.write_text(_config(folder, networks))
        self._server = Server(["containerd", f"--config={config}"], folder / "containerd.log")

    def start(self) -> None:
        # The kubelet takes the bridge's address for the node's, so the bridge is there before the first pod.
        for command in (
            ["ip", "link", "add", BRIDGE, "address", _HARDWARE_ADDRESS, "type", "bridge"],
            ["ip", "address", "add", f"{GATEWAY}/{PODS.partition('/')[2]}", "dev", BRIDGE],
            ["ip", "link", "set", BRIDGE, "up"],
        ):
            subprocess.run(command, check=True)
        self._server.start()
        self._server.wait_until(lambda: subprocess.run(["ctr", "version"], capture_output=True).returncode == 0)
        for image in IMAGES:
            self._ctr("images", "import", "--no-unpack", str(archive(image)))

    def stop(self) -> None:
        """The containers end with the namespaces of the suite."""
        self._server.stop()

    def _ctr(self, *arguments: str) -> None:
        subprocess.run(["ctr", "--namespace=k8s.io", *arguments], check=True, capture_output=True)


def _network(folder: Path) -> object:
    addresses = {"type": "host-local", "ranges": [[{"subnet": PODS}]], "dataDir": f"{folder}/addresses"}
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipam": addresses | {"routes": [{"dst": "0.0.0.0/0"}]},
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def _config(folder: Path, networks: Path) -> str:
    return f"""
version = 2
root = "{folder}/containerd"
state = "/run/containerd"

[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
disable_apparmor = true
# Without it runc dies where the machine itself runs in a container.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{networks}"
"""
