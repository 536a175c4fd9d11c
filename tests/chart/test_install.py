"""A release on a real control plane: installed, checked, upgraded under running studies, uninstalled."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.chart.chart import CHART, NAMESPACE
from tests.chart.conftest import Cluster
from tests.cluster.waiting import eventually
from tests.end_to_end.studies import RECORD
from tests.kubernetes.conftest import manifest


def study(namespace: str, trials: int = 4) -> dict[str, object]:
    made = manifest("bert", namespace, ["sh", "-c", f"{RECORD}; sleep 1"])
    made["spec"]["budget"] = {"trials": trials, "parallelism": 2}
    return made


@pytest.fixture
def fresh(cluster: Cluster) -> Iterator[Cluster]:
    """A release of the test's own; afterwards the default one is back."""
    yield cluster
    cluster.install()


def test_a_release_works_and_its_notes_say_what_to_do_next(cluster: Cluster, namespace: str) -> None:
    notes = cluster.install()
    assert "helm test study-operator --namespace study-operator --logs" in notes
    assert "prometheus.url" in notes and "uninstall leaves the custom resource definitions" in notes
    cluster.control.apply(study(namespace))
    cluster.control.kubectl(
        "wait", "--for=condition=Finished", "study/bert", f"--namespace={namespace}", "--timeout=120s"
    )


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({}, "A Study is accepted from those who may create Jobs in its namespace"),
        ({"requireJobRights": False}, "A Study is accepted from everyone who may create it"),
        ({"validationActions": ["Warn"]}, "admissionPolicy only tells of what it would refuse: whoever may create"),
        ({"enabled": False}, "admissionPolicy is off: whoever may create a Study can make the operator create any pod"),
    ],
)
def test_the_notes_tell_whose_studies_are_accepted(installed: Cluster, policy: dict[str, object], told: str) -> None:
    values = {"admissionPolicy": policy}
    assert told in installed.helm("upgrade", "study-operator", str(CHART), "--dry-run", values=values)


def test_helm_test_looks_at_what_the_operator_needs(installed: Cluster) -> None:
    told = installed.helm("test", "study-operator", "--timeout=60s", check=False)
    left = installed.control.kubectl("get", "pods", f"--namespace={NAMESPACE}", "--output=yaml").stdout
    assert "Phase:          Succeeded" in told, left


def test_a_check_that_fails_says_why_in_its_pods_status(fresh: Cluster) -> None:
    fresh.install({"prometheus": {"url": "http://127.0.0.1:1"}})
    assert "Phase:          Failed" in fresh.helm("test", "study-operator", "--timeout=60s", check=False)
    left = fresh.control.kubectl(
        "get", "pod", "study-operator-check", f"--namespace={NAMESPACE}", "--output=yaml"
    ).stdout
    assert "rights in all namespaces: ok" in left and "Prometheus at http://127.0.0.1:1 cannot be reached" in left


def test_a_second_release_for_all_namespaces_is_refused_in_words(installed: Cluster) -> None:
    installed.create_namespace("second")
    with pytest.raises(AssertionError, match=r'(?s)exists and cannot be imported.*must equal "second"'):
        installed.install(namespace="second")
    installed.helm("uninstall", "study-operator", "--ignore-not-found", namespace="second")


def test_studies_go_on_through_an_upgrade_and_a_rollback(fresh: Cluster, namespace: str) -> None:
    control = fresh.control
    fresh.install()
    control.apply(study(namespace, trials=12))
    inside = f"--namespace={namespace}"
    eventually(lambda: len(control.kubectl("get", "trials", inside, "--output=name").stdout.split()) > 2)
    fresh.install({"log": {"level": "debug", "format": "json"}, "retentionSeconds": 60})
    assert "--retention=60" in json.dumps(fresh.get("deployment", "study-operator", f"--namespace={NAMESPACE}"))
    fresh.helm("rollback", "study-operator", "--wait", "--timeout=60s")
    control.kubectl("wait", "--for=condition=Finished", "study/bert", inside, "--timeout=120s")
    status = fresh.get("study", "bert", inside)["status"]
    assert isinstance(status, dict) and status["trials"]["succeeded"] == 12
    jobs = [
        entry["objectRef"]["name"]
        for entry in map(json.loads, control.audit_log.read_text().splitlines())
        if entry["verb"] == "create"
        and entry["objectRef"].get("resource") == "jobs"
        and entry["objectRef"].get("namespace") == namespace
        and entry["responseStatus"]["code"] == 201
        and "dryRun" not in entry["requestURI"]
    ]
    assert sorted(jobs) == sorted(f"bert-{index}" for index in range(12)), "each trial ran once"


def test_uninstalling_keeps_all_studies_and_trials_and_a_new_release_takes_them_up(
    fresh: Cluster, namespace: str
) -> None:
    control, inside = fresh.control, f"--namespace={namespace}"
    fresh.install()
    control.apply(study(namespace, trials=8))
    eventually(lambda: control.kubectl("get", "trials", inside, "--output=name").stdout)
    fresh.helm("uninstall", "study-operator", "--wait", "--timeout=60s")
    assert control.kubectl("get", "study", "bert", inside, "--output=name").stdout.strip() == "study.tuning.study/bert"
    assert control.kubectl("get", "trials", inside, "--output=name").stdout
    left = control.kubectl(
        "get", "clusterroles,clusterrolebindings,validatingadmissionpolicies,deployments,serviceaccounts,roles",
        "--all-namespaces", "--selector=app.kubernetes.io/instance=study-operator", "--output=name",
    )  # fmt: skip
    assert left.stdout == ""
    fresh.install()
    control.kubectl("wait", "--for=condition=Finished", "study/bert", inside, "--timeout=120s")


def test_uninstalling_removes_everything_where_one_asks_for_it(fresh: Cluster, namespace: str) -> None:
    control = fresh.control
    fresh.install({"crds": {"keep": False}})
    control.apply(study(namespace))
    eventually(lambda: control.kubectl("get", "jobs", f"--namespace={namespace}", "--output=name").stdout)
    control.kubectl("delete", "studies", "--all", f"--namespace={namespace}")
    eventually(lambda: control.kubectl("get", "jobs", f"--namespace={namespace}", "--output=name").stdout == "")
    fresh.helm("uninstall", "study-operator", "--wait", "--timeout=60s")
    eventually(lambda: "tuning.study" not in control.kubectl("get", "crds", "--output=name").stdout)
