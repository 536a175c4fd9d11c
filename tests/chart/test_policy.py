"""The admission policy, as a release has it by default: who may create a Study, and with which template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from study_operator.api.crd import study_crd

from tests.chart.chart import of_kind, render
from tests.chart.conftest import Cluster
from tests.cluster.waiting import eventually
from tests.kubernetes.conftest import manifest

AUTHOR = "author"
POLICY = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


def study(namespace: str, name: str = "bert", pod: Mapping[str, Any] = {}, **container: Any) -> dict[str, Any]:
    made = manifest(name, namespace, **container)
    made["spec"]["trialTemplate"]["spec"]["template"]["spec"] |= pod
    return made


class Author:
    """Somebody who applies studies."""

    def __init__(self, cluster: Cluster, user: str) -> None:
        self._cluster = cluster
        self.kubeconfig: Path = cluster.control.user_kubeconfig(user)

    def apply(self, made: Mapping[str, Any], *arguments: str) -> str:
        """What the API server says; empty if it takes it."""
        done = self._cluster.control.kubectl(
            "apply", "--filename=-", f"--kubeconfig={self.kubeconfig}", *arguments, input=json.dumps(made), check=False
        )
        return done.stderr if done.returncode else ""

    def create(self, made: Mapping[str, Any]) -> str:
        """The same of a dry run, which admission sees as well."""
        return self.apply(made, "--dry-run=server")


@pytest.fixture(scope="session")
def policed(installed: Cluster) -> Cluster:
    """The cluster, once the policy acts: a new one takes a few seconds."""
    probe = study("default", pod={"hostPID": True})
    eventually(lambda: "hostPID" in _as_admin(installed, probe))
    return installed


def _as_admin(cluster: Cluster, made: Mapping[str, Any]) -> str:
    return cluster.control.kubectl(
        "create", "--dry-run=server", "--filename=-", input=json.dumps(made), check=False
    ).stderr


@pytest.fixture
def author(policed: Cluster, namespace: str) -> Author:
    """Somebody who may write studies and create Jobs in the namespace, and nothing else."""
    _grant(policed, namespace, AUTHOR, "studies", "studies.tuning.study", "get,create,update,patch")
    _grant(policed, namespace, AUTHOR, "jobs", "jobs.batch", "create")
    return Author(policed, AUTHOR)


def _grant(cluster: Cluster, namespace: str, user: str, name: str, resource: str, verbs: str, *more: str) -> None:
    inside = f"--namespace={namespace}"
    cluster.control.kubectl("create", "role", name, f"--verb={verbs}", f"--resource={resource}", inside, *more)
    cluster.control.kubectl("create", "rolebinding", name, f"--role={name}", f"--user={user}", inside)


def test_who_may_create_jobs_may_create_a_study(author: Author, namespace: str) -> None:
    assert author.create(study(namespace)) == ""


def test_who_may_not_create_jobs_may_not_create_a_study_until_they_may(policed: Cluster, namespace: str) -> None:
    _grant(policed, namespace, "student", "studies", "studies.tuning.study", "get,create,update,patch")
    student = Author(policed, "student")
    told = student.create(study(namespace))
    assert f"student may not create Jobs in namespace {namespace}" in told and "jobs.batch" in told
    _grant(policed, namespace, "student", "jobs", "jobs.batch", "create")
    assert student.create(study(namespace)) == ""


def test_who_may_create_jobs_elsewhere_may_not_create_a_study_here(policed: Cluster, namespace: str) -> None:
    _grant(policed, namespace, "neighbour", "studies", "studies.tuning.study", "get,create,update,patch")
    _grant(policed, "default", "neighbour", "neighbour-jobs", "jobs.batch", "create")
    assert "may not create Jobs" in Author(policed, "neighbour").create(study(namespace))


def test_changing_a_study_takes_the_same_rights_and_labelling_it_does_not(policed: Cluster, namespace: str) -> None:
    policed.control.apply(study(namespace))
    _grant(policed, namespace, "student", "studies", "studies.tuning.study", "get,create,update,patch")
    student = Author(policed, "student")
    more = study(namespace)
    more["spec"]["budget"]["trials"] = 400
    assert "may not create Jobs" in student.apply(more)
    labelled = study(namespace)
    labelled["metadata"]["labels"] = {"team": "vision"}
    assert student.apply(labelled) == ""


def test_a_change_of_the_template_is_looked_at_like_a_new_study(author: Author, namespace: str) -> None:
    made = study(namespace)
    made["spec"]["suspend"] = True
    assert author.apply(made) == ""
    made["spec"]["trialTemplate"]["spec"]["template"]["spec"]["hostPID"] = True
    assert "hostPID" in author.apply(made)


def test_nothing_of_a_study_but_its_status_is_changed_through_a_subresource(policed: Cluster, namespace: str) -> None:
    policed.control.apply(study(namespace))
    _grant(policed, namespace, "reporter", "status", "studies.tuning.study/status", "get,patch")
    patch = json.dumps({"spec": {"budget": {"trials": 400}}, "status": {"startTime": "2020-01-01T00:00:00Z"}})
    told = policed.control.kubectl(
        "patch", "study", "bert", f"--namespace={namespace}", "--subresource=status", "--type=merge",
        f"--patch={patch}", f"--kubeconfig={policed.control.user_kubeconfig('reporter')}", "--output=json",
    )  # fmt: skip
    changed = json.loads(told.stdout)
    assert changed["status"]["startTime"] == "2020-01-01T00:00:00Z"
    assert changed["spec"]["budget"]["trials"] == study(namespace)["spec"]["budget"]["trials"]
    [version] = study_crd()["spec"]["versions"]
    assert version["subresources"] == {"status": {}}


HOST_PATH = {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}
REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "hostPath": (HOST_PATH, "a hostPath volume"),
    "hostNetwork": ({"hostNetwork": True}, "hostNetwork"),
    "hostPID": ({"hostPID": True}, "hostPID"),
    "hostIPC": ({"hostIPC": True}, "hostIPC"),
    "ServiceAccount": ({"serviceAccountName": "admin"}, "not under admin"),
    "old name of the ServiceAccount": ({"serviceAccount": "admin"}, "not under admin"),
    "hostProcess": ({"securityContext": {"windowsOptions": {"hostProcess": True}}}, "privileged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_template_that_reaches_for_the_node_is_refused(author: Author, namespace: str, case: str) -> None:
    pod, said = REFUSED[case]
    told = author.create(study(namespace, pod=pod))
    assert said in told and "spec.trialTemplate.spec.template.spec" in told and "admissionPolicy." in told


@pytest.mark.parametrize("kind", ["containers", "initContainers", "sidecars", "ephemeralContainers"])
@pytest.mark.parametrize(
    ("reaching", "said"),
    [
        ({"securityContext": {"privileged": True}}, "privileged"),
        ({"securityContext": {"windowsOptions": {"hostProcess": True}}}, "privileged"),
        ({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "capability"),
        ({"securityContext": {"capabilities": {"add": ["ALL"]}}}, "capability"),
        ({"ports": [{"containerPort": 9400, "hostPort": 9400}]}, "hostPort"),
    ],
)
def test_a_container_that_reaches_for_the_node_is_refused(
    author: Author, namespace: str, kind: str, reaching: dict[str, Any], said: str
) -> None:
    """Of any kind, and beside harmless ones."""
    made = study(namespace)
    pod = made["spec"]["trialTemplate"]["spec"]["template"]["spec"]
    container = {"name": "more", "image": "more", **reaching}
    if kind == "sidecars":
        pod["initContainers"] = [{"name": "first", "image": "first"}, container | {"restartPolicy": "Always"}]
    else:
        pod[kind] = [*pod.get(kind, []), container]
    assert said in author.create(made)


@pytest.mark.parametrize(
    "container",
    [
        {"securityContext": {"privileged": False, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}},
        {"resources": {"limits": {"nvidia.com/gpu": 1}}, "ports": [{"name": "metrics", "containerPort": 9400}]},
    ],
)
def test_an_ordinary_template_passes(author: Author, namespace: str, container: dict[str, Any]) -> None:
    pod = {
        "serviceAccountName": "default",
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "shm", "emptyDir": {}}],
        "initContainers": [{"name": "fetch", "image": "fetch"}],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
    }
    assert author.create(study(namespace, pod=pod, **container)) == ""


def test_a_template_whose_containers_cannot_be_looked_at_is_refused(author: Author, namespace: str) -> None:
    assert author.create(study(namespace, pod={"containers": "none"})) != ""
    without_pod = study(namespace)
    without_pod["spec"]["trialTemplate"] = {"spec": 3}
    assert author.create(without_pod) == "", "there is nothing to refuse, and the operator tells what is missing"


@pytest.fixture
def loosened(policed: Cluster) -> Iterator[str]:
    """The default policy replaced by one that allows everything, under one ServiceAccount."""
    name = "loose"
    policed.create_namespace(name)
    values = {
        "admissionPolicy": {
            "serviceAccounts": ["trainer"],
            "allowHostPath": True,
            "allowHostNamespaces": True,
            "allowPrivileged": True,
            "allowedCapabilities": ["*"],
        }
    }
    policed.control.apply(*of_kind(render(values), *POLICY))
    _wait_until_allowed(policed, name)
    yield name
    policed.control.apply(*of_kind(render(), *POLICY))
    policed.control.kubectl("delete", "namespace", name, "--wait=false")


def _wait_until_allowed(cluster: Cluster, namespace: str) -> None:
    refused = study(namespace, pod={"hostPID": True, "serviceAccountName": "trainer"})
    eventually(lambda: _as_admin(cluster, refused), lambda told: told == "")


def test_each_refusal_has_its_switch_and_another_account_still_takes_the_right_to_act_as_it(
    policed: Cluster, loosened: str
) -> None:
    _grant(policed, loosened, AUTHOR, "studies", "studies.tuning.study", "get,create,update,patch")
    _grant(policed, loosened, AUTHOR, "jobs", "jobs.batch", "create")
    author = Author(policed, AUTHOR)
    trainer = {"serviceAccountName": "trainer"}
    told = author.create(study(loosened, pod=trainer))
    assert "author may not act as the ServiceAccount trainer" in told and "impersonate" in told
    _grant(policed, loosened, AUTHOR, "act-as", "serviceaccounts", "impersonate", "--resource-name=trainer")
    for pod, _ in REFUSED.values():
        if not {"serviceAccountName", "serviceAccount"} & pod.keys():
            assert author.create(study(loosened, pod={**pod, **trainer})) == ""
    assert "not under builder" in author.create(study(loosened, pod={"serviceAccountName": "builder"}))
    assert "not under default" in author.create(study(loosened)), "which is what a template that names none says"
