"""What an administrator sets of the operator's process."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study_operator.controller.settings import ControllerSettings
from study_operator.metrics.prometheus import PrometheusSettings

SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """The Lease that lets one replica act. Others may take it ``duration`` seconds after its last renewal.

    What follows from the duration has the proportions that Kubernetes' own components use: 15, 10 and 2 seconds.
    """

    namespace: str
    name: str = "study-operator"
    duration: int = 15

    @property
    def renew_deadline(self) -> float:
        """Seconds after its last renewal that succeeded, when the holder stops acting."""
        return self.duration * 2 / 3

    @property
    def retry_period(self) -> float:
        """Seconds between two tries to renew or to take the lease."""
        return self.duration * 2 / 15


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """All settings. ``namespaces`` are those served (none: all); ``lease`` is None where nothing else can be running.

    ``resync`` is the time between two listings of everything, in seconds.
    """

    namespaces: Sequence[str] = ()
    kubeconfig: Path | None = None
    prometheus: PrometheusSettings | None = None
    controller: ControllerSettings = field(default_factory=ControllerSettings)
    lease: LeaseSettings | None = None
    resync: float = 600.0
    http_address: str = ""
    http_port: int = 8080


def own_namespace() -> str:
    """The namespace that the operator's pod runs in; ``default`` outside of a cluster."""
    try:
        return SERVICE_ACCOUNT_NAMESPACE.read_text().strip()
    except OSError:
        return "default"


def own_identity(environment: Mapping[str, str] = os.environ) -> str:
    """What tells this process from its replicas: the pod's name, which is its host name, and the process's id."""
    return f"{environment.get('HOSTNAME') or socket.gethostname()}_{os.getpid()}"


def header(text: str) -> tuple[str, str]:
    """The header in ``NAME=VALUE`` or ``NAME=@FILE``. Raises ValueError with a sentence."""
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise ValueError(f"a header is NAME=VALUE, or NAME=@FILE to keep it from the command line, not {text!r}")
    if not value.startswith("@"):
        return name, value
    try:
        return name, Path(value[1:]).read_text().strip()
    except OSError as error:
        raise ValueError(f"the value of header {name} cannot be read from {value[1:]}: {error.strerror}") from error
