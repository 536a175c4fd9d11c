"""Two replicas never act at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.edge.conftest import Plane
from tests.kubernetes.conftest import manifest

DURATION = 6


@pytest.fixture
def replicas(plane: Plane, tmp_path: Path) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """The first one acts, the second one stands by; by their names the audit log tells them apart."""
    options = ("--lease-namespace=study-operator", f"--lease-duration={DURATION}")
    with ExitStack() as stack:
        made = []
        for name, stage in (("first", "acting"), ("second", "standing by")):
            kubeconfig = plane.control.user_kubeconfig(name, ["system:masters"])
            replica = OperatorProcess(tmp_path / name, [f"--kubeconfig={kubeconfig}", *options])
            stack.callback(replica.kill)
            replica.start_and_wait(stage)
            made.append(replica)
        yield made[0], made[1]


def busy_study(namespace: str) -> dict[str, Any]:
    study = manifest("bert", namespace, ["sh", "-c", 'echo "{}" > $STUDY_TERMINATION_LOG; sleep 0.2'])
    study["spec"]["budget"] = {"trials": 400, "parallelism": 4}
    return study


def writes(plane: Plane, user: str, after: str = "") -> list[str]:
    """The times of that user's writes to trials, jobs and studies."""
    return [
        entry["requestReceivedTimestamp"]
        for entry in plane.audit(user)
        if entry["verb"] not in ("get", "list", "watch")
        and entry["objectRef"]["resource"] in ("trials", "jobs", "studies")
        and entry["requestReceivedTimestamp"] > after
    ]


def test_a_replica_that_is_killed_is_replaced(
    plane: Plane, replicas: tuple[OperatorProcess, OperatorProcess], namespace: str
) -> None:
    first, second = replicas
    plane.control.apply(busy_study(namespace))
    eventually(lambda: writes(plane, "first"))
    killed = time.monotonic()
    first.kill()
    second.wait_for("acting", 4 * DURATION)
    assert time.monotonic() - killed > DURATION / 2, "the lease was taken before it had expired"
    eventually(lambda: writes(plane, "second"))


def test_a_replica_that_slept_beyond_its_lease_never_acts_again(
    plane: Plane, replicas: tuple[OperatorProcess, OperatorProcess], namespace: str
) -> None:
    first, second = replicas
    plane.control.apply(busy_study(namespace))
    eventually(lambda: writes(plane, "first"))
    first.signal(signal.SIGSTOP)
    second.wait_for("acting", 4 * DURATION)
    takeover = max(writes(plane, "first"))
    eventually(lambda: writes(plane, "second", after=takeover))
    first.signal(signal.SIGCONT)
    assert first.ends() == 3
    assert "the lease was lost" in first.log.read_text()
    assert writes(plane, "first", after=min(writes(plane, "second", after=takeover))) == []


def test_a_replica_that_ends_hands_over_at_once(
    plane: Plane, replicas: tuple[OperatorProcess, OperatorProcess]
) -> None:
    first, second = replicas
    first.signal(signal.SIGTERM)
    assert first.ends() == 0
    second.wait_for("acting", DURATION)


def test_a_replica_without_an_api_server_stops_acting(
    plane: Plane, replicas: tuple[OperatorProcess, OperatorProcess]
) -> None:
    first, second = replicas
    plane.control.stop_api_server()
    assert first.ends() == 3
    plane.control.start_api_server()
    second.wait_for("acting")
