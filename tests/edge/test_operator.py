"""The whole operator, a process with the rights that it is installed with, on a real API server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.edge.conftest import SUCCEED, Plane
from tests.kubernetes.conftest import manifest

LEASE = "--lease-namespace=study-operator"


@pytest.fixture
def operator(plane: Plane, tmp_path: Path) -> Iterator[OperatorProcess]:
    with OperatorProcess(tmp_path, [f"--kubeconfig={plane.kubeconfig}", LEASE]) as operator:
        yield operator


def study(namespace: str, trials: int = 6, name: str = "bert", **more: Any) -> dict[str, Any]:
    made = manifest(name, namespace, SUCCEED, **more)
    made["spec"]["budget"] = {"trials": trials, "parallelism": 3}
    return made


def test_a_study_runs_to_its_end(plane: Plane, operator: OperatorProcess, namespace: str) -> None:
    plane.control.apply(study(namespace))
    status = plane.finished("bert", namespace)["status"]
    trials = [plane.get("trial", f"bert-{index}", namespace) for index in range(6)]
    objectives = {trial["metadata"]["name"]: float(trial["status"]["objective"]["value"]) for trial in trials}
    assert status["best"]["trial"] == min(objectives, key=lambda name: objectives[name])
    assert objectives == {
        trial["metadata"]["name"]: float(trial["spec"]["parameters"]["learning_rate"]) for trial in trials
    }


def test_it_needs_no_more_rights_and_few_writes(plane: Plane, operator: OperatorProcess, namespace: str) -> None:
    plane.control.apply(study(namespace, trials=20))
    plane.finished("bert", namespace)
    requests = [entry for entry in plane.audit() if entry.get("objectRef", {}).get("namespace") in (namespace, None)]
    refused = [entry for entry in requests if entry["responseStatus"]["code"] == 403]
    writes = Counter(
        entry["objectRef"]["resource"] for entry in requests if entry["verb"] not in ("get", "list", "watch")
    )
    assert refused == []
    assert writes["trials"] == 40 and writes["jobs"] == 20 + 1  # the dry run
    assert writes.total() <= 4 * 20


def test_a_manifest_that_is_no_study_is_told_and_nothing_is_created(
    plane: Plane, operator: OperatorProcess, namespace: str
) -> None:
    broken = study(namespace)
    broken["spec"]["hyperparameters"][0]["when"] = {"optimizer": ["adam"]}
    plane.control.apply(broken)
    eventually(lambda: _condition(plane.get("study", "bert", namespace), "Stalled").get("status") == "True")
    stalled = _condition(plane.get("study", "bert", namespace), "Stalled")
    assert "spec.hyperparameters[0].when" in stalled["message"]
    assert plane.control.kubectl("get", "trials,jobs", f"--namespace={namespace}", "--output=name").stdout == ""


def test_a_job_that_gets_no_pod_says_why(plane: Plane, operator: OperatorProcess, namespace: str) -> None:
    inside = f"--namespace={namespace}"
    plane.control.kubectl("create", "quota", "none", "--hard=pods=0", inside)
    plane.control.kubectl("wait", "--for=jsonpath={.status.hard}", "resourcequota/none", inside)
    plane.control.apply(study(namespace))
    eventually(lambda: "exceeded quota: none" in json.dumps(plane.get("study", "bert", namespace).get("status", {})))
    plane.control.kubectl("delete", "quota", "none", inside)
    plane.control.kubectl("delete", "study", "bert", inside)


def test_a_deleted_study_takes_everything_with_it(plane: Plane, operator: OperatorProcess, namespace: str) -> None:
    plane.control.apply(study(namespace))
    plane.finished("bert", namespace)
    inside = f"--namespace={namespace}"
    plane.control.kubectl("delete", "study", "bert", inside)
    eventually(lambda: plane.control.kubectl("get", "trials,jobs", inside, "--output=name").stdout == "")
    eventually(lambda: f'namespace="{namespace}"' not in operator.ask("metrics"))


def test_it_outlives_the_api_server(plane: Plane, operator: OperatorProcess, namespace: str) -> None:
    plane.control.apply(study(namespace, trials=12))
    eventually(lambda: plane.control.kubectl("get", "jobs", f"--namespace={namespace}", "--output=name").stdout)
    plane.control.stop_api_server()
    plane.control.start_api_server()
    assert plane.finished("bert", namespace)["status"]["trials"]["succeeded"] == 12


def test_it_tells_of_itself(plane: Plane, operator: OperatorProcess, namespace: str) -> None:
    plane.control.apply(study(namespace))
    plane.finished("bert", namespace)
    assert operator.ask("healthz") == "ok\n"
    succeeded = f'study_operator_study_trials{{namespace="{namespace}",state="Succeeded",study="bert"}} 6.0'
    eventually(lambda: succeeded in operator.ask("metrics"))
    assert 'study_operator_api_requests_total{code="201",verb="create"}' in operator.ask("metrics")
    assert all({"time", "level", "logger", "message"} <= record.keys() for record in operator.records)


def test_it_checks_that_it_has_what_it_needs(plane: Plane, namespace: str) -> None:
    def check(kubeconfig: Path, *options: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "study_operator.operator", "--check", f"--kubeconfig={kubeconfig}", LEASE]
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    code, told = check(plane.kubeconfig)
    assert code == 0 and "rights in all namespaces: ok" in told and "lease study-operator/study-operator: ok" in told
    stranger = plane.control.service_account_kubeconfig(namespace, "default")
    code, told = check(stranger, "--prometheus-url=http://127.0.0.1:1")
    assert code == 1
    for said in (
        "it may not get studies.tuning.study",
        "create jobs.batch",
        "Prometheus at http://127.0.0.1:1 cannot be",
    ):
        assert said in told


def test_it_acts_as_a_user_that_has_no_name(
    plane: Plane, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, whose user is a number that no /etc/passwd knows."""
    (tmp_path / "sitecustomize.py").write_text(
        "import pwd\n\ndef getpwuid(uid): raise KeyError(uid)\n\npwd.getpwuid = getpwuid\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    asked = [sys.executable, "-c", "import getpass; getpass.getuser()"]
    assert "KeyError" in subprocess.run(asked, capture_output=True, text=True).stderr
    with OperatorProcess(tmp_path, [f"--kubeconfig={plane.kubeconfig}", LEASE]):
        plane.control.apply(study(namespace))
        plane.finished("bert", namespace)


def test_it_ends_in_order(plane: Plane, operator: OperatorProcess) -> None:
    operator.signal(signal.SIGTERM)
    assert operator.ends() == 0
    assert plane.get("lease", "study-operator", "study-operator")["spec"]["holderIdentity"] == ""


def test_one_namespace_can_be_served_alone(plane: Plane, tmp_path: Path, namespace: str) -> None:
    plane.control.apply(study(namespace), study("default", name="other"))
    with OperatorProcess(tmp_path, [f"--kubeconfig={plane.kubeconfig}", LEASE, f"--namespace={namespace}"]):
        plane.finished("bert", namespace)
        assert plane.control.kubectl("get", "trials", "--namespace=default", "--output=name").stdout == ""
    plane.control.kubectl("delete", "study", "other", "--namespace=default")


def _condition(study: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = study.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), {})
