"""The operator's ServiceAccount can do what it needs and nothing else, asked of a real API server with the release."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from study_operator.edge.check import RIGHTS

from tests.chart.conftest import Cluster

VERBS = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind",
    "escalate", "approve", "sign", "use",
)  # fmt: skip
OPERATOR = "system:serviceaccount:study-operator:study-operator"

Right = tuple[str, str, str]
"""Group, resource and verb."""

NEEDED = {(group, resource, verb) for (group, resource), verbs in RIGHTS.items() for verb in verbs} | {
    # owner references that block deletion, where the API server checks them
    ("tuning.study", "studies/finalizers", "update"),
    ("tuning.study", "trials/finalizers", "update"),
}
EVERYBODY = {
    ("authorization.k8s.io", f"self{what}", "create") for what in ("subjectaccessreviews", "subjectrulesreviews")
} | {("authentication.k8s.io", "selfsubjectreviews", "create")}
"""What Kubernetes itself lets every user do."""


class Asker:
    """Asks as ``kubectl auth can-i --as`` does, over one connection pool."""

    def __init__(self, cluster: Cluster, namespace: str = "study-operator") -> None:
        access = cluster.control.access
        self._user = {
            "user": f"system:serviceaccount:{namespace}:study-operator",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        }
        self._url = f"{access.url}/apis/authorization.k8s.io/v1/subjectaccessreviews"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.cert = str(access.client.certificate), str(access.client.key)
        self._http.verify = str(access.authority)
        self._http.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=8))

    def may(self, right: Right, namespace: str, name: str = "") -> bool:
        group, resource, verb = right
        plural, _, subresource = resource.partition("/")
        attributes = {
            "group": group, "resource": plural, "subresource": subresource, "verb": verb, "namespace": namespace,
            "name": name,
        }  # fmt: skip
        return self._answer({"resourceAttributes": attributes})

    def may_read(self, path: str) -> bool:
        """A path of the API server that is no resource."""
        return self._answer({"nonResourceAttributes": {"path": path, "verb": "get"}})

    def _answer(self, asked: Mapping[str, object]) -> bool:
        spec = {**self._user, **asked}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        response = self._http.post(self._url, json=body, timeout=30)
        response.raise_for_status()
        allowed: bool = response.json()["status"]["allowed"]
        return allowed

    def all_of(self, rights: list[Right], namespace: str) -> set[Right]:
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda right: self.may(right, namespace), rights)
            return {right for right, allowed in zip(rights, answers, strict=True) if allowed}


@pytest.fixture(scope="session")
def asker(installed: Cluster) -> Asker:
    return Asker(installed)


@pytest.fixture(scope="session")
def every_right(installed: Cluster) -> list[Right]:
    """Every verb on every resource and subresource that this API server has, and on some that it has not."""
    return [(group, resource, verb) for group, resource in sorted(set(_resources(installed))) for verb in VERBS]


def _resources(cluster: Cluster) -> Iterator[tuple[str, str]]:
    def read(path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(cluster.control.kubectl("get", f"--raw={path}").stdout)
        return found

    groups = [version["groupVersion"] for group in read("/apis")["groups"] for version in group["versions"]]
    for path, group in [("/api/v1", ""), *((f"/apis/{version}", version.partition("/")[0]) for version in groups)]:
        for resource in read(path)["resources"]:
            yield group, resource["name"]
    yield from RIGHTS
    yield from (("tuning.study", "studies/finalizers"), ("tuning.study", "trials/finalizers"))  # not in the discovery
    yield from (("*", "*"), ("", "*"), ("", "nodes/proxy"), ("", "pods/exec"), ("", "users"), ("", "groups"))


@pytest.mark.parametrize("namespace", ["default", "kube-system", "study-operator"])
def test_it_can_do_what_it_needs_and_nothing_else(asker: Asker, every_right: list[Right], namespace: str) -> None:
    lease = {("coordination.k8s.io", "leases", "create")} if namespace == "kube-system" else set()
    assert len(every_right) > 1000
    assert asker.all_of(every_right, namespace) == NEEDED | EVERYBODY | lease


def test_it_reads_nothing_of_the_api_server_that_not_everybody_does(asker: Asker) -> None:
    assert asker.may_read("/version")
    assert not any(map(asker.may_read, ("/metrics", "/logs", "/debug/pprof/profile", "/configz", "/*")))


def test_of_the_leases_it_has_its_own_alone(asker: Asker) -> None:
    for verb in ("get", "update"):
        assert asker.may(("coordination.k8s.io", "leases", verb), "kube-system", "study-operator")
        assert not asker.may(("coordination.k8s.io", "leases", verb), "kube-system", "kube-scheduler")


def test_kubectl_says_the_same(installed: Cluster) -> None:
    def can_i(*asked: str) -> str:
        return installed.control.kubectl("auth", "can-i", *asked, f"--as={OPERATOR}", check=False).stdout.strip()

    assert can_i("create", "jobs.batch", "--all-namespaces") == "yes"
    for verb, resource in (
        ("get", "secrets"),
        ("create", "pods"),
        ("get", "nodes"),
        ("update", "studies.tuning.study"),
    ):
        assert can_i(verb, resource, "--all-namespaces") == "no"


def test_a_release_for_one_namespace_has_no_right_elsewhere(installed: Cluster, every_right: list[Right]) -> None:
    installed.create_namespace("blue")
    installed.create_namespace("operator-blue")
    values = {"watchNamespaces": ["blue"], "crds": {"enabled": False}}
    installed.install(values, namespace="operator-blue")
    asker = Asker(installed, "operator-blue")
    lease = {("coordination.k8s.io", "leases", "create")}
    assert asker.all_of(every_right, "blue") == NEEDED | EVERYBODY | lease
    for elsewhere in ("default", "operator-blue", ""):
        assert asker.all_of(every_right, elsewhere) == EVERYBODY
    installed.helm("uninstall", "study-operator", "--wait", namespace="operator-blue")


def test_editors_write_studies_and_viewers_read_them(installed: Cluster) -> None:
    control = installed.control
    for role in ("edit", "view"):
        control.kubectl("create", "rolebinding", f"{role}or", f"--clusterrole={role}", f"--user={role}or")

    def can_i(user: str, *asked: str) -> str:
        return control.kubectl("auth", "can-i", *asked, f"--as={user}", check=False).stdout.strip()

    control.kubectl("wait", "--for=jsonpath={.rules}", "clusterrole/edit", "--timeout=10s")
    assert can_i("editor", "create", "studies.tuning.study") == "yes"
    assert can_i("editor", "create", "trials.tuning.study") == "no"
    for resource in ("studies.tuning.study", "trials.tuning.study"):
        assert can_i("editor", "patch", resource, "--subresource=status") == "no"
    assert can_i("editor", "update", "leases.coordination.k8s.io/study-operator", "--namespace=kube-system") == "no"
    assert can_i("viewor", "get", "trials.tuning.study") == "yes"
    assert can_i("viewor", "create", "studies.tuning.study") == "no"
