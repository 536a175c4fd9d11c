"""``python -m tests.node``: the project on a real node, wherever it is called as root.

What the suite starts (containerd, a kubelet, containers) would otherwise spread over the machine. So it runs in
network, mount and process namespaces of its own: its addresses, its mounts and the folders that these programs take
for granted are its own, and when it ends, however it ends, the kernel ends every process that came of it.
What must reach the outside, packages and images, is fetched before.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.binaries import ProgramMissing, find_or_build
from tests.cluster.server import dies_with_parent
from tests.node import CGROUP, INSIDE, RUN
from tests.node.images import build_images

PACKAGES = {
    "buildah": "buildah",
    "busybox": "busybox-static",
    "containerd": "containerd",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "runc": "runc",
    "unshare": "util-linux",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
"""Debian's package for each program that is needed."""

KUBELET_TUNES = [
    Path("/proc/sys") / setting
    for setting in ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")
]
"""Kernel settings that a kubelet changes for the whole machine; that of the suite changes files in their place."""

BINARIES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubectl",
    "prometheus",
    "helm",
)
OWN_FOLDERS = ("/run", "/var/log", "/var/lib/cni")
"""Where these programs write whatever they are told."""

NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
CGROUPS = Path("/sys/fs/cgroup")


def main(arguments: Sequence[str]) -> int:
    if os.environ.get(INSIDE):
        return _inside(arguments)
    if reason := why_not():
        print(f"The node suite cannot run here: {reason}", file=sys.stderr)
        return 1
    _install()
    try:
        for name in BINARIES:
            find_or_build(name)
    except ProgramMissing as error:
        print(error, file=sys.stderr)
        return 1
    build_images()
    print(_machine(), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with _left_as_found():
        command = dies_with_parent([*NAMESPACES, sys.executable, "-m", "tests.node", *arguments])
        return subprocess.run(command, env={**os.environ, INSIDE: "1"}).returncode


def why_not() -> str:
    """What this machine lacks for the suite; empty if nothing."""
    if os.geteuid():
        return "it starts containers and makes namespaces, and so needs root."
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True)
    if tried.returncode:
        return f"this process may not make namespaces ({tried.stderr.strip()})."
    if not shutil.which("apt-get") and (missing := _missing()):
        return f"{', '.join(missing)} must be installed, and there is no apt-get to do it."
    return ""


def _missing() -> list[str]:
    return [package for program, package in PACKAGES.items() if not shutil.which(program)]


def _install() -> None:
    if missing := _missing():
        print(f"Installing {', '.join(missing)} ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "--quiet=2"], check=True, env=environment)
        install = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *missing]
        subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)


def _machine() -> str:
    """What the suite runs on, for whoever reads its output."""
    containerd = _output("containerd", "--version").split()[2]
    runc = _output("runc", "--version").splitlines()[0]
    kubelet = _output(str(find_or_build("kubelet")), "--version")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    version = 2 if (CGROUPS / "cgroup.controllers").exists() else 1
    return (
        f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, cgroup v{version}; {kubelet} (kubelet), containerd {containerd}, {runc}"
    )


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def _left_as_found() -> Iterator[None]:
    """Remove the folders that the suite needs and the cgroups that its containers leave."""
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    made = [folder for folder in map(Path, OWN_FOLDERS) if not folder.exists()]
    for folder in made:
        folder.mkdir()
    try:
        yield
    finally:
        for folder in made:
            folder.rmdir()
        for large in ("containerd", "etcd", "kubelet"):
            shutil.rmtree(RUN / large, ignore_errors=True)
        # A cgroup is a folder that cannot be emptied: only rmdir, from the leaves on.
        for hierarchy in {CGROUPS, *CGROUPS.iterdir()}:
            for folder, _, _ in os.walk(hierarchy / CGROUP, topdown=False):
                _remove_cgroup(Path(folder))


def _remove_cgroup(folder: Path, seconds: float = 10.0) -> None:
    """A killed process is in its cgroup until the kernel is done with it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _inside(arguments: Sequence[str]) -> int:
    """The first process of the namespaces: it runs pytest, and takes leave of the orphans that containers leave."""
    for folder in OWN_FOLDERS:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    for setting in KUBELET_TUNES:
        stand_in = Path("/run", setting.name)
        stand_in.write_text(setting.read_text())
        subprocess.run(["mount", "--bind", stand_in, setting], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    suite = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "tests/node",
            "--timeout=900",
            "--verbose",
            "--capture=no",
            "--durations=0",
            *arguments,
        ]
    )
    while True:
        try:
            pid, status = os.wait()
        except KeyboardInterrupt:  # pytest has it too, and cleans up
            continue
        if pid == suite.pid:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
