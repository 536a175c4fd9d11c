"""A cluster that is not as it should be, each on a control plane of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests as http
import yaml
from study_operator.api.crd import study_crd, trial_crd

from tests.chart.chart import NAMESPACE
from tests.cluster.control_plane import ControlPlane, Settings
from tests.cluster.waiting import eventually
from tests.faults.conftest import (
    assert_asks_less_than,
    elsewhere,
    install_rights,
    log_has,
    log_lines_a_minute,
    replica,
)
from tests.kubernetes.conftest import manifest

BOUND = 120
"""Requests a minute of a process that waits for something."""


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path, Settings(audit=True)) as plane:
        yield plane


def of_another_version(definition: dict[str, Any]) -> dict[str, Any]:
    """The definition as another release would have it."""
    made: dict[str, Any] = json.loads(json.dumps(definition))
    made["spec"]["versions"][0]["name"] = "v9"
    return made


@pytest.mark.parametrize("there", ["nothing", "another version"])
def test_resources_that_are_missing_are_named_and_waited_for(plane: ControlPlane, tmp_path: Path, there: str) -> None:
    kubeconfig = install_rights(plane)
    if there == "another version":
        plane.apply(of_another_version(study_crd()), of_another_version(trial_crd()))
    with replica(kubeconfig, tmp_path) as operator:
        eventually(lambda: log_has(operator, "cannot find the resources studies and trials"), bool, 30)
        assert operator.stage == "starting"
        assert_asks_less_than(BOUND, plane, f"definitions missing, {there} there")
        assert log_lines_a_minute(operator) < BOUND
        if there == "another version":
            plane.kubectl("delete", "crds", "--all")
        plane.install_crds()
        operator.wait_until(lambda: operator.stage == "acting")


class Account:
    """The service account of the operator's pod, in a folder as the kubelet mounts it."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self._plane = plane
        self._folder = folder
        folder.mkdir()
        (folder / "ca.crt").write_bytes(plane.access.authority.read_bytes())
        self.refresh()
        port = plane.access.url.rpartition(":")[2]
        address = ("KUBERNETES_SERVICE_HOST=127.0.0.1", f"KUBERNETES_SERVICE_PORT={port}")
        self.program = ("env", *address, *elsewhere(f"--account={folder}"))

    def expire(self) -> None:
        """Its tokens are void from now on."""
        self._plane.kubectl("delete", "serviceaccount", "study-operator", f"--namespace={NAMESPACE}")

    def refresh(self) -> None:
        """A fresh token is in the file."""
        install_rights(self._plane)
        token = self._plane.kubectl("create", "token", "study-operator", f"--namespace={NAMESPACE}").stdout
        (self._folder / "token").write_text(token.strip())


def test_an_expired_token_is_told_tried_seldom_and_replaced_by_a_fresh_one(plane: ControlPlane, tmp_path: Path) -> None:
    plane.install_crds()
    account = Account(plane, tmp_path / "account")
    account.expire()
    with replica(None, tmp_path, program=account.program) as operator:
        eventually(lambda: log_has(operator, "does not accept the operator's credentials"), bool, 30)
        assert_asks_less_than(BOUND, plane, "a token that has expired, at the start")
        assert log_lines_a_minute(operator) < BOUND
        account.refresh()
        operator.wait_for("acting", 90)


def test_a_token_that_expires_at_work_is_told_tried_seldom_and_replaced_by_a_fresh_one(
    plane: ControlPlane, tmp_path: Path
) -> None:
    plane.install_crds()
    account = Account(plane, tmp_path / "account")
    made = manifest("bert", "default")
    made["spec"]["trialTemplate"]["spec"]["suspend"] = True
    with replica(None, tmp_path, program=account.program) as operator:
        operator.wait_for("acting")
        account.expire()
        plane.stop_api_server()  # so that the watches have to show the token again
        plane.start_api_server()
        eventually(lambda: log_has(operator, "does not accept the watches' credentials"), bool, 90)
        plane.apply(made)
        assert_asks_less_than(BOUND, plane, "a token that has expired, at work")
        assert log_lines_a_minute(operator) < BOUND
        account.refresh()
        eventually(
            lambda: plane.kubectl("get", "jobs", "--output=name").stdout.split(), lambda jobs: len(jobs) == 2, 150
        )


def test_definitions_that_are_deleted_at_work_are_told_and_waited_for(plane: ControlPlane, tmp_path: Path) -> None:
    plane.install_crds()
    with replica(install_rights(plane), tmp_path) as operator:
        operator.wait_for("acting")
        plane.kubectl("delete", "crds", "--all")
        assert operator.ends(120) == 1
        assert log_has(operator, "was a custom resource definition deleted?")
        operator.revive()
        eventually(lambda: log_has(operator, "cannot find the resources studies and trials"), bool, 30)
        assert_asks_less_than(BOUND, plane, "definitions deleted at work")
        plane.install_crds()
        operator.wait_for("acting")


def test_a_lease_from_another_time_is_taken_by_the_own_clock(plane: ControlPlane, tmp_path: Path) -> None:
    """The clock of the machine that held it was an hour ahead."""
    plane.install_crds()
    kubeconfig = install_rights(plane)
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    spec = {"holderIdentity": "gone", "leaseDurationSeconds": 3, "renewTime": ahead, "acquireTime": ahead}
    plane.apply({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "study-operator", "namespace": "kube-system"}, "spec": spec,
    })  # fmt: skip
    elect = ("--leader-election", "--lease-namespace=kube-system", "--lease-duration=3")
    with replica(kubeconfig, tmp_path, *elect) as operator:
        operator.wait_until(lambda: operator.stage == "acting", 20)
        assert log_has(operator, "standing by: the lease is held by gone")


@pytest.fixture
def small_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """Its etcd takes 24 MiB, after which it has no space."""
    monkeypatch.setenv("ETCD_QUOTA_BACKEND_BYTES", str(24 * 2**20))
    with ControlPlane(tmp_path, Settings(audit=True)) as plane:
        yield plane


def fill(plane: ControlPlane) -> None:
    """Write until etcd raises its alarm."""
    blob = "x" * 900_000
    for number in range(60):
        one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"blob-{number}"}, "data": {"blob": blob}}
        done = plane.kubectl("create", "--filename=-", input=json.dumps(one), check=False)
        if "database space exceeded" in done.stderr:
            return
    raise AssertionError("etcd has still space")


def make_space(plane: ControlPlane) -> None:
    """As an administrator does: delete, compact, defragment, disarm."""
    [url] = [word.partition("=")[2] for word in plane.etcd.command if word.startswith("--listen-client-urls")]

    def ask(path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = http.post(f"{url}/v3/{path}", json=body, timeout=30, proxies={"http": ""})
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    prefix, end = "L3JlZ2lzdHJ5L2NvbmZpZ21hcHMvZGVmYXVsdC8=", "L3JlZ2lzdHJ5L2NvbmZpZ21hcHMvZGVmYXVsdDA="
    deleted = ask("kv/deleterange", {"key": prefix, "range_end": end})  # /registry/configmaps/default/
    ask("kv/compaction", {"revision": deleted["header"]["revision"], "physical": True})
    ask("maintenance/defragment", {})
    for alarm in ask("maintenance/alarm", {"action": "GET"})["alarms"]:
        ask("maintenance/alarm", {**alarm, "action": "DEACTIVATE"})


def test_a_full_etcd_is_told_waited_out_and_loses_nothing(small_plane: ControlPlane, tmp_path: Path) -> None:
    plane = small_plane
    plane.install_crds()
    kubeconfig = install_rights(plane)
    made = manifest("bert", "default")
    made["spec"]["trialTemplate"]["spec"]["suspend"] = True
    with replica(kubeconfig, tmp_path) as operator:
        operator.wait_until(lambda: operator.stage == "acting")
        plane.apply(made)
        eventually(lambda: plane.kubectl("get", "jobs", "--output=name").stdout, bool, 60)
        fill(plane)
        plane.kubectl("delete", "jobs", "--all")  # that is possible without space, and they are to be created again
        eventually(lambda: log_has(operator, "database space exceeded"), bool, 30)
        assert_asks_less_than(3 * BOUND, plane, "a full etcd, at first")
        assert_asks_less_than(BOUND, plane, "a full etcd, later", 20)
        assert operator.stage == "acting"
        make_space(plane)
        eventually(lambda: plane.kubectl("get", "jobs", "--output=name").stdout.split(), lambda jobs: len(jobs) == 2)
    trials = yaml.safe_load(plane.kubectl("get", "trials", "--output=yaml").stdout)["items"]
    assert len({trial["spec"]["index"] for trial in trials}) == len(trials)


def test_a_second_installation_stands_by_for_the_same_lease_asks_little_and_takes_over(
    plane: ControlPlane, tmp_path: Path
) -> None:
    """It came from another source than Helm, which would have refused it."""
    plane.install_crds()
    kubeconfig = install_rights(plane)
    elect = ("--leader-election", "--lease-namespace=kube-system")
    with replica(kubeconfig, tmp_path / "first", *elect) as first:
        first.wait_for("acting")
        before = plane.requests_of_operators()
        with replica(kubeconfig, tmp_path / "second", *elect) as second:
            second.wait_for("standing by")
            eventually(lambda: log_has(second, "standing by: the lease is held by "), bool, 30)
            assert_asks_less_than(BOUND, plane, "a second installation, both together")
            assert second.stage == "standing by"
            first.stop()
            second.wait_for("acting")
    assert plane.requests_of_operators() > before, "the requests that the bounds count are those of the operator"
