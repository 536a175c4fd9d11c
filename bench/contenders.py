"""The operator and the bare loop, each in a process of its own, running the same number of Jobs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench import audit
from bench.annotations import pod_metadata
from bench.cluster import LOOP, OPERATOR, Cluster
from bench.measurement import JOB_LOOP, OPERATOR_RUN, POD_LOOP, SCRAPED, Cell, Cost, Measurement
from bench.process import cpu_seconds, resident_bytes
from tests.cluster.server import Server, dies_with_parent, free_port

STUDIES = "/apis/tuning.study/v1alpha1/namespaces/{}/studies"

SETTLING = 2.0
"""Seconds that a process is given to come to rest before its cost is read."""

STARTING, SLOWEST = 60.0, 2.0
"""Seconds, and seconds a trial, after which a study counts as stuck."""


def study(namespace: str, name: str, cell: Cell) -> dict[str, Any]:
    """A study whose trials cost nothing; KWOK says what came of them."""
    containers = [{"name": "trainer", "image": "example/trainer:1"}]
    pod = {"metadata": pod_metadata(cell.pod_seconds, {}), "spec": {"containers": containers}}
    return {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Study",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "goal": "What does a trial cost that costs nothing?",
            "objective": {"metric": "loss", "direction": "Minimize"},
            "hyperparameters": [
                {"name": "optimizer", "role": "Scientific", "choices": ["nesterov", "adam"]},
                {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}},
                {"name": "momentum", "role": "Nuisance", "range": {"min": 0.8, "max": 0.999, "scale": "ReverseLog"}},
            ],
            "budget": {"trials": cell.trials, "parallelism": cell.parallelism},
            "trialTemplate": {"spec": {"template": pod}},
        },
    }


@contextmanager
def operator(cluster: Cluster, namespace: str, *options: str) -> Iterator[Server]:
    """The operator, acting on the studies of one namespace."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("study-operator")),
        f"--kubeconfig={cluster.kubeconfigs[OPERATOR]}",
        f"--namespace={namespace}",
        f"--lease-namespace={namespace}",
        "--http-address=127.0.0.1",
        f"--http-port={port}",
        *options,
    ]
    process = Server(command, cluster.plane.folder / f"operator-{namespace}.log")
    process.start()
    try:
        process.wait_until(lambda: _acting(port))
        time.sleep(SETTLING)
        yield process
    finally:
        process.stop()


def _acting(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).text.strip() == "acting"
    except requests.ConnectionError:
        return False


def run_operator(cluster: Cluster, namespace: str, cell: Cell, prometheus: str | None = None) -> Measurement:
    """A fresh operator runs one study to its end."""
    cluster.create_namespace(namespace)
    options = [f"--prometheus-url={prometheus}"] if prometheus else []
    with operator(cluster, namespace, *options) as process:
        cpu, resident = cpu_seconds(process.pid), resident_bytes(process.pid)
        cluster.request("POST", STUDIES.format(namespace), study(namespace, "bench", cell))
        wait_for_the_end(cluster, namespace, "bench", cell.trials)
        time.sleep(SETTLING)
        cost = Cost(cpu_seconds(process.pid) - cpu, resident, resident_bytes(process.pid))
    return _measured(SCRAPED if prometheus else OPERATOR_RUN, cluster, namespace, cell, cost)


def run_loop(cluster: Cluster, namespace: str, cell: Cell, until: str = "job") -> Measurement:
    """A fresh bare loop runs as many Jobs; it goes on after each Job's (or pod's) end."""
    cluster.create_namespace(namespace)
    arguments = [cluster.kubeconfigs[LOOP], namespace, cell.trials, cell.parallelism, "--until", until]
    command = [sys.executable, "-m", "bench.bare_loop", *map(str, arguments), f"--seconds={cell.pod_seconds}"]
    with subprocess.Popen(
        dies_with_parent(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        _hear(process, "ready")
        cpu, resident = cpu_seconds(process.pid), resident_bytes(process.pid)
        _go_on(process)
        _hear(process, "done")
        cost = Cost(cpu_seconds(process.pid) - cpu, resident, resident_bytes(process.pid))
        _go_on(process)
    _wait_for_jobs(cluster, namespace, cell.trials)
    return _measured(JOB_LOOP if until == "job" else POD_LOOP, cluster, namespace, cell, cost)


def release_writes(cluster: Cluster, namespace: str) -> Counter[str]:
    """What it takes to remove the Jobs of a finished study once their retention is over, a restart included."""
    before = audit.writes(audit.read(cluster.plane.audit_log, [namespace]), OPERATOR)
    with operator(cluster, namespace, "--retention=0"):
        _wait_until(lambda: not _jobs(cluster, namespace), f"the Jobs in {namespace} were not released")
    return audit.writes(audit.read(cluster.plane.audit_log, [namespace]), OPERATOR) - before


def first_jobs(cluster: Cluster, namespace: str, studies: int) -> list[float]:
    """Seconds from each study's creation to its first Job's, one study after the other."""
    cluster.create_namespace(namespace)
    cell = Cell(cluster.plane.settings.queries_per_second, 2, 2)
    with operator(cluster, namespace):
        for number in range(studies):
            cluster.request("POST", STUDIES.format(namespace), study(namespace, f"first-{number}", cell))
            wait_for_the_end(cluster, namespace, f"first-{number}", cell.trials * (number + 1))
    found = audit.read(cluster.plane.audit_log, [namespace])
    created, jobs = audit.times(found, "create", "studies"), audit.times(found, "create", "jobs")
    return [min(jobs[f"{name}-{index}"] for index in range(cell.trials)) - time for name, time in created.items()]


def wait_for_the_end(cluster: Cluster, namespace: str, name: str, jobs: int) -> None:
    """Until the study is Finished and all the namespace's Jobs are Complete."""
    timeout = f"--timeout={STARTING + jobs * SLOWEST:.0f}s"
    cluster.plane.kubectl("wait", "--for=condition=Finished", f"study/{name}", timeout, f"-n={namespace}")
    _wait_for_jobs(cluster, namespace, jobs)


def _wait_for_jobs(cluster: Cluster, namespace: str, count: int) -> None:
    """The Job controller's own word on the last Jobs comes a second or more after their pods' end."""

    def complete() -> bool:
        return sum("completionTime" in job.get("status", {}) for job in _jobs(cluster, namespace)) == count

    _wait_until(complete, f"of {count} Jobs in {namespace} some did not become Complete")


def _jobs(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = cluster.request("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs")["items"]
    return jobs


def _wait_until(done: Callable[[], bool], problem: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(problem)
        time.sleep(0.5)


def _measured(contender: str, cluster: Cluster, namespace: str, cell: Cell, cost: Cost) -> Measurement:
    requests = audit.read(cluster.plane.audit_log, [namespace])
    api_server = resident_bytes(cluster.plane.api_server.pid)
    return Measurement.of(contender, requests, cell, cost, api_server, os.getloadavg()[0])


def _hear(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    assert said == word, f"the bare loop ended instead of saying {word!r}; why, it has printed above"


def _go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
